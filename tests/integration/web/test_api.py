"""What is known and what happened, read page by page, in the shapes of the command line."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import pytest
from redis.asyncio import Redis

from monitor.events import monitor_event
from monitor.store.lanes import Attempt, Settled
from tests.integration.web.serving import HOOK_SECRET, Served, jobs, served


async def pages(at: Served, path: str, limit: int) -> list[list[Any]]:
    """Every page of a list, by its cursors, to its end."""
    found, after = [], ""
    while True:
        page = await at.get(f"{path}{'&' if '?' in path else '?'}limit={limit}{after}")
        found.append(page["items"])
        if page["next"] is None:
            return found
        after = f"&after={quote(page['next'])}"
        assert len(found) < 100


async def relayed(at: Served, **job: str) -> None:
    """One more change of job `a`, scanned, and in the lane of the target."""
    at.listing.body = jobs("a", "b", "c", **job)
    await at.watch.scan()
    await at.watch.services.consumer.relay.relay()


async def test_sources_and_targets_are_those_of_the_command_line(redis: Redis, store_url: str) -> None:
    """The same objects, in `items`."""
    async with served(store_url) as at:
        await at.watch.scan()
        (source,), (target,) = (
            (await at.get("/api/v1/sources"))["items"],
            (await at.get("/api/v1/targets"))["items"],
        )

        wanted = {"name", "provider", "state", "fresh_at", "items", "next_at", "error", "quota"}
        assert wanted <= set(source)
        assert (source["name"], source["state"], source["items"]) == ("tax", "ok", 3)
        assert set(target) == {"name", "type", "state", "backlog", "oldest_at", "success_rate", "circuit"}


async def test_resources_come_page_by_page(redis: Redis, store_url: str) -> None:
    """Each once, and the end has no cursor; a page that is exactly full knows whether there is more."""
    async with served(store_url) as at:
        at.listing.body = jobs(*(f"j{number}" for number in range(12)))
        await at.watch.scan()
        found = await pages(at, "/api/v1/resources", 5)
        exact = await pages(at, "/api/v1/resources", 6)

        assert [len(page) for page in found] == [5, 5, 2]
        assert [len(page) for page in exact] == [6, 6]
        assert len({one["key"] for page in found for one in page}) == 12
        assert [one for page in found for one in page] == [one for page in exact for one in page]


async def test_a_page_goes_on_where_a_resource_has_gone(redis: Redis, store_url: str) -> None:
    """A cursor is a place, not a resource that must still be there."""
    async with served(store_url) as at:
        await at.watch.scan()
        page = await at.get("/api/v1/resources?limit=1")
        assert [one["id"] for one in page["items"]] == ["a"]
        await at.watch.services.store.db.run("HDEL", "jobwire:items:tax", "a")
        rest = await at.get(f"/api/v1/resources?after={page['next']}")

        assert [one["id"] for one in rest["items"]] == ["b", "c"]


async def test_resources_are_chosen_by_source_kind_and_state(redis: Redis, store_url: str) -> None:
    """As the command line does; what does not exist is an empty list, or a source that is not there."""
    async with served(store_url) as at:
        await at.watch.scan()
        assert len((await at.get("/api/v1/resources?source=tax&kind=job&state=unclaimed"))["items"]) == 3
        assert (await at.get("/api/v1/resources?state=CLAIMED"))["items"] == []
        assert (await at.ask("GET", "/api/v1/resources?source=nobody")).status == 400


@pytest.mark.parametrize("id", ["a", "don:core:dvrv-us-1:devo/0:job/1", "ü %2F?#", "history"])
async def test_history_of_any_key(redis: Redis, store_url: str, id: str) -> None:
    """Keys hold slashes, colons and anything else that a provider puts into an id."""
    async with served(store_url) as at:
        at.listing.body = jobs(id)
        await at.watch.scan()
        at.listing.body = jobs(id, status="CLAIMED")
        await at.watch.scan()
        key = quote(f"tax/job/{id}", safe="/")
        lines = (await at.get(f"/api/v1/resources/{key}/history"))["items"]

        assert [one["revision"] for one in lines][-1] == 2
        assert (await at.ask("GET", "/api/v1/resources/tax/job/unknown/history")).status == 404


async def test_events_are_read_to_the_end_while_more_are_added(redis: Redis, store_url: str) -> None:
    """No gap, no repetition, in the order of the log; empty items mean that all is read."""
    async with served(store_url) as at:
        store, written, done = at.watch.services.store, [], asyncio.Event()

        async def add() -> None:
            for number in range(300):
                event = monitor_event(
                    "source", "tax", "failing", count=number, time="2026-01-05T09:30:00Z", details={}, provider="p"
                )
                assert await store.sources.tell_once("tax", f"mark {number}", event)
                written.append(event.id)
            done.set()

        adding = asyncio.create_task(add())
        read: list[str] = []
        after = ""
        while True:
            finished = done.is_set()
            page = await at.get(f"/api/v1/events?limit=7{after}")
            assert isinstance(page["next"], str)
            read += [one["id"] for one in page["items"]]
            after = f"&after={page['next']}"
            if not page["items"] and finished:
                break
        await adding

        assert read == written
        assert len(read) == 300


async def test_events_are_the_stored_envelopes(redis: Redis, store_url: str) -> None:
    """Byte for byte what targets get."""
    async with served(store_url) as at:
        await at.watch.scan()
        (stored,) = await at.watch.services.store.log.after("0-0", 10)
        async with at.http.get(at.url + "/api/v1/events") as answer:
            body = await answer.read()

        assert body == b'{"items":[' + stored.body + b'],"next":"' + stored.place.encode() + b'"}'


async def test_a_cursor_whose_events_are_forgotten_is_told(redis: Redis, store_url: str) -> None:
    """410 that says where the log begins now: a gap must be told, not jumped; the beginning itself is always good."""
    async with served(store_url) as at:
        await at.watch.scan()
        async with at.http.get(at.url + "/api/v1/events?after=1700000000000-0") as answer:
            problem = await answer.json()
        (first, *_) = await at.watch.services.store.log.after("0-0", 1)

        assert (answer.status, answer.content_type) == (410, "application/problem+json")
        assert problem["begin"] == first.place
        assert len((await at.get("/api/v1/events?after=0-0"))["items"]) == 1
        assert (await at.get(f"/api/v1/events?after={first.place}"))["items"] == []


async def test_a_reader_that_is_caught_up_gets_a_cursor_that_goes_on(redis: Redis, store_url: str) -> None:
    """However long nothing happens; nothing that comes later lies before it, and a cursor from the future is none."""
    async with served(store_url) as at:
        now = await at.watch.services.store.db.now_ms()
        page = await at.get(f"/api/v1/events?after={now - 10 * 86_400_000}-0")
        assert int(page["next"].partition("-")[0]) >= now - 86_400_000
        await at.watch.scan()
        assert len((await at.get(f"/api/v1/events?after={page['next']}"))["items"]) == 1
        assert (await at.ask("GET", f"/api/v1/events?after={now + 86_400_000}-0")).status == 400


async def test_a_page_reads_a_bounded_number_of_entries(redis: Redis, store_url: str) -> None:
    """However few of many are wanted: it ends early, with a cursor, and the pages together hold all of them."""
    async with served(store_url) as at:
        store = at.watch.services.store
        old = {f"dlv_{number:05}": 1_700_000_000_000 + number for number in range(6000)}
        await redis.zadd("jobwire:deliveries:ops", old)
        await relayed(at, status="CLAIMED")
        found = await at.get("/api/v1/deliveries?status=delivered&limit=5")
        assert (found["items"], found["next"] is not None) == ([], True)
        assert (await at.get(f"/api/v1/deliveries?status=delivered&after={found['next']}"))["next"] is None
        at.listing.body = jobs(*(f"x{number}" for number in range(700)))
        await at.watch.scan()
        seen = [one["key"] for page in await pages(at, "/api/v1/resources?kind=job", 100) for one in page]
        assert len(set(seen)) == await store.items.size("tax")


async def test_deliveries_of_an_event_and_since_a_time(redis: Redis, store_url: str) -> None:
    """W2: an event is found with its deliveries; a time that is none is refused."""
    async with served(store_url) as at:
        await relayed(at, status="CLAIMED")
        (event, *_) = (await at.get("/api/v1/events"))["items"]
        (one,) = (await at.get(f"/api/v1/deliveries?event={event['id']}"))["items"]
        assert (one["event_id"], one["target"]) == (event["id"], "ops")
        assert (await at.get("/api/v1/deliveries?since=2999-01-01"))["items"] == []
        assert (await at.get("/api/v1/deliveries?since=1h"))["items"] != []
        assert (await at.ask("GET", "/api/v1/deliveries?since=soon")).status == 400


async def test_an_event_is_explained(redis: Redis, store_url: str) -> None:
    """Why it was made, and what became of it; 404 for what is not kept."""
    async with served(store_url) as at:
        await relayed(at)
        await relayed(at, status="CLAIMED")
        event = (await at.get("/api/v1/events"))["items"][-1]
        found = await at.get(f"/api/v1/events/{event['id']}/explain")
        assert found["event"] == event
        assert "from UNCLAIMED to CLAIMED" in found["made"]["why"]
        (fate,) = found["targets"]
        assert (fate["target"], fate["route"], fate["sent_by"]) == ("ops", "routes[0]", "routes[0]")
        assert fate["delivery"]["status"] == "pending"
        assert (await at.ask("GET", "/api/v1/events/evt_none/explain")).status == 404


async def test_deliveries_come_newest_first_by_target_and_status(redis: Redis, store_url: str) -> None:
    """With every attempt, each once, page by page."""
    async with served(store_url) as at:
        for status in ("UNCLAIMED", "CLAIMED", "UNCLAIMED", "CLAIMED", "UNCLAIMED"):
            await relayed(at, status=status)
        lanes = at.watch.services.store.lanes
        first, *_ = await lanes.claim("ops", lease_ms=60_000, limit=1, take=1)
        attempt = Attempt(1, "2026-01-05T09:30:00Z", 204, 12, None, "", "127.0.0.1")
        await lanes.settle("ops", [Settled(first, "delivered", 0.0, [(first.waiting[0].id, attempt)])])
        every = [one for page in await pages(at, "/api/v1/deliveries", 4) for one in page]
        sent = (await at.get("/api/v1/deliveries?status=delivered&target=ops"))["items"]

        assert len(every) == len({one["id"] for one in every}) == 1 + 4 * 3
        assert [one["id"] for one in sent] == [first.waiting[0].id]
        assert sent[0]["attempts"][0]["status"] == 204
        assert sum(one["status"] == "pending" for one in every) == 12


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/api/v1/events?limit=0", "limit"),
        ("/api/v1/events?limit=1001", "limit"),
        ("/api/v1/events?limit=all", "limit"),
        ("/api/v1/events?limit=%C2%B2", "limit"),
        ("/api/v1/events?after=yesterday", "after"),
        ("/api/v1/events?after=99999999999999999999-0", "after"),
        ("/api/v1/resources?after=garbage", "after"),
        ("/api/v1/resources?after=%C3%BC", "after"),
        ("/api/v1/deliveries?after=WyJhIl0", "after"),
        ("/api/v1/deliveries?status=lost", "status"),
        ("/api/v1/deliveries?target=nobody", "target"),
        ("/api/v1/sources?stat=x", "stat"),
    ],
)
async def test_what_cannot_be_understood_is_said(redis: Redis, store_url: str, path: str, said: str) -> None:
    """400 as application/problem+json, naming the word."""
    async with served(store_url) as at, at.http.get(at.url + path) as answer:
        problem = await answer.json()

        assert (answer.status, answer.content_type) == (400, "application/problem+json")
        assert problem["detail"].startswith(f"{said}: ")


async def test_other_addresses_and_methods_are_problems_too(redis: Redis, store_url: str) -> None:
    """404 and 405 in the same form."""
    async with served(store_url) as at:
        missing, wrong = await at.ask("GET", "/nothing"), await at.ask("DELETE", "/api/v1/events")

        assert (missing.status, missing.content_type) == (404, "application/problem+json")
        assert (wrong.status, wrong.content_type) == (405, "application/problem+json")
        assert "GET" in wrong.headers["Allow"]


async def test_no_answer_holds_a_secret(redis: Redis, store_url: str) -> None:
    """Not the provider's token, not the target's, not a web token, whatever is asked."""
    async with served(store_url, web=", tokens: [web-token-1]") as at:
        at.listing.status, at.listing.body = 401, {"token": "provider-token-1"}
        await at.watch.scan()
        at.listing.status = 200
        await relayed(at, status="X")
        bearer = {"Authorization": "Bearer web-token-1"}
        paths = ["sources", "targets", "resources", "events", "deliveries"]
        texts = []
        for path in [*(f"/api/v1/{one}" for one in paths), "/metrics", "/readyz", "/hooks/tax"]:
            async with at.http.get(at.url + path, headers=bearer) as answer:
                texts.append(await answer.text())
        for secret in ("web-token-1", HOOK_SECRET, "whsec_"):
            assert not any(secret in text for text in texts)


async def test_deliveries_come_once_while_more_are_made_and_tried(redis: Redis, store_url: str) -> None:
    """What was there at the first page comes exactly once, although two more are made and one arrives between pages."""
    async with served(store_url) as at:
        await relayed(at, status="CLAIMED")
        await relayed(at, status="UNCLAIMED")
        there = [one["id"] for one in (await at.get("/api/v1/deliveries"))["items"]]
        lanes, seen, after = at.watch.services.store.lanes, [], ""
        for status in ("X", "Y", "Z", "W", "V"):
            page = await at.get(f"/api/v1/deliveries?limit=1{after}")
            seen += [one["id"] for one in page["items"]]
            await relayed(at, status=status)
            first, *_ = await lanes.claim("ops", lease_ms=60_000, limit=1, take=1)
            attempt = Attempt(1, "2026-01-05T09:30:00Z", 204, 12, None, "", "127.0.0.1")
            await lanes.settle("ops", [Settled(first, "delivered", 0.0, [(first.waiting[0].id, attempt)])])
            if page["next"] is None:
                break
            after = f"&after={page['next']}"

        assert seen == there
        assert len(there) > 3


async def test_a_target_is_switched_off_and_on(redis: Redis, store_url: str) -> None:
    """Nothing is sent meanwhile, what waits is counted, and who is unknown is not found."""
    async with served(store_url) as at:
        await relayed(at, status="CLAIMED")
        async with at.http.post(f"{at.url}/api/v1/targets/ops/disable") as answer:
            assert await answer.json() == {"target": "ops", "state": "disabled", "changed": True, "backlog": 1}
        assert (await at.get("/api/v1/targets"))["items"][0]["state"] == "disabled"
        async with at.http.post(f"{at.url}/api/v1/targets/ops/enable") as answer:
            assert (await answer.json())["changed"]
        assert (await at.ask("POST", "/api/v1/targets/nobody/enable")).status == 404


async def test_metrics_say_which_state_a_circuit_is_in(redis: Redis, store_url: str) -> None:
    """One of three is 1."""
    async with served(store_url) as at:
        await at.watch.services.store.db.run("HSET", "jobwire:target:ops", "open_at", 1, "probe_at", 1, "failures", 7)
        async with at.http.get(f"{at.url}/metrics") as answer:
            text = await answer.text()
        assert 'jobwire_target_circuit{target="ops",state="open"} 1' in text
        assert 'jobwire_target_circuit{target="ops",state="closed"} 0' in text
        assert 'jobwire_target_failures{target="ops"} 7' in text


async def test_what_was_given_up_stays_with_the_target_until_it_is_sent_again(redis: Redis, store_url: str) -> None:
    """A target that is ok again still says what was lost, until a replay; nothing is said where nothing was."""
    async with served(store_url) as at:
        await at.watch.scan()
        await relayed(at, status="CLAIMED")
        assert "given_up" not in (await at.get("/api/v1/targets/ops"))
        lanes = at.watch.services.store.lanes
        (one,) = await lanes.claim("ops", lease_ms=60_000, limit=1, take=1)
        attempt = Attempt(1, "2026-01-05T09:30:00Z", 404, 12, None, "", "127.0.0.1")
        await lanes.settle("ops", [Settled(one, "failed", 0.0, [(one.waiting[0].id, attempt)])])

        found = await at.get("/api/v1/targets/ops")
        assert (found["state"], found["given_up"]) == ("ok", 1)
        now = await (await at.ask("GET", "/")).text()
        assert '<a href="/deliveries?target=ops&amp;status=failed">1 given up</a>' in now
        (charted,) = (await at.get("/api/v1/series?metric=latency&since=1h"))["items"]
        assert charted["waiting"] == 3

        done = await at.ask("POST", f"/api/v1/deliveries/{one.waiting[0].id}/replay")
        assert done.status in {200, 202}, await done.text()
        assert "given_up" not in (await at.get("/api/v1/targets/ops"))
        assert "given up</a>" not in await (await at.ask("GET", "/")).text()
        (charted,) = (await at.get("/api/v1/series?metric=latency&since=1h"))["items"]
        assert charted["waiting"] == 4
        assert charted["oldest"] >= 0
