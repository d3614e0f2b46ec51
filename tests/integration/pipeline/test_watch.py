"""What time alone brings about a source is told by every worker's watch, once: staleness, credentials that end."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from redis.asyncio import Redis

from tests.installation import Hands, Installation, Listing, installed, listing

JOBS = {"data": [{"id": "j", "status": "UNCLAIMED"}], "next_page_token": ""}


def token(ends: datetime) -> str:
    """A JWT that ends then."""
    parts = [{"alg": "none"}, {"exp": int(ends.timestamp())}]
    return ".".join(
        [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts] + ["s"]
    )


@asynccontextmanager
async def watching(
    store_url: str, options: str = "", hands: Hands | None = None, key: str = "t"
) -> AsyncIterator[tuple[Installation, Listing]]:
    """An installation with one Worklayer source that is asked every minute."""
    async with listing(JOBS) as (url, jobs):
        config = (
            f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: "{key}", every: 60s, timeout: 20s, '
            f"{options}}}}}\n"
        )
        async with installed(store_url, config, hands) as watch:
            yield watch, jobs


async def look(watch: Installation, seconds: float = 0.0) -> list[dict[str, Any]]:
    """Time passes, two workers' watches look at once; what was told."""
    watch.hands.pass_(seconds=seconds)
    await asyncio.gather(*(watch.services.consumer.watch.look() for _ in range(2)))
    return await watch.news()


def named(events: list[dict[str, Any]]) -> list[str]:
    """The last segments of the types."""
    return [str(event["type"]).rsplit(".", 1)[-1] for event in events]


async def test_a_stale_source_is_told_once_and_closed_by_the_next_good_scan(redis: Redis, store_url: str) -> None:
    """Three intervals after the last complete scan; a second staleness is news again."""
    async with watching(store_url) as (watch, _):
        await look(watch)
        await watch.scan()
        fresh = watch.hands.at
        await watch.news()
        for _ in range(2):
            assert await look(watch, 180) == []
            (event,) = await look(watch, 1)
            assert (event["type"], event["data"]["details"]["since"]) == (
                "jobwire.source.stale",
                fresh.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            )
            assert await look(watch, 3600) == []
            await watch.scan()
            fresh = watch.hands.at
            (closed,) = await watch.news()
            assert (closed["type"], closed["data"]["details"]["was"]) == ("jobwire.source.recovered", "stale")


async def test_a_source_that_never_had_a_complete_scan_is_stale_since_its_first_attempt(
    redis: Redis, store_url: str
) -> None:
    """Beside `failing`; one `recovered` ends both."""
    async with watching(store_url, "stale_after: 150s") as (watch, jobs):
        jobs.status = 403
        await look(watch)
        await watch.scan()
        assert named(await watch.news()) == ["credentials_rejected"]
        assert named(await look(watch, 151)) == ["stale"]
        jobs.status = 200
        watch.hands.pass_(minutes=15)
        await watch.services.store.sources.try_again("tax")
        await watch.scan()
        assert named(await watch.news()) == ["baselined", "recovered"]
        assert await look(watch) == []


async def test_what_is_told_while_a_scan_runs_is_closed_by_that_scan(redis: Redis, store_url: str) -> None:
    """A scan that takes longer than the limit makes the source stale, and ends it."""
    async with watching(store_url) as (watch, _):
        await look(watch)
        await watch.scan()
        await watch.news()
        begun, go = asyncio.Event(), asyncio.Event()
        source = watch.services.sources["tax"]

        class Slow:
            stats = source.runner.stats

            async def run(self, *args: Any) -> Any:
                begun.set()
                await go.wait()
                return await source.runner.run(*args)

        watch.hands.pass_(seconds=100)
        slow = dataclasses.replace(source, runner=Slow())
        scan = asyncio.create_task(watch.services.scanner.scan(slow, 100))
        await asyncio.wait_for(begun.wait(), 60)
        assert named(await look(watch, 100)) == ["stale"]
        go.set()
        await scan
        assert named(await watch.news()) == ["recovered"]


async def test_after_a_start_the_scans_get_time_to_catch_up(redis: Redis, store_url: str) -> None:
    """Data that went old while no worker ran is no news until a minute has passed without a good scan."""
    hands = Hands()
    async with watching(store_url, hands=hands) as (before, _):
        await before.scan()
    hands.pass_(hours=8)
    async with watching(store_url, hands=hands) as (watch, _):
        await watch.news()
        assert await look(watch) == []
        assert await look(watch, 59) == []
        assert named(await look(watch, 1)) == ["stale"]


async def test_a_disabled_source_is_never_stale_and_its_token_never_ends(redis: Redis, store_url: str) -> None:
    """Nobody waits for it."""
    hands = Hands()
    async with watching(store_url, hands=hands) as (before, _):
        await before.scan()
    async with watching(store_url, "enabled: false", hands, token(hands.at)) as (watch, _):
        await watch.news()
        assert await look(watch) == []
        assert await look(watch, 86_400) == []


async def test_each_rung_of_a_token_speaks_once(redis: Redis, store_url: str) -> None:
    """14, 7, 3 and 1 days before its end and then; of several missed only the tightest; a new token starts anew."""
    hands = Hands()
    ends = hands.at + timedelta(days=20)
    heard: list[str] = []
    async with watching(store_url, "stale_after: 99d", hands, token(ends)) as (watch, _):
        for _ in range(22 * 4):
            heard += [event["data"]["details"]["rung"] for event in await look(watch, 6 * 3600)]
    assert heard == ["14d", "7d", "3d", "1d", "expired"]

    key = token(hands.at + timedelta(days=2, hours=3))
    for expected in (["credentials_expiring"], []):
        async with watching(store_url, "stale_after: 99d", hands, key) as (again, _):
            await again.news()
            events = await look(again)
            assert named(events) == expected
            for event in events:
                assert event["data"]["details"]["rung"] == "3d"
                assert key not in json.dumps(event)
            marks = await again.services.store.db.run("SMEMBERS", "jobwire:drift:tax")
            assert marks
            assert key.encode() not in b"".join(marks)


async def test_a_token_that_says_no_end_is_never_told(redis: Redis, store_url: str) -> None:
    """Most API keys have no readable end."""
    async with watching(store_url) as (watch, _):
        assert await look(watch, 86_400) == []


async def test_a15_two_bad_scans_are_nothing_the_third_is_news_once_and_a_good_one_ends_it(
    redis: Redis, store_url: str
) -> None:
    """A15: a good scan in between starts the count anew; one good scan closes what was opened."""
    async with watching(store_url, "stale_after: 99d") as (watch, jobs):
        await watch.scan()
        await watch.news()
        heard = []
        for status in (400, 400, 200, 400, 400, 400, 400, 200, 200, 400, 400, 200):
            jobs.status = status
            watch.hands.pass_(seconds=60)
            await watch.scan()
            heard.append(named(await watch.news()))
        assert heard == [[], [], [], [], [], ["failing"], [], ["recovered"], [], [], [], []]
