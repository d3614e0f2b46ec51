"""Many groups behind a paused channel are told in one catch-up message, few of them each by itself."""

from __future__ import annotations

from redis.asyncio import Redis

from tests.integration.pipeline.backlogged import channel


async def test_two_hundred_groups_behind_a_pause_are_one_message(redis: Redis, store_url: str) -> None:
    """It says how late and why, names the worst, counts the rest; nothing waits after it, and no group is told again."""
    async with channel(store_url) as here:
        await here.opened(200)
        await here.paused()
        assert here.texts() == []
        await here.over(minutes=10)
        await here.deliver()
        (text,) = here.texts()
        assert text == "🟠 Catch-up: 200 open, 200 events of 200 groups, up to 10 minutes late"
        assert await here.pending() == 0
        assert {one.status for one in await here.deliveries()} == {"delivered"}
        await here.pass_(minutes=30)
        assert len(here.texts()) == 1
