"""The store itself is killed and comes back from what it wrote: nothing that it had answered is lost, all goes on."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from monitor.embedded import EmbeddedStore
from tests import stores
from tests.chaos.dying import Fall, Trouble
from tests.chaos.worlds import Story, arrived, everything_arrives, mutate, work, world
from tests.installation import installed


@dataclass(slots=True)
class Mortal:
    """A store of its own that can be killed, and a client of it."""

    store: EmbeddedStore
    redis: Redis
    falls: int = 0

    async def restart(self) -> None:
        """SIGKILL, and a new server on the same files."""
        await self.kill()
        await self.store.start()

    async def kill(self) -> None:
        self.falls += 1
        os.kill(self.store.pid or 0, signal.SIGKILL)
        await self.store.wait_exit()


@asynccontextmanager
async def mortal() -> AsyncIterator[Mortal]:
    """A running store on files of its own."""
    with stores.short_directory() as directory:
        async with EmbeddedStore(directory / "store") as store:
            # For what the test itself does meanwhile.
            patient = Retry(ConstantBackoff(0.05), 600)
            redis = Redis.from_url(store.url, retry=patient, retry_on_error=[RedisConnectionError])
            try:
                yield Mortal(store, redis)
            finally:
                await redis.aclose()


async def falls(story: Story, store: Mortal, *, done: bool, stride: int, begin: int = 1) -> int:
    """A life for each command in turn (or every so many) at which the store falls; how many there were."""
    expected = await story.undisturbed()
    for number, at in enumerate(itertools.count(begin, stride)):
        trouble: Trouble = Fall(at, store.restart, done=done)
        life = await story.live(trouble)
        if not trouble.happened:
            return number
        assert life.told == expected, f"the store fell at command {at}"
    raise AssertionError("no life has an end")


@pytest.mark.parametrize("done", [False, True], ids=["between", "unanswered"])
async def test_a_store_that_falls_at_any_command_loses_nothing(done: bool) -> None:
    """P20, W25: killed between two commands or before it could answer one, it comes back with all it had answered."""
    async with mortal() as store:
        for baseline in (False, True):
            story = Story(store.redis, store.store.url, baseline=baseline)
            assert await falls(story, store, done=done, stride=12, begin=2 + done + baseline) >= 2
        assert store.falls >= 4


@pytest.mark.chaos
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("done", [False, True], ids=["between", "unanswered"])
async def test_a_store_that_falls_at_every_command_loses_nothing(done: bool) -> None:
    """P20: the same at each in turn."""
    async with mortal() as store:
        for baseline in (False, True):
            story = Story(store.redis, store.store.url, baseline=baseline)
            assert await falls(story, store, done=done, stride=1) >= 30


async def test_a_worker_at_work_outlives_its_store() -> None:
    """P20, W25: scans and the resident consumer run, the store is killed under both; then everything is told once."""
    async with mortal() as store, world(sick=True) as scene, installed(store.store.url, scene.config) as watch:
        await work(watch, store.redis)
        mutate(scene.rows)
        running = asyncio.create_task(watch.services.consumer.run())
        for moment in range(3):
            scene.rows[0]["total_amount"] = 1000 + moment
            scanning = asyncio.create_task(watch.scan())
            for _ in range(40 * moment):
                await asyncio.sleep(0)
            await store.kill()
            await asyncio.gather(scanning, return_exceptions=True)
            await store.store.start()
            await store.redis.delete("jobwire:lease:tax")
            assert (await watch.scan()).reason is None
        told = await everything_arrives(scene, watch, store.redis)
        watch.services.stopping.set()
        await running
        await arrived(scene, told, store.redis)
    changed = [fact for fact in told if fact[1] == "job/j0" and fact[0] != "worklayer.job.removed"]
    assert [fact[2] for fact in sorted(changed, key=lambda fact: fact[2])] == [2, 3, 4]
