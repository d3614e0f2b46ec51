"""Work under a lease: long work keeps it, and what fails in here again and again is set aside with its content."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import Any

from redis.asyncio import Redis

from monitor.exchange import Exchange
from monitor.store.db import Db, texts
from monitor.store.replay import Again, Replays
from monitor.targets.base import Message, Outcome, Target
from tests.chaos.worlds import work, world
from tests.installation import Installation, installed
from tests.servers import talking
from tests.stores import PATIENCE

LEASE_MS = 6_000


async def test_a_scan_longer_than_its_lease_is_made_once(redis: Redis, store_url: str) -> None:
    """W13: the lease moves on while its worker lives, so nobody else begins the same scan."""
    async with world() as scene, installed(store_url, scene.config) as watch:
        scene.gate = asyncio.Event()
        scanner = dataclasses.replace(watch.services.scanner, lease_ms=LEASE_MS)
        scanning = asyncio.create_task(scanner.scan(watch.services.sources["tax"], 1))
        await asyncio.wait_for(scene.asleep.wait(), PATIENCE)
        db = watch.services.store.db
        first = await ends(db)
        async with asyncio.timeout(PATIENCE):
            while await ends(db) <= first:
                await asyncio.sleep(0.05)
        watch.slots = 5
        assert (await watch.scan()).refused == "running"
        scene.gate.set()

        assert (await scanning).reason is None


async def ends(db: Db) -> int:
    """When the lease of the source would lapse (ms); PEXPIRETIME is of Redis 7.0."""
    return int(await db.run("PEXPIRETIME", "jobwire:lease:tax"))


async def test_an_attempt_is_over_before_its_lease_is(redis: Redis, store_url: str) -> None:
    """W13: a receiver that never answers is given up while the lane is still ours, so nobody sends beside us."""
    heard = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set()
        await reader.read()

    async with world() as scene, talking(hang) as scene.hook:
        scene.options = ", timeout: 3s, concurrency: 20"
        async with installed(store_url, scene.config) as watch:
            delivering = asyncio.create_task(work(watch, redis))
            await asyncio.wait_for(heard.wait(), PATIENCE)
            lanes = watch.services.store.lanes
            leases = dict(await redis.zrange("jobwire:lanes:hook", 0, -1, withscores=True))
            assert await lanes.claim("hook", lease_ms=1000, limit=20, take=1) == []
            async with asyncio.timeout(PATIENCE):
                while dict(await redis.zrange("jobwire:lanes:hook", 0, -1, withscores=True)) == leases:
                    await asyncio.sleep(0.05)
            assert await watch.services.store.db.now_ms() < min(leases.values())
            delivering.cancel()
            await asyncio.gather(delivering, return_exceptions=True)


class Broken:
    """A target with a fault of ours in it: no message of one job can be made."""

    def __init__(self, target: Target, poison: bytes) -> None:
        self.inner = target
        self.grouped = target.grouped
        self.poison = poison

    def address(self) -> str:
        return self.inner.address()

    def send(self, message: Message) -> Exchange[Outcome]:
        if self.poison in message.events[0]:
            raise LookupError("a fault of ours")
        return (yield from self.inner.send(message))


async def test_what_fails_in_here_again_and_again_is_set_aside_whole(redis: Redis, store_url: str) -> None:
    """W14: after its last attempt it waits with its content among the failed, later ones of its lane go on, and once
    the fault is mended it can be sent again."""
    async with world() as scene:
        scene.options = ", retry: [1s, 1s]"
        async with installed(store_url, scene.config) as watch:
            await work(watch, redis)
            for round_ in (1, 2):
                scene.rows[0]["total_amount"] = 1000 + round_
                await watch.scan()
            await watch.services.consumer.relay.relay()
            good, services = watch.services.targets["hook"], watch.services
            broken = dataclasses.replace(good, target=Broken(good.target, b'"after":1001'))
            for _ in range(3):
                assert not any(b'"after":100' in body for _, body in scene.got)
                await make_due(redis)
                await services.consumer.deliverer.deliver(broken)
            await services.consumer.deliverer.deliver(broken)

            (aside,) = [name.decode() for name in await redis.zrange("jobwire:failed:hook", 0, -1)]
            assert [b'"after":1002' in body for _, body in scene.got][-1]
            told = {event["id"]: event for event in await everything(watch)}
            row = texts(await services.store.db.run("HGETALL", f"jobwire:delivery:{aside}"))
            tries = json.loads(f"[{row['attempts']}]")
            assert [(one["n"], one["error"]) for one in tries] == [
                (n, "internal error: LookupError") for n in (1, 2, 3)
            ]
            assert told[row["event"]]["data"]["changes"][0]["after"] == 1001

            before = len(scene.got)
            assert await Replays(services.store.db).replay("hook", [Again(aside)]) == ["queued"]
            await services.consumer.deliverer.deliver(good)
            assert [b'"after":1001' in body for _, body in scene.got[before:]] == [True]


async def make_due(redis: Redis) -> None:
    """Time passes: what waits for its next attempt is due."""
    for lane in await redis.zrange("jobwire:lanes:hook", 0, -1):
        await redis.zadd("jobwire:lanes:hook", {lane: 0})


async def everything(watch: Installation) -> list[dict[str, Any]]:
    """The event log from its beginning."""
    watch.place = "0-0"
    return await watch.news()
