"""Conditions and silences over HTTP: read, said, refused in words."""

from __future__ import annotations

from datetime import timedelta

from redis.asyncio import Redis

from monitor.clock import utc_now
from monitor.events import monitor_event
from monitor.moments import stamp
from tests.integration.web.serving import Served, served


async def opened(here: Served) -> str:
    """A source in trouble; the id of the condition."""
    news = monitor_event("source", "tax", "failing", count=1, time=stamp(utc_now()), details={}, provider="worklayer")
    await here.watch.services.store.sources.tell_once("tax", news.id, news)
    await here.watch.services.consumer.relay.relay()
    (one,) = (await here.get("/api/v1/conditions"))["items"]
    assert (one["key"], one["type"], one["state"]) == ("source/tax", "jobwire.source.failing", "open")
    return str(one["id"])


async def test_a_condition_is_listed_acknowledged_put_off_and_given_back(redis: Redis, store_url: str) -> None:
    """By id and by key; said twice it changes nothing; what is not open is not found."""
    async with served(store_url) as here:
        id = await opened(here)
        words: list[tuple[str, dict[str, object], str, str | None]] = [
            (id, {"by": "ann", "comment": "on it"}, "acknowledged", "ann"),
            ("source/tax", {"by": "bob"}, "acknowledged", "ann"),
            (id, {"by": "bob", "snooze": "4h"}, "snoozed", "bob"),
            (id, {"by": "bob", "snooze": "until-change"}, "snoozed", "bob"),
            (id, {"by": "bob", "undo": True}, "open", None),
        ]
        for path, word, state, by in words:
            answer = await here.ask("POST", f"/api/v1/conditions/{path}/ack", json=word)
            assert answer.status == 200, await answer.text()
            (one,) = (await answer.json())["items"]
            assert (one["state"], one["acknowledged_by"]) == (state, by)
        assert (await here.ask("POST", "/api/v1/conditions/cnd_none/ack", json={"by": "ann"})).status == 404
        refused: list[object] = [{}, {"by": ""}, {"by": "ann", "snooze": "soon"}, {"by": "ann", "for": "1h"}, []]
        for body in refused:
            assert (await here.ask("POST", f"/api/v1/conditions/{id}/ack", json=body)).status == 400, body
        assert (await here.get("/api/v1/conditions?limit=1"))["next"] is None
        assert len((await here.get("/api/v1/conditions?source=tax&all=1"))["items"]) == 1
        assert (await here.ask("GET", "/api/v1/conditions?sorce=tax")).status == 400


async def test_a_silence_is_made_listed_and_ended(redis: Redis, store_url: str) -> None:
    """It needs matchers, an end, a reason and somebody who says so."""
    async with served(store_url) as here:
        wish = {
            "matchers": ["type=*.*.stuck", "source=tax"],
            "for": "2h",
            "by": "ann",
            "comment": "their queue is down",
        }
        answer = await here.ask("POST", "/api/v1/silences", json=wish)
        assert answer.status == 201, await answer.text()
        made = await answer.json()
        assert (made["state"], made["matchers"], made["by"]) == ("active", wish["matchers"], "ann")
        (listed,) = (await here.get("/api/v1/silences"))["items"]
        assert listed == made
        ended = await here.ask("DELETE", f"/api/v1/silences/{made['id']}")
        assert (ended.status, (await ended.json())["state"]) == (200, "expired")
        assert (await here.ask("DELETE", "/api/v1/silences/sil_none")).status == 404
        wrong: list[dict[str, object]] = [
            {"matchers": []}, {"matchers": ["team=x"]}, {"matchers": ["tax"]}, {"for": None}, {"comment": ""},
            {"comment": "  "}, {"by": ""}, {"for": "soon"}, {"ends_at": "2030-01-01T00:00:00Z"},
            {"starts_at": "2030-01-01T00:00:00Z", "for": None, "ends_at": "2029-01-01T00:00:00Z"},
        ]  # fmt: skip
        for one in wrong:
            assert (await here.ask("POST", "/api/v1/silences", json={**wish, **one})).status == 400, one


async def test_pages_hold_while_somebody_acts(redis: Redis, store_url: str) -> None:
    """Each condition comes once, although all are acknowledged and one ends between two pages."""
    async with served(store_url) as here:
        store, relay = here.watch.services.store, here.watch.services.consumer.relay
        for count, what in enumerate(("failing", "credentials_expiring", "stale", "removals_held")):
            time = stamp(utc_now() + timedelta(seconds=count))
            news = monitor_event("source", "tax", what, count=1, time=time, details={}, provider="worklayer")
            await store.sources.tell_once("tax", news.id, news)
        await relay.relay()
        every = {one["id"] for one in (await here.get("/api/v1/conditions"))["items"]}
        first = await here.get("/api/v1/conditions?limit=2")
        for one in every:
            assert (await here.ask("POST", f"/api/v1/conditions/{one}/ack", json={"by": "ann"})).status == 200
        second = await here.get(f"/api/v1/conditions?limit=1&after={first['next']}")
        for one in (*first["items"], *second["items"]):
            word = {"by": "ann", "undo": True}
            assert (await here.ask("POST", f"/api/v1/conditions/{one['id']}/ack", json=word)).status == 200
        third = await here.get(f"/api/v1/conditions?limit=2&after={second['next']}")

        seen = [one["id"] for page in (first, second, third) for one in page["items"]]
        assert len(seen) == len(every) == 4
        assert (set(seen), third["next"]) == (every, None)
