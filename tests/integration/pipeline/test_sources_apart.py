"""Sources beside each other, and fields that come and go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from tests.installation import Hands, Installation, installed, listing
from tests.stores import client


@asynccontextmanager
async def two(
    store_url: str, names: str = "one two"
) -> AsyncIterator[tuple[Installation, dict[str, list[dict[str, Any]]]]]:
    """Sources that list their own jobs, behind one server."""
    rows: dict[str, list[dict[str, Any]]] = {
        name: [{"id": "j", "status": "UNCLAIMED", "name": "n", "deadline_time": "2026-01-01T00:00:00Z"}]
        for name in names.split()
    }

    def body(request: web.Request) -> dict[str, Any]:
        return {"data": rows[request.path.split("/")[1]], "next_page_token": ""}

    async with listing(body) as (url, _):
        sources = "".join(f'  {name}: {{provider: worklayer, base_url: "{url}/{name}", token: t}}\n' for name in rows)
        async with installed(store_url, f"sources:\n{sources}", Hands()) as watch:
            yield watch, rows


async def test_a_new_source_has_its_own_silent_baseline(redis: Redis, store_url: str) -> None:
    """P11: a source that is added later is recorded silently, and the one beside it is told as before."""
    async with two(store_url) as (watch, rows):
        await watch.scan("one")
        await watch.news()
        rows["one"][0]["status"] = "CLAIMED"
        await watch.scan("one")
        await watch.scan("two")

        assert await watch.told() == ["worklayer.job.claimed", "jobwire.source.baselined"]


async def test_the_same_id_in_two_sources_is_two_resources(redis: Redis, store_url: str) -> None:
    """Ids are those of a source: what happens to one says nothing of the other, and the events' ids differ."""
    async with two(store_url) as (watch, rows):
        for name in rows:
            await watch.scan(name)
        await watch.news()
        for name, jobs in rows.items():
            jobs[0]["status"] = "CLAIMED"
            await watch.scan(name)
        events = await watch.news()

        assert [event["data"]["key"] for event in events] == ["one/job/j", "two/job/j"]
        assert len({event["id"] for event in events}) == 2


async def test_a_field_left_out_is_not_a_field_set_to_null(redis: Redis, store_url: str) -> None:
    """P13: an answer without a field erases nothing and tells nothing; null is a change, and so is the return."""
    async with two(store_url, "one") as (watch, rows):
        job = rows["one"][0]
        await watch.scan()
        await watch.news()
        deadline = job.pop("deadline_time")
        await watch.scan()
        assert await watch.told() == []
        job["deadline_time"] = deadline
        await watch.scan()
        assert await watch.told() == []
        job["deadline_time"] = None
        await watch.scan()
        (event,) = await watch.news()
        assert event["data"]["changes"] == [{"field": "deadline_time", "before": deadline, "after": None}]


async def test_an_emptied_store_is_a_new_baseline(redis: Redis, store_url: str) -> None:
    """A store that came back empty is recorded anew: nothing is told as created."""
    async with two(store_url, "one") as (watch, _):
        await watch.scan()
        async with client(store_url) as other:
            await other.flushall()
        watch.place = "0-0"
        await watch.scan()

        assert await watch.told() == ["jobwire.source.baselined"]


async def test_sequences_and_revisions_have_no_gap(redis: Redis, store_url: str) -> None:
    """P19: twenty changes of a job are revisions 2 to 21 and sequences 1 to 20, in the order they happened."""
    async with two(store_url, "one") as (watch, rows):
        await watch.scan()
        await watch.news()
        for n in range(20):
            rows["one"][0]["name"] = f"name {n}"
            await watch.scan()
        events = await watch.news()

        assert [event["data"]["revision"] for event in events] == list(range(2, 22))
        assert [int(event["sequence"]) for event in events] == list(range(1, 21))


async def test_other_tracked_fields_are_read_anew_in_silence(redis: Redis, store_url: str) -> None:
    """P30: a changed `track` compares what is on record by the new rule, and is no mass update."""
    rows = [{"id": f"j{n}", "status": "UNCLAIMED", "workspace_id": "91"} for n in range(5)]

    def body(_: web.Request) -> dict[str, Any]:
        return {"data": rows, "next_page_token": ""}

    async with listing(body) as (url, _):
        config = f'sources: {{one: {{provider: worklayer, base_url: "{url}", token: t, track: [TRACK]}}}}\n'
        async with installed(store_url, config.replace("TRACK", ""), Hands()) as before:
            await before.scan()
        async with installed(store_url, config.replace("TRACK", "workspace_id"), Hands()) as after:
            after.slots = 5
            await after.news()
            report = await after.scan()
            assert (report.tally.changed, await after.told()) == (5, [])
            rows[0]["workspace_id"] = "92"
            await after.scan()
            assert await after.told() == ["worklayer.job.updated"]
