"""Sending again over real HTTP: what the receiver sees of a replay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from monitor.bootstrap import replaying
from monitor.status import Replaying
from monitor.store.lanes import delivery_id
from monitor.store.reading import StoredDelivery
from tests.installation import SECRET, Installation, installed, listing
from tests.integration.pipeline.room import room
from tests.servers import served


@dataclass(slots=True)
class Receiver:
    """Keeps what it gets and answers as told, 204 unless it is; may hold one answer back."""

    answers: Iterator[int] = field(default_factory=lambda: iter(()))
    got: list[tuple[str, bytes]] = field(default_factory=list)
    holds: bool = False
    came: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        self.got.append((request.headers["webhook-id"], await request.read()))
        self.came.set()
        if self.holds:
            await self.let_go.wait()
        return web.Response(status=next(self.answers, 204), text="an answer")


@dataclass(slots=True)
class World:
    """One job whose status the test changes, and its one receiver."""

    watch: Installation
    receiver: Receiver
    again: Replaying
    job: dict[str, Any]

    async def becomes(self, status: str) -> str:
        """The job changes and is told; the id of its delivery."""
        self.job["status"] = status
        await self.watch.scan()
        await self.deliver()
        return delivery_id("hook", (await self.watch.services.store.log.last(1))[0].id)

    async def deliver(self) -> None:
        """What is due is sent."""
        await self.watch.services.consumer.relay.relay()
        await self.watch.services.consumer.deliverer.deliver(self.watch.services.targets["hook"])

    async def replay(self, id: str) -> str:
        """Replay one delivery and send what is due; the word that was said."""
        (found,) = await self.again.named([id])
        await self.deliver()
        return found.result

    async def stored(self, id: str) -> StoredDelivery:
        """A delivery as it is stored."""
        found = await self.watch.services.store.reading.delivery(id)
        assert found is not None
        return found


@asynccontextmanager
async def world(store_url: str, retry: str) -> AsyncIterator[World]:
    """An installation after its first look."""
    job: dict[str, Any] = {"id": "j", "status": "UNCLAIMED"}
    receiver = Receiver()
    async with listing(lambda _: {"data": [job], "next_page_token": ""}) as (url, _), served(receiver.answer) as hook:
        config = (
            f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t}}}}\n'
            f'targets: {{hook: {{type: webhook, url: "{hook}/in", secret: "{SECRET}", retry: {retry}}}}}\n'
            "egress: {allow: [127.0.0.0/8]}\n"
            'routes: [{match: {type: "worklayer.**"}, to: [hook]}]\n'
        )
        async with installed(store_url, config) as watch:
            await watch.scan()
            yield World(watch, receiver, replaying(watch.services), job)


async def test_w16_a_manual_retry_replaces_the_automatic_one(redis: Redis, store_url: str) -> None:
    """W16: no call at the old time, attempts count on, the same bytes and id; a second manual retry also runs."""
    async with world(store_url, "[1h, 1h]") as at:
        at.receiver.answers = iter([500])
        id = await at.becomes("CLAIMED")
        assert [one.n for one in (await at.stored(id)).attempts] == [1]
        assert (await at.stored(id)).next_ms is not None
        assert await at.replay(id) == "queued"
        assert len(at.receiver.got) == 2
        assert await redis.zcard("jobwire:lanes:hook") == 0, "nothing waits for the old time"
        assert await at.replay(id) == "queued"

        assert len(at.receiver.got) == 3
        assert len(set(at.receiver.got)) == 1, "the same bytes under the same id"
        assert [(one.n, one.status) for one in (await at.stored(id)).attempts] == [(1, 500), (2, 204), (3, 204)]


async def test_w16_the_budget_of_attempts_is_shared(redis: Redis, store_url: str) -> None:
    """W16: a replay in the middle of the schedule uses it up; after its end a replay is one attempt and no more."""
    async with world(store_url, "[1h]") as at:
        at.receiver.answers = iter([500, 500, 500])
        id = await at.becomes("CLAIMED")
        await at.replay(id)
        assert ((await at.stored(id)).status, len(at.receiver.got)) == ("failed", 2)
        await at.replay(id)

        assert ((await at.stored(id)).status, len(at.receiver.got)) == ("failed", 3)
        assert [one.n for one in (await at.stored(id)).attempts] == [1, 2, 3]
        assert await redis.zcard("jobwire:lanes:hook") == 0


async def test_w16_a_replay_of_what_is_in_flight_makes_no_second_call(redis: Redis, store_url: str) -> None:
    """W16: the attempt that is under way is the one that was asked for."""
    async with world(store_url, "[1h]") as at:
        at.receiver.holds = True
        telling = asyncio.create_task(at.becomes("CLAIMED"))
        await asyncio.wait_for(at.receiver.came.wait(), 20)
        (id,) = (one.decode() for one in await redis.zrange("jobwire:pending:hook", 0, -1))
        (found,) = await at.again.named([id])
        at.receiver.let_go.set()
        assert await telling == id
        await at.deliver()

        assert found.result == "waiting"
        assert len(at.receiver.got) == 1
        assert (await at.stored(id)).status == "delivered"


async def test_w2_an_attempt_is_listed_with_status_and_body(redis: Redis, store_url: str) -> None:
    """W2: a 500 with what the receiver answered, how long it took and which address it came from."""
    async with world(store_url, "[1h]") as at:
        at.receiver.answers = iter([500])
        (attempt,) = (await at.stored(await at.becomes("CLAIMED"))).attempts

        assert (attempt.n, attempt.status, attempt.response, attempt.address) == (1, 500, "an answer", "127.0.0.1")
        assert attempt.ms >= 0
        assert attempt.error is not None


async def test_w16_what_a_slack_channel_was_told_is_told_again_at_once(redis: Redis, store_url: str) -> None:
    """W16: also where its group stands and would look again at its next tick only, and after the group has ended."""
    async with room(store_url) as here:
        first = await here.tell("failed")
        await here.pass_(seconds=11)
        assert len(here.of()) == 1
        again = replaying(here.services)
        assert [one.result for one in await again.named([first])] == ["queued"]
        await here.pass_(seconds=2)
        assert len(here.of()) == 2, "within its interval, and long before it would be repeated"
        done = await here.tell("completed", "2")
        await here.pass_(minutes=3)
        before = len(here.of())
        assert [one.result for one in await again.named([done])] == ["queued"]
        await here.pass_(seconds=2)

        assert len(here.of()) == before + 1
        assert await redis.zcard("jobwire:pending:chat") == 0
