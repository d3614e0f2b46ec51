"""A Slack channel behind which hundreds of groups wait, and a webhook beside it: pauses end when a test says so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from monitor.bootstrap import Door
from monitor.simulator import Receiver, Reply, SlackLookalike
from monitor.simulator.slack_messages import SlackMessage
from monitor.store.connect import connect
from monitor.store.lanes import delivery_id
from tests.installation import SECRET, Hands, installed
from tests.integration.pipeline.room import Room

ROUTES = (
    "routes: [{match: {type: ['*.*.failed', '*.*.claimed']}, to: [chat, hook],"
    " group_by: [...], group_wait: 0s, group_interval: 60s}]"
)
PAUSE = Reply(status=429, headers={"Retry-After": "600"})
TOKEN = "token: xoxb-1, channel: C1"


@dataclass
class Channel(Room):
    """A room whose first target is Slack itself, by bot token unless a test says otherwise."""

    async def opened(self, count: int, first: int = 0) -> list[str]:
        """So many jobs fail, one after the other, each a group of its own; the ids of the events."""
        ids = []
        for number in range(first, first + count):
            self.hands.pass_(milliseconds=1)
            ids.append(await self.tell("failed", str(number)))
        await self.services.consumer.relay.relay()
        return ids

    async def in_order(self, events: Sequence[str]) -> None:
        """Their groups became due one after the other, and not in the same millisecond."""
        db = self.services.store.db
        now = await db.now_ms()
        for place, event in enumerate(events):
            lane = await db.run("HGET", db.keys.delivery(delivery_id("chat", event)), "lane")
            await db.run("ZADD", db.keys.lanes("chat"), now - 1000 + place, lane)

    def parents(self) -> list[SlackMessage]:
        """The messages in the channel that are no replies."""
        return [one for one in self.slack.messages if one.thread_ts is None]

    async def deliver(self, target: str = "chat") -> int:
        """Send what is due now at one target; how many attempts were made."""
        return await self.services.consumer.deliverer.deliver(self.services.targets[target])

    async def paused(self) -> None:
        """Slack asks for a pause at the next request, and everything that is due waits for it."""
        self.slack.script([], then=PAUSE)
        await self.deliver()
        self.slack.script([])

    async def over(self, minutes: float = 10) -> None:
        """The pause is over: so much later."""
        db = self.services.store.db
        await self.wait(minutes=minutes)
        await db.run("DEL", db.keys.hold("chat"), *await db.run("KEYS", db.keys.budget("*")))
        if await db.run("HGET", db.keys.target("chat"), "back"):
            await db.run("HSET", db.keys.target("chat"), "back", await db.now_ms())
        for id in await db.run("ZRANGE", db.keys.pending("chat"), 0, -1):
            await db.run("HINCRBY", db.keys.delivery(id.decode()), "made", -round(minutes * 60_000))
        for id in await db.run("ZRANGE", db.keys.pending("chat"), 0, -1):
            if await db.run("HGET", db.keys.delivery(id.decode()), "next"):
                await db.run("HINCRBY", db.keys.delivery(id.decode()), "next", -round(minutes * 60_000))

    def texts(self) -> list[str]:
        """The line of each message in the channel."""
        return [one.text for one in self.slack.messages]

    async def pending(self, target: str = "chat") -> int:
        """How many deliveries of a target wait."""
        db = self.services.store.db
        return int(await db.run("ZCARD", db.keys.pending(target)))


@asynccontextmanager
async def channel(
    store_url: str,
    *,
    chat: str = TOKEN,
    routes: str = ROUTES,
    door: Door = connect,
    others: Channel | None = None,
) -> AsyncIterator[Channel]:
    """An installation whose targets are a Slack channel, or what `chat` says else, and a webhook.

    `others` has them already.
    """
    hands = others.hands if others else Hands()
    async with AsyncExitStack() as stack:
        slack = others.slack if others else await stack.enter_async_context(SlackLookalike())
        receiver = Receiver([SECRET], clock=lambda: hands.now().timestamp())
        hook = others.hook if others else await stack.enter_async_context(receiver)
        way = chat.replace("WEBHOOK", slack.webhook_url).replace("HOOK", hook.url)
        if "type:" not in way:
            way = f'type: slack, {way}, api_url: "{slack.api_url}", rate: 1000'
        config = (
            'sources: {tax: {provider: devrev, base_url: "http://127.0.0.1:9", token: t}}\n'
            "targets:\n"
            f"  chat: {{{way}, retry: [1s, 1s, 1s]}}\n"
            f'  hook: {{type: webhook, url: "{hook.url}", secret: "{SECRET}", retry: [1s]}}\n'
            f"egress: {{allow: [127.0.0.0/8]}}\n{routes}\n"
        )
        watch = await stack.enter_async_context(installed(store_url, config, hands, door))
        yield Channel(watch.services, watch.hands, slack, hook, {})
