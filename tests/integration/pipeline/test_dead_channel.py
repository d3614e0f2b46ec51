"""A Slack channel that is no more: asked once, switched off, and people are told where they look."""

from __future__ import annotations

from redis.asyncio import Redis

from monitor.status import target_view
from tests.integration.pipeline.room import room

ROUTES = """
routes:
- {match: {type: "devrev.**"}, to: [chat], group_wait: 0s, group_interval: 1s}
- {match: {type: "jobwire.target.**"}, to: [hook]}
"""


async def test_a_dead_channel_gets_one_request_and_people_see_why(redis: Redis, store_url: str) -> None:
    """A18: the target is disabled, another hears of it, the word of Slack stands on the delivery, the rest waits."""
    async with room(store_url, ROUTES) as here:
        here.slack.script([{"status": 404, "body": "channel_not_found"}])
        event = await here.tell("failed", "1")
        await here.turn()
        waits = await here.tell("failed", "2")
        await here.pass_(hours=3)
        await here.pass_(hours=3)

        found = {one.event: one for one in await here.deliveries()}
        first, second = found[event], found[waits]
        assert (len(found), first.status, second.status) == (2, "failed", "pending")
        (attempt,) = first.attempts
        assert attempt.status == 404
        assert "channel_not_found" in (attempt.error or "")
        assert (second.attempts, here.slack.messages, here.of()) == ([], [], [])
        now_ms = await here.services.store.db.now_ms()
        assert (await target_view(here.services.store.reading, "chat", "slack", now_ms)).state == "disabled"
        assert "jobwire.target.disabled" in [one.type for one in here.hook.deliveries]
