"""Silences, intervals and explanations keep messages back: never state, never that something is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from monitor.errors import UsageError
from monitor.grouping.message import News, Reason
from monitor.silences import Silence, parse_matcher
from tests.installation import Hands
from tests.integration.pipeline.room import Room, room

BOTH = "routes: [{to: [chat, hook], group_by: [source], group_wait: 10s, group_interval: 60s, repeat_interval: 4h}]"
NIGHTS = """
intervals: {nights: [{times: [{start_time: "22:00", end_time: "24:00"}, {start_time: "00:00", end_time: "06:00"}],
  location: Europe/London}]}
routes: [{to: [chat, hook], group_wait: 10s, group_interval: 60s, mute: [nights]}]
"""


async def silence(here: Room, *matchers: str, **lasts: float) -> Silence:
    """A silence that begins now."""
    now = here.hands.now()
    return await here.services.attention.silence(
        [parse_matcher(one) for one in matchers],
        starts_at=now,
        ends_at=now + timedelta(**(lasts or {"hours": 2})),
        by="ann",
        comment="being looked at",
    )


async def test_the_end_of_a_silence_tells_what_is_still_so_within_a_tick(redis: Redis, store_url: str) -> None:
    """A12: whatever repeat_interval says, whether it ends by itself or by hand; the webhook gets its event then too."""
    async with room(store_url, BOTH) as here:
        quiet = await silence(here, "type=*.job.failed", "source=tax")
        event = await here.tell("failed")
        await here.pass_(minutes=30)
        assert (here.of(), here.of("hook")) == ([], [])
        assert await here.reason_of("hook", event) == ("suppressed", f"silence {quiet.id}")
        assert await here.reason_of("chat", event) == ("suppressed", f"silence {quiet.id}")
        await here.pass_(minutes=91)
        assert here.reasons() == [Reason.SILENCE_ENDED]
        assert [one.id for one in here.of("hook")] == [event]
        assert (await here.reason_of("hook", event))[0] == "delivered"
        again = await silence(here, "key=tax/job/*")
        await here.pass_(minutes=10)
        assert len(here.of()) == 1
        await here.services.attention.unsilence(again.id)
        await here.turn()
        assert here.reasons() == [Reason.SILENCE_ENDED, Reason.SILENCE_ENDED]
        assert len(here.of("hook")) == 1


async def test_what_began_again_after_it_ended_in_silence_is_told(redis: Redis, store_url: str) -> None:
    """A13: told, silenced, over under the silence, the silence ends, it begins again: a message is sent."""
    async with room(store_url, BOTH) as here:
        await here.tell("failed")
        await here.pass_(seconds=11)
        await silence(here, "source=tax", minutes=30)
        await here.tell("queued")
        await here.pass_(minutes=31)
        assert here.reasons() == [Reason.FIRST, Reason.ALL_RESOLVED]
        await here.tell("failed")
        await here.pass_(minutes=2)
        assert here.reasons()[2:] == [Reason.FIRST]


async def test_a_close_passes_silences_and_intervals(redis: Redis, store_url: str) -> None:
    """A14: what was told as open is told as over, in the group and to the webhook, though both are kept quiet."""
    async with room(store_url, NIGHTS, hands=Hands(datetime(2026, 1, 5, 21, 50, tzinfo=UTC))) as here:
        await here.tell("failed")
        await here.pass_(seconds=11)
        await silence(here, "source=*")
        await here.pass_(minutes=20)
        closing = await here.tell("queued")
        await here.pass_(minutes=2)
        assert here.reasons() == [Reason.FIRST, Reason.ALL_RESOLVED]
        assert closing in [one.id for one in here.of("hook")]


async def test_a_route_is_mute_in_its_intervals_and_tells_afterwards_what_is_still_so(
    redis: Redis, store_url: str
) -> None:
    """Occurrences of that time are recorded as kept back by the interval; at six o'clock the open one is told."""
    async with room(store_url, NIGHTS, hands=Hands(datetime(2026, 1, 5, 22, 0, tzinfo=UTC))) as here:
        started = await here.tell("in_progress", "2")
        event = await here.tell("failed")
        await here.pass_(hours=7, minutes=59)
        assert (here.of(), here.of("hook")) == ([], [])
        assert await here.reason_of("chat", started) == ("suppressed", "interval nights")
        assert await here.reason_of("hook", started) == ("suppressed", "interval nights")
        await here.pass_(minutes=2)
        assert here.reasons() == [Reason.SILENCE_ENDED]
        assert [one.id for one in here.of("hook")] == [event]


async def test_trouble_of_a_source_explains_its_stuck_jobs_and_no_others(redis: Redis, store_url: str) -> None:
    """A11: while the source fails, its stuck jobs stay quiet; other sources' do not; once it is well they are told."""
    routes = "routes: [{to: [chat], group_by: [key], group_wait: 0s, group_interval: 60s}]"
    async with room(store_url, routes) as here:
        await here.news("failing")
        await here.turn()
        await here.tell("stuck", "1", state="in_progress")
        await here.tell("stuck", "2", state="in_progress", source="other")
        await here.pass_(seconds=1)
        assert sorted(here.about()) == ["other/job/2", "source/tax"]
        await here.news("recovered")
        await here.pass_(minutes=2)
        assert here.about()[2:] == ["source/tax", "tax/job/1"]


async def test_a_silence_until_it_changes_ends_for_what_gets_worse(redis: Redis, store_url: str) -> None:
    """Everything else stays quiet until the silence itself ends."""
    async with room(store_url) as here:
        await here.tell("failed", "1")
        await here.tell("failed", "2")
        await here.pass_(seconds=11)
        now = here.hands.now()
        await here.services.attention.silence(
            [parse_matcher("source=tax")], starts_at=now, ends_at=now + timedelta(days=9), by="ann", comment="known",
            until_change=True,
        )  # fmt: skip
        await here.pass_(hours=5)
        assert len(here.of()) == 1
        await here.tell("failed", "2")
        await here.pass_(minutes=2)
        assert [
            (one.condition.key, one.silenced_by is None) for one in here.last().members if one.news is not News.SAME
        ] == [("tax/job/2", True)]


async def test_a_silence_needs_matchers_a_reason_and_an_end_to_come(redis: Redis, store_url: str) -> None:
    """What could never count, or would count for everything, is refused in words."""
    async with room(store_url) as here:
        now = here.hands.now()
        later = now + timedelta(hours=1)
        for matchers, comment, ends_at in (([], "x", later), ([parse_matcher("key=a")], " ", later),
                                           ([parse_matcher("key=a")], "x", now)):  # fmt: skip
            with pytest.raises(UsageError):
                await here.services.attention.silence(
                    matchers, starts_at=now, ends_at=ends_at, by="ann", comment=comment
                )
