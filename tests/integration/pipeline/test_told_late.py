"""What opened and ended while a target was paused is told afterwards, as over; what nobody was owed is not."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from monitor.grouping.message import Reason
from monitor.simulator import Reply
from monitor.status import target_view
from tests.integration.pipeline.room import Room, room

PAUSE = Reply(status=429, headers={"Retry-After": "600"})
KEYS = "routes: [{match: {type: '*.*.failed'}, to: [chat], group_by: [key], group_wait: 10s}]"


async def paused(here: Room) -> None:
    """The channel asks for ten minutes of quiet."""
    here.slack.script([PAUSE])
    await here.tell("failed", "first")
    await here.pass_(seconds=11)
    store = here.services.store
    assert (await target_view(store.reading, "chat", "slack", await store.db.now_ms())).circuit == "open"


async def goes_on(here: Room) -> None:
    """The pause is over, which goes by the store's clock."""
    db = here.services.store.db
    await db.run("DEL", db.keys.hold("chat"))
    for budget in await db.run("KEYS", db.keys.budget("*")):
        await db.run("HDEL", budget, "paused")
    await here.pass_(minutes=11)


async def test_what_came_and_went_during_a_pause_is_told_as_over(redis: Redis, store_url: str) -> None:
    """It was open for minutes: the channel hears that it is over and how long it was."""
    async with room(store_url, KEYS) as here:
        await paused(here)
        began = await here.tell("failed", "7")
        await here.pass_(minutes=5)
        ended = await here.tell("completed", "7")
        await goes_on(here)
        (told,) = [one for one in here.of() if one.group and one.group.members[0].condition.key == "tax/job/7"]
        assert told.group is not None
        assert told.group.reason is Reason.ALL_RESOLVED
        (shown,) = [one for one in here.slack.messages if "Job 7" in one.text]
        assert "Resolved" in shown.text
        assert "Over after 5 min" in str(shown.payload)
        assert [(await here.reason_of("chat", event))[0] for event in (began, ended)] == ["delivered", "delivered"]
        await here.pass_(hours=5)
        assert len([one for one in here.slack.messages if "Job 7" in one.text]) == 1


@pytest.mark.parametrize("seconds", [5, 30])
async def test_what_was_over_before_it_would_have_been_told_stays_untold(
    redis: Redis, store_url: str, seconds: int
) -> None:
    """A3: within group_wait, and within the minute that a message may be late without being held back."""
    async with room(store_url, KEYS) as here:
        await paused(here)
        began = await here.tell("failed", "7")
        await here.pass_(seconds=seconds)
        await here.tell("completed", "7")
        await goes_on(here)
        assert not [one for one in here.slack.messages if "Job 7" in one.text]
        assert await here.reason_of("chat", began) == ("suppressed", "over before it was told")
