"""GET /api/v1/events with filters, and the log from its end: nothing left out, nothing twice, bounded pages."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from tests.integration.web.serving import Served, jobs, served


async def changed(at: Served, times: int) -> list[str]:
    """Job a is claimed and returned so often; the ids of all events that are kept, oldest first."""
    await at.watch.scan()
    for number in range(times):
        at.listing.body = jobs("a", "b", "c", status=("CLAIMED", "UNCLAIMED")[number % 2])
        await at.watch.scan()
    return [str(one["id"]) for one in await at.watch.news()]


async def walked(at: Served, path: str) -> list[dict[str, Any]]:
    """Every page of a list, two at a time."""
    found: list[dict[str, Any]] = []
    page = await at.get(f"{path}&limit=2")
    while page["items"] or page["next"]:
        found += page["items"]
        if page["next"] is None:
            break
        page = await at.get(f"{path}&limit=2&after={page['next']}")
    return found


async def test_the_log_is_read_backwards_from_its_end(redis: Redis, store_url: str) -> None:
    """Newest first, each once; `place` is where following goes on, also while nothing fits."""
    async with served(store_url) as at:
        ids = await changed(at, 3)
        found = await walked(at, "/api/v1/events/latest?source=tax")
        claimed = await walked(at, "/api/v1/events/latest?type=worklayer.job.claimed")
        none = await at.get("/api/v1/events/latest?type=devrev.**")
        end = await at.watch.services.store.log.end()
        beginning = await at.get("/api/v1/events/latest?after=0-0")

        assert [one["id"] for one in found] == ids[::-1]
        assert {one["type"] for one in claimed} == {"worklayer.job.claimed"}
        assert len(claimed) == 6
        assert (none["items"], none["next"], none["place"]) == ([], None, end)
        assert (beginning["items"], beginning["next"]) == ([], None)


async def test_filters_of_the_log_leave_nothing_out(redis: Redis, store_url: str) -> None:
    """A cursor stands behind what was looked at, so the next page goes on there and not behind what fitted."""
    async with served(store_url) as at:
        await changed(at, 3)
        page = await at.get("/api/v1/events?type=worklayer.job.claimed&limit=4")
        rest = await at.get(f"/api/v1/events?type=worklayer.job.claimed&limit=4&after={page['next']}")
        wrong = await at.ask("GET", "/api/v1/events?source=nobody")

        assert [len(page["items"]), len(rest["items"])] == [4, 2]
        assert len({one["id"] for one in page["items"] + rest["items"]}) == 6
        assert wrong.status == 400


async def test_details_are_there_for_whoever_asks(redis: Redis, store_url: str) -> None:
    """What tables for people show beside the objects of the interface: asked for by `detail=1`, and else not there."""
    async with served(store_url) as at:
        await changed(at, 1)
        await at.watch.services.consumer.relay.relay()
        plain, detailed = await at.get("/api/v1/deliveries"), await at.get("/api/v1/deliveries?detail=1")
        typed = await at.get("/api/v1/deliveries?type=jobwire.**&detail=1")
        (target,), (addressed,) = [(await at.get(f"/api/v1/targets{word}"))["items"] for word in ("", "?detail=1")]
        history = await at.get("/api/v1/resources/tax/job/a/history")

        assert set(detailed["items"][0]) - set(plain["items"][0]) == {"made_at", "type", "key"}
        assert {one["type"] for one in typed["items"]} == {"jobwire.source.baselined"}
        assert ("address" in target, addressed["address"]) == (False, "http://127.0.0.1:9/x")
        assert (history["resource"]["title"], history["resource"]["revision"]) == ("Job a", 2)
        assert history["resource"]["events"] == 1


async def test_a_stream_sends_the_bytes_that_are_stored(redis: Redis, store_url: str) -> None:
    """A line separator inside a title (U+2028) is text: it must not break the message, nor the JSON in it."""
    async with served(store_url) as at:
        await at.watch.scan()
        body = jobs("a", "b", "c", status="CLAIMED")
        body["data"][0]["name"] = "above\u2028below\u0085end"
        at.listing.body = body
        await at.watch.scan()
        stored = [one.body for one in await at.watch.services.store.log.after("0-0", 10)]
        async with at.http.get(f"{at.url}/api/v1/stream?after=0-0") as answer:
            seen: list[bytes] = []
            while len(seen) < len(stored):
                line = await answer.content.readline()
                if line.startswith(b"data: "):
                    seen.append(line.removeprefix(b"data: ").removesuffix(b"\n"))

        assert seen == stored
        assert any("\u2028" in one.decode() for one in seen)
