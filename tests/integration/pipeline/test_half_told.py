"""A message to Slack of which a part arrived: what did arrive is not posted again."""

from __future__ import annotations

from dataclasses import replace

from redis.asyncio import Redis

from monitor.simulator import Reply
from monitor.targets import TARGETS
from tests.integration.pipeline.room import Room, room

ROUTES = "routes: [{to: [chat], group_by: [source], group_wait: 10s, group_interval: 60s}]"


def by_token(here: Room) -> None:
    """Let the target `chat` speak by a bot token, which edits and replies."""
    targets = here.services.targets
    assert isinstance(targets, dict)
    plugin = TARGETS["slack"]
    given = {"type": "slack", "token": "xoxb-1", "channel": "C1", "api_url": here.slack.api_url, "retry": ["1s", "1s"]}
    options = plugin.options.model_validate(given)
    targets["chat"] = replace(targets["chat"], options=options, target=plugin.build("chat", options))


async def test_a_group_whose_first_reply_is_refused_is_posted_once(redis: Redis, store_url: str) -> None:
    """The second attempt brings the reply, and the message of the group goes on to be the one that was posted."""
    async with room(store_url, ROUTES) as here:
        by_token(here)
        here.slack.script([Reply(), {"status": 500}])
        await here.tell("failed", "1")
        await here.tell("created", "2")
        await here.pass_(seconds=11)
        assert [one.thread_ts for one in here.slack.messages] == [None]

        for _ in range(3):
            await here.pass_(seconds=30)
        posted = here.slack.messages[0]
        assert [one.thread_ts for one in here.slack.messages] == [None, posted.ts]

        await here.tell("completed", "1")
        await here.pass_(seconds=61)
        await here.pass_(seconds=61)
        assert [one.ts for one in here.slack.messages if one.thread_ts is None] == [posted.ts]
        assert "Resolved" in here.slack.messages[0].text
