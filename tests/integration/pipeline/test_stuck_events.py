"""States that last too long, through scans, store and ring: once a stay, by the stamp, by the config of now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from tests.installation import Hands, Installation, installed, listing

NINE = datetime(2025, 11, 20, 9, 0, tzinfo=UTC)
FOUR_HOURS = "stuck: [{type: worklayer.job, state: UNCLAIMED, for: 4h}]\n"


def job(state: str = "UNCLAIMED", stamp: str = "2025-11-20T08:00:00Z", **fields: Any) -> dict[str, Any]:
    """A job at Worklayer."""
    return {"id": "j1", "name": "1040", "status": state, "update_time": stamp, **fields}


@asynccontextmanager
async def watching(store_url: str, url: str, stuck: str, hands: Hands) -> AsyncIterator[Installation]:
    """An installation with one Worklayer source under these rules."""
    config = f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t}}}}\n{stuck}'
    async with installed(store_url, config, hands) as watch:
        watch.slots = int(hands.at.timestamp())
        yield watch
        hands.pass_(minutes=1)


async def ringing(watch: Installation) -> list[dict[str, Any]]:
    """The `stuck` events of a ring at this moment."""
    await watch.services.consumer.ringer.ring()
    return [event for event in await watch.news() if event["type"].endswith(".stuck")]


async def test_a_job_that_nobody_claims_is_told_once(redis: Redis, store_url: str) -> None:
    """Four hours after the provider says that it came to this; a claim ends it, and a return counts anew."""
    body = {"data": [job()], "next_page_token": ""}
    hands = Hands(NINE)
    async with listing(body) as (url, _), watching(store_url, url, FOUR_HOURS, hands) as watch:
        await watch.scan()
        assert await ringing(watch) == []
        hands.at = datetime(2025, 11, 20, 11, 59, 59, tzinfo=UTC)
        assert await ringing(watch) == []
        hands.pass_(seconds=1)
        (event,) = await ringing(watch)
        assert event["type"] == "worklayer.job.stuck"
        assert event["data"]["details"] == {"since": "2025-11-20T08:00:00.000Z"}
        assert event["data"]["deadline"]["late"] == "0s"
        assert await ringing(watch) == []

        for state, stamp in (("CLAIMED", "12:30"), ("UNCLAIMED", "13:00")):
            body["data"] = [job(state, f"2025-11-20T{stamp}:00Z")]
            hands.pass_(hours=1)
            await watch.scan()
        assert await redis.zcard("jobwire:deadlines") == 1
        hands.at = datetime(2025, 11, 20, 17, 0, tzinfo=UTC)
        assert len(await ringing(watch)) == 1


async def test_another_config_arms_and_disarms(redis: Redis, store_url: str) -> None:
    """A rule that comes later speaks at once with how late it is; one that is taken away is silent."""
    hands = Hands(NINE)
    async with listing({"data": [job()], "next_page_token": ""}) as (url, _):
        async with watching(store_url, url, "", hands) as watch:
            await watch.scan()
            assert await redis.zcard("jobwire:deadlines") == 0
        hands.pass_(hours=12)
        async with watching(store_url, url, FOUR_HOURS, hands) as watch:
            await watch.scan()
            assert await redis.zcard("jobwire:deadlines") == 1
        async with watching(store_url, url, "", hands) as watch:
            assert (await watch.scan()).tally.changed == 1
            assert await ringing(watch) == []
            assert await redis.zcard("jobwire:deadlines") == 0
        async with watching(store_url, url, FOUR_HOURS, hands) as watch:
            await watch.scan()
            (event,) = await ringing(watch)
            assert event["data"]["deadline"]["late"] == "9h"


async def test_progress_that_nobody_tracks_starts_the_time_anew(redis: Redis, store_url: str) -> None:
    """Its change is no event, and counts all the same."""
    rules = "stuck: [{type: worklayer.job, state: UNCLAIMED, for: 1h, unless_changed: [progress]}]\n"
    body = {"data": [job(progress=1)], "next_page_token": ""}
    hands = Hands(NINE)
    async with listing(body) as (url, _), watching(store_url, url, rules, hands) as watch:
        await watch.scan()
        assert len(await ringing(watch)) == 1
        for minute in range(2, 6):
            hands.pass_(minutes=30)
            body["data"] = [job(progress=minute)]
            await watch.scan()
            assert await ringing(watch) == []
        hands.pass_(minutes=59)
        assert await ringing(watch) == []
        hands.pass_(minutes=1)
        (event,) = await ringing(watch)
        assert event["data"]["details"] == {"since": "2025-11-20T11:00:00.000Z"}
