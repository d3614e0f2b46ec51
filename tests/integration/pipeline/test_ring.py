"""The ring itself: many at once, nobody twice, nothing to pay while nothing is due, and no one entry that stops it."""

from __future__ import annotations

import asyncio
from collections import Counter
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.asyncio import Redis

from monitor.moments import to_millis
from monitor.pipeline.ring import BATCH, Ringer
from monitor.pipeline.source import Source
from monitor.store.deadlines import Armed
from monitor.vocabulary import Vocabulary
from tests.installation import Hands, installed, listing

NINE = datetime(2025, 11, 20, 9, 0, tzinfo=UTC)


def config(url: str) -> str:
    """One Worklayer source."""
    return f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t}}}}\n'


def jobs(count: int, due: datetime) -> dict[str, Any]:
    """So many jobs in one page that are due within a minute of each other."""
    rows = [
        {"id": f"j{n}", "status": "CLAIMED", "deadline_time": (due + timedelta(seconds=n % 60)).isoformat()}
        for n in range(count)
    ]
    return {"data": rows, "next_page_token": ""}


async def test_more_than_a_batch_that_falls_due_in_one_minute_is_rung_to_the_end_each_once(
    redis: Redis, store_url: str
) -> None:
    """By two workers at once."""
    size, hands = 2 * BATCH + 100, Hands(NINE)
    due = NINE + timedelta(days=5)
    async with listing(jobs(size, due)) as (url, _), installed(store_url, config(url), hands) as watch:
        await watch.scan()
        await watch.news()
        hands.at = due - timedelta(hours=72) + timedelta(minutes=1)
        ringer = watch.services.consumer.ringer

        async def ring() -> None:
            while await ringer.ring():
                pass

        await asyncio.gather(ring(), ring())
        told = Counter(event["subject"] for event in await watch.news())

    assert len(told) == size
    assert set(told.values()) == {1}
    assert await redis.zcard("jobwire:deadlines") == size


async def test_what_is_armed_costs_one_command_a_look_until_it_is_due(redis: Redis, store_url: str) -> None:
    """However many there are: nothing of them is read."""
    body = jobs(500, NINE + timedelta(days=5))
    async with listing(body) as (url, _), installed(store_url, config(url), Hands(NINE)) as watch:
        await watch.scan()
        before = await calls(redis)
        for _ in range(20):
            assert await watch.services.consumer.ringer.ring() == 0
        assert await calls(redis) - before == {"cmdstat_zrangebyscore": 20}


async def calls(redis: Redis) -> Counter[str]:
    """How often each command was called, this question aside."""
    stats = await redis.info("commandstats")
    return Counter({name: int(one["calls"]) for name, one in stats.items() if name != "cmdstat_info"})


async def test_one_item_that_cannot_be_told_holds_up_no_other(redis: Redis, store_url: str) -> None:
    """It is looked at again a quarter of an hour later."""
    hands, due = Hands(NINE), NINE + timedelta(days=5)
    async with listing(jobs(2, due)) as (url, _), installed(store_url, config(url), hands) as watch:
        await watch.scan()
        await watch.news()
        hands.at = due - timedelta(hours=71)
        ringer = watch.services.consumer.ringer
        broken = replace(ringer, sources={"tax": broken_for("job/j0", ringer)})
        await broken.ring()
        assert [event["subject"] for event in await watch.news()] == ["job/j1"]
        member = Armed("tax", "j0", "job/j0", "worklayer.job.deadline_approaching").member
        assert await redis.zscore("jobwire:deadlines", member) == to_millis(hands.at + timedelta(minutes=15))
        hands.pass_(minutes=15)
        await ringer.ring()
        assert [event["subject"] for event in await watch.news()] == ["job/j0"]


def broken_for(ref: str, ringer: Ringer) -> Source:
    """The source with a rule that fails at one of its jobs, as a fault of ours would."""
    source = ringer.sources["tax"]
    kind = source.provider.vocabulary.kinds["job"]
    seen: list[None] = []

    def alive(_state: str | None) -> bool:
        seen.append(None)
        if len(seen) == 1:
            raise ZeroDivisionError(ref)
        return True

    rule = replace(kind.deadlines[0], alive=alive)
    vocabulary: Vocabulary = replace(source.provider.vocabulary, kinds={"job": replace(kind, deadlines=(rule,))})
    provider = copy(source.provider)
    provider.vocabulary = vocabulary
    return replace(source, provider=provider)


async def test_deadlines_of_a_source_that_is_not_configured_wait(redis: Redis, store_url: str) -> None:
    """And are told when it is again."""
    hands, due = Hands(NINE), NINE + timedelta(days=5)
    async with listing(jobs(1, due)) as (url, _), installed(store_url, config(url), hands) as watch:
        await watch.scan()
        await watch.news()
        hands.at = due - timedelta(hours=72)
        ringer = watch.services.consumer.ringer
        await replace(ringer, sources={}).ring()
        assert await ringer.ring() == 0
        hands.pass_(hours=1)
        await ringer.ring()
        (event,) = await watch.news()
        assert event["data"]["deadline"]["late"] == "1h"
