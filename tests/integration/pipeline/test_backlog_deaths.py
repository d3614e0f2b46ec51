"""A worker dies while it tells a backlog: nothing is lost, and at the most one catch-up message comes twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest
import redis.asyncio
from redis.asyncio import Redis

from monitor.exchange import Exchange
from monitor.store.connect import pool_of
from monitor.store.db import Arg, Call, Db
from monitor.store.keys import Keys
from tests.chaos.dying import Died
from tests.integration.pipeline.backlogged import Channel, channel

T = TypeVar("T")

MANY = 30
"""More than are claimed and settled in one step."""


@dataclass
class Fate:
    """A worker that dies at the `nth` run of a script, before or after it took effect; as a door it opens the store."""

    script: str
    nth: int
    done: bool
    dead: bool = False
    runs: list[str] = field(default_factory=list)

    async def __call__(self, url: str, prefix: str) -> Db:
        return _Mortal(url, prefix, self)

    def die(self) -> None:
        self.dead = True
        raise Died


class _Mortal(Db):
    def __init__(self, url: str, prefix: str, fate: Fate) -> None:
        super().__init__(redis.asyncio.Redis(connection_pool=pool_of(url)), Keys(prefix))
        self.fate = fate

    async def run(self, command: str, *args: Arg) -> Any:
        self._alive()
        return await super().run(command, *args)

    async def run_all(self, commands: Sequence[Sequence[Arg]]) -> list[Any]:
        self._alive()
        return await super().run_all(commands)

    async def script(self, name: str, keys: Sequence[str], args: Sequence[Arg]) -> Any:
        self._alive()
        self.fate.runs.append(name)
        now = name == self.fate.script and self.fate.runs.count(name) == self.fate.nth
        reply = await super().script(name, keys, args) if self.fate.done or not now else None
        if now:
            self.fate.die()
        return reply

    async def scripts(self, calls: Sequence[Call]) -> list[Any]:
        return [await self.script(call.name, call.keys, call.args) for call in calls]

    def _alive(self) -> None:
        if self.fate.dead:
            raise Died


async def lapsed(here: Channel) -> None:
    """The leases of the dead have run out, and whoever lives goes on."""
    await here.wait(minutes=2)
    await here.deliver()


def catch_ups(here: Channel) -> list[str]:
    """The catch-up messages."""
    return [text for text in here.texts() if "Catch-up" in text]


@pytest.mark.parametrize(
    ("script", "nth", "done", "told"),
    [
        ("claim_lanes", 1, True, 1),
        ("claim_backlog", 1, False, 1),
        ("claim_backlog", 2, True, 1),
        ("settle", 1, False, 2),
        ("settle", 1, True, 1),
        ("settle", 2, True, 1),
        ("settle", 3, True, 1),
    ],
)
async def test_a_worker_that_dies_over_a_backlog_loses_nothing(
    redis: Redis, store_url: str, script: str, nth: int, done: bool, told: int
) -> None:
    """Before it has sent: one message. After it: two at the most, or the few that it had not settled by themselves."""
    async with channel(store_url) as here:
        ids = await here.opened(MANY)
        await here.over(minutes=10)
        with suppress(Died):
            async with channel(store_url, others=here, door=Fate(script, nth, done)) as dying:
                await dying.deliver()
        await lapsed(here)
        assert len(catch_ups(here)) == told
        assert {(one.event, one.status) for one in await here.deliveries()} == {(id, "delivered") for id in ids}
        assert await here.pending() == 0
        singles = len(here.texts()) - len(catch_ups(here))
        assert singles == (MANY - 25 if (script, nth, done) == ("settle", 1, True) else 0)
        await here.pass_(minutes=30)
        assert len(here.texts()) == told + singles


@dataclass
class Stuck:
    """A way to the receiver that takes for ever."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, _: Exchange[T]) -> T:
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody ever answers")


async def test_a_worker_that_is_stopped_hands_its_groups_back_at_once(redis: Redis, store_url: str) -> None:
    """SIGTERM while Slack takes its time: no lease has to run out."""
    async with channel(store_url) as here:
        await here.opened(MANY)
        await here.over(minutes=10)
        async with channel(store_url, others=here) as other:
            stuck = Stuck()
            runtime = replace(other.services.targets["chat"], sender=stuck)
            sending = asyncio.create_task(other.services.consumer.deliverer.deliver(runtime))
            await stuck.asked.wait()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        await here.deliver()
        assert len(catch_ups(here)) == 1
        assert await here.pending() == 0
