"""What a group says, and when: opened together, later, repeated, ended, through silences and restarts."""

from __future__ import annotations

from redis.asyncio import Redis

from monitor.grouping.message import News, Reason
from tests.integration.pipeline.room import room


async def test_what_opens_within_group_wait_is_one_message_and_later_news_waits_for_the_tick(
    redis: Redis, store_url: str
) -> None:
    """A2: two events of a group inside group_wait give one message naming both; a third comes at the next interval."""
    async with room(store_url) as here:
        await here.tell("failed", "1")
        await here.pass_(seconds=4)
        await here.tell("failed", "2")
        await here.pass_(seconds=5)
        assert here.of() == []
        await here.pass_(seconds=1.5)
        assert here.reasons() == [Reason.FIRST]
        assert {one.condition.key for one in here.last().members} == {"tax/job/1", "tax/job/2"}
        await here.tell("failed", "3")
        await here.pass_(seconds=50)
        assert len(here.of()) == 1
        await here.pass_(seconds=10)
        assert here.reasons() == [Reason.FIRST, Reason.CHANGED]
        assert [one.news for one in here.last().members] == [News.SAME, News.SAME, News.NEW]
        assert len(here.slack.messages) == 2


async def test_what_is_over_within_group_wait_is_never_told(redis: Redis, store_url: str) -> None:
    """A3: neither that it began nor that it ended; both deliveries say why."""
    async with room(store_url) as here:
        began = await here.news("failing")
        await here.pass_(seconds=5)
        ended = await here.news("recovered")
        await here.pass_(seconds=6)
        await here.pass_(hours=2)
        assert here.of() == []
        for event in (began, ended):
            assert await here.reason_of("chat", event) == ("suppressed", "over before it was told")


async def test_what_stays_so_is_told_again_on_a_tick_never_earlier(redis: Redis, store_url: str) -> None:
    """A4: after repeat_interval, at the next tick, and again after that."""
    async with room(store_url) as here:
        await here.tell("failed")
        await here.pass_(seconds=11)
        await here.pass_(minutes=59)
        assert len(here.of()) == 1
        await here.pass_(minutes=1)
        assert here.reasons() == [Reason.FIRST, Reason.REPEAT]
        await here.pass_(minutes=59)
        assert len(here.of()) == 2
        await here.pass_(minutes=1)
        assert here.reasons()[2:] == [Reason.REPEAT]
