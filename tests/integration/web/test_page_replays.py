"""Deliveries on the page: what was sent, why, and again; scans with what they did; removals that wait for a word."""

from __future__ import annotations

import re

from redis.asyncio import Redis

from monitor.store.lanes import Attempt, Settled
from tests.integration.web.serving import Served, jobs, served


async def given_up(at: Served, count: int) -> list[str]:
    """So many changed jobs were not taken by `ops`; the ids of their deliveries."""
    ids = [f"j{number}" for number in range(count)]
    at.listing.body = jobs(*ids)
    await at.watch.scan("tax")
    at.listing.body = jobs(*ids, status="CLAIMED")
    await at.watch.scan("tax")
    await at.watch.services.consumer.relay.relay()
    lanes, done = at.watch.services.store.lanes, []
    for one in await lanes.claim("ops", lease_ms=60_000, limit=100, take=1):
        attempt = Attempt(1, "2026-01-05T09:30:00Z", 500, 12, "the receiver answered 500", "<i>no</i>", "127.0.0.1")
        await lanes.settle("ops", [Settled(one, "failed", 0.0, [(one.waiting[0].id, attempt)])])
        done.append(one.waiting[0].id)
    return done


async def text_of(at: Served, path: str) -> str:
    """A page that must be there."""
    async with at.http.get(at.url + path) as answer:
        text = await answer.text()
        assert answer.status == 200, text
    return text


async def statuses(at: Served) -> dict[str, str]:
    """How each delivery stands."""
    return {one["id"]: one["status"] for one in (await at.get("/api/v1/deliveries"))["items"]}


async def test_ticked_deliveries_are_sent_again_and_no_others(redis: Redis, store_url: str) -> None:
    """Back to the same list with its filters, told what became of them; ticking nothing sends nothing."""
    async with served(store_url) as at:
        first, second, *others = await given_up(at, 3)
        back = {"Referer": f"{at.url}/deliveries?target=ops&status=failed", "Origin": at.url}
        form = [("id", first), ("id", second), ("id", "dlv_none")]
        done = await at.ask("POST", "/do/deliveries", data=form, headers=back, allow_redirects=False)
        assert done.status == 303
        assert done.headers["Location"].startswith("/deliveries?target=ops&status=failed&done=")
        assert "2%20queued" in done.headers["Location"]
        found = await statuses(at)
        assert (found[first], found[second]) == ("pending", "pending")
        assert {found[one] for one in others} == {"failed"}
        done = await at.ask("POST", "/do/deliveries", headers=back, allow_redirects=False)
        assert "nothing%20was%20ticked" in done.headers["Location"]


async def test_all_that_was_given_up_at_a_target_is_sent_again(redis: Redis, store_url: str) -> None:
    """With one button, which is there only where the list shows just that."""
    async with served(store_url) as at:
        await given_up(at, 3)
        assert "Send all failed of ops again" not in await text_of(at, "/deliveries")
        assert "Send all failed of ops again" in await text_of(at, "/deliveries?target=ops&status=failed")
        back = {"Referer": f"{at.url}/deliveries", "Origin": at.url}
        asked = {"data": {"failed_of": "ops"}, "headers": back, "allow_redirects": False}
        assert (await at.ask("POST", "/do/deliveries", **asked)).status == 303
        assert set((await statuses(at)).values()) == {"pending"}
        assert "nothing%20had%20failed" in (await at.ask("POST", "/do/deliveries", **asked)).headers["Location"]
        nobody = await at.ask("POST", "/do/deliveries", data={"failed_of": "nobody"}, headers=back)
        assert nobody.status == 404


async def test_a_delivery_shows_its_attempts_and_its_request(redis: Redis, store_url: str) -> None:
    """What was sent where, without secrets; an answer full of markup is text."""
    async with served(store_url) as at:
        delivery, *_ = await given_up(at, 1)
        text = await text_of(at, f"/deliveries/{delivery}")
        assert "the receiver answered 500" in text
        assert "&lt;i&gt;no&lt;/i&gt;" in text
        assert "POST to" in text
        assert "specversion" in text
        assert "whsec_" not in text
        assert (await at.ask("GET", "/deliveries/dlv_none")).status == 404


async def test_an_event_says_why_it_went_where_it_went(redis: Redis, store_url: str) -> None:
    """By which route, and for whom it was nothing."""
    async with served(store_url) as at:
        await given_up(at, 1)
        event = next(one for one in (await at.get("/api/v1/events"))["items"] if one["type"].endswith("job.claimed"))
        text = await text_of(at, f"/events/{event['id']}")
    assert "The state went from UNCLAIMED to CLAIMED" in text
    assert "routes[0]" in text


async def test_a_source_shows_its_scans_and_takes_a_word_on_what_is_held(redis: Redis, store_url: str) -> None:
    """Outcome, duration, pages, 304s, changes of each; what was decided about removals stands there."""
    async with served(store_url) as at:
        at.listing.body = jobs(*(f"j{number}" for number in range(20)))
        await at.watch.scan("tax")
        at.listing.body = jobs("j0", "j1")
        await at.watch.scan("tax")
        await at.watch.scan("tax")
        text = await text_of(at, "/sources/tax")
        assert len(re.findall(r'data-name="304s"', text)) == 3
        assert "18 are missing all at once" in text
        back = {"Referer": f"{at.url}/sources/tax", "Origin": at.url}
        await at.ask("POST", "/do/sources/tax/removals/release", headers=back)
        assert "The next complete scan will release them" in await text_of(at, "/sources/tax")
        at.listing.body = {"data": "broken"}
        await at.watch.scan("tax")
        assert 'data-name="Outcome"' in (text := await text_of(at, "/sources/tax"))
        assert re.search(r'class="state bad">|class="state so">', text)
        at.listing.body = jobs("j0", "j1")
        await at.watch.scan("tax")
        done = await at.ask("POST", "/do/sources/tax/removals/discard", headers=back, allow_redirects=False)
        assert "nothing%20is%20held" in done.headers["Location"]
