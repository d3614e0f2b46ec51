"""What a scan saw but does not believe at once: states that must settle, late copies, doubles, too many removals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from monitor.store.totals import Totals
from tests.installation import Installation, installed, listing


@asynccontextmanager
async def watching(
    store_url: str, options: str = "", count: int = 1
) -> AsyncIterator[tuple[Installation, list[dict[str, Any]]]]:
    """A Worklayer list of some jobs that an installation has seen; jobs are unknown by id."""
    jobs = [
        {"id": f"j{n}", "status": "UNCLAIMED", "update_time": "2025-11-20T08:00:00Z", "total_amount": 1}
        for n in range(count)
    ]

    def body(request: web.Request) -> web.Response:
        if request.path.endswith("/jobs"):
            return web.json_response({"data": jobs, "next_page_token": ""})
        return web.json_response({"message": "down"}, status=500)

    async with listing(body) as (url, _):
        config = f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t, full_every: 1s, {options}}}}}\n'
        async with installed(store_url, config) as watch:
            await watch.scan()
            await watch.news()
            yield watch, jobs


async def step(watch: Installation, seconds: float = 30.0) -> list[str]:
    """Time passes, a scan is made; what it told."""
    watch.hands.pass_(seconds=seconds)
    await watch.scan()
    return [name.removeprefix("worklayer.job.") for name in await watch.told()]


async def test_a_state_that_does_not_settle_is_never_told(redis: Redis, store_url: str) -> None:
    """P16: A to B and back inside the settle window is no event, and the next B starts its own window."""
    async with watching(store_url, "settle: 60s") as (watch, jobs):
        jobs[0]["status"] = "CLAIMED"
        assert await step(watch) == []
        jobs[0]["status"] = "UNCLAIMED"
        assert await step(watch) == []
        jobs[0]["status"] = "CLAIMED"
        assert [await step(watch) for _ in range(4)] == [[], [], ["claimed"], []]


async def test_there_and_back_across_the_window_is_two_events(redis: Redis, store_url: str) -> None:
    """P17: A to B to A without settle is two events with rising revisions; content alone never hides the second."""
    async with watching(store_url) as (watch, jobs):
        jobs[0]["status"] = "CLAIMED"
        assert await step(watch) == ["claimed"]
        jobs[0]["status"] = "UNCLAIMED"
        assert await step(watch) == ["unclaimed"]


async def test_an_answer_older_than_the_record_is_ignored_until_it_holds(redis: Redis, store_url: str) -> None:
    """P23: a copy that lags behind changes nothing; only when it holds for ten minutes was the record wrong."""
    async with watching(store_url) as (watch, jobs):
        jobs[0].update(status="CLAIMED", update_time="2025-11-20T08:10:00Z")
        assert await step(watch) == ["claimed"]
        jobs[0].update(status="UNCLAIMED", update_time="2025-11-20T08:00:00Z")
        assert await step(watch) == []
        jobs[0].update(status="CLAIMED", update_time="2025-11-20T08:10:00Z")
        assert await step(watch) == []
        jobs[0].update(status="UNCLAIMED", update_time="2025-11-20T08:00:00Z")
        assert await step(watch) == []
        assert await step(watch, 601) == ["unclaimed"]
        (totals,) = await Totals(watch.services.store.db).scans(["tax"])
        assert totals.sums["outdated"] == 2


async def test_one_id_twice_with_the_same_content_is_nothing(redis: Redis, store_url: str) -> None:
    """P7: a row that slid to another page and is seen again makes no event."""
    async with watching(store_url) as (watch, jobs):
        jobs.append(dict(jobs[0]))
        assert await step(watch) == []


async def test_one_id_twice_with_different_content_has_one_winner(redis: Redis, store_url: str) -> None:
    """P8: whichever order a double comes in, the same one wins, and later walks are silent."""
    async with watching(store_url) as (watch, jobs):
        jobs.append({**jobs[0], "total_amount": 2})
        first = await step(watch)
        later = []
        for _ in range(4):
            jobs.reverse()
            later.append(await step(watch))

        assert len(first) <= 1
        assert later == [[], [], [], []]


async def test_held_removals_are_told_when_an_operator_releases_them(redis: Redis, store_url: str) -> None:
    """P4: above the limit nothing is removed; after `release` the next scans remove and tell each."""
    async with watching(store_url, count=6) as (watch, jobs):
        del jobs[1:]
        assert await step(watch) == ["jobwire.source.removals_held"]
        assert await step(watch) == []
        assert await watch.services.store.sources.decide_held("tax", "release")
        assert await step(watch) == ["removed"] * 5
        assert not await watch.services.store.sources.decide_held("tax", "release")


async def test_held_removals_are_forgotten_in_silence_when_discarded(redis: Redis, store_url: str) -> None:
    """After `discard` the items are no longer known, and nobody is told."""
    async with watching(store_url, count=6) as (watch, jobs):
        kept = list(jobs)
        del jobs[1:]
        await step(watch)
        await step(watch)
        await watch.services.store.sources.decide_held("tax", "discard")
        assert await step(watch) == []
        assert await watch.services.store.items.size("tax") == 1
        jobs[:] = kept
        assert await step(watch) == ["restored"] * 5


async def test_a_change_between_two_sights_of_one_walk_is_not_lost(redis: Redis, store_url: str) -> None:
    """P20: an item that every walk shows twice, whose stamp stands still, is told as it is when both sights agree."""
    async with watching(store_url) as (watch, jobs):
        jobs.append(dict(jobs[0]))
        for n in range(6):
            jobs[1]["total_amount"] = 10 + n
            await step(watch)
            jobs[0]["total_amount"] = 10 + n
            told = [*await step(watch), *await step(watch)]
            (document,) = await watch.services.store.items.documents("tax", ["j0"])
            assert document is not None
            assert document.known["job/j0"].resource.fields["total_amount"] == 10 + n
            assert len(told) <= 1


async def test_an_open_walk_is_no_proof_of_removal_where_ids_were_never_answered(redis: Redis, store_url: str) -> None:
    """P3: the job left a filter that we added ourselves, and there is no call by id: a full walk tells it closed."""
    jobs = [{"id": f"j{n}", "status": "CLAIMED"} for n in range(2)]

    def body(request: web.Request) -> web.Response:
        if not request.path.endswith("/jobs"):
            return web.json_response({"message": "no route"}, status=404)
        open_only = "CLOSED" in request.query.get("filter", "")
        shown = [job for job in jobs if not open_only or job["status"] != "CLOSED"]
        return web.json_response({"data": shown, "next_page_token": ""})

    async with listing(body) as (url, _):
        config = f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t, full_every: 24h}}}}\n'
        async with installed(store_url, config) as watch:
            await watch.scan()
            await watch.news()
            jobs[0]["status"] = "CLOSED"
            assert [await step(watch), await step(watch), await step(watch)] == [[], ["closed"], []]
