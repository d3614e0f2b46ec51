"""A small world for all troubles: one provider that changes, one receiver in two minds, and what must come of it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiohttp import web
from redis.asyncio import Redis

from monitor.bootstrap import Door
from monitor.errors import StoreUnavailable
from monitor.store.connect import connect
from tests.chaos.dying import Died, Trouble
from tests.installation import SECRET, Hands, Installation, installed
from tests.servers import served
from tests.stores import PATIENCE

Fact: TypeAlias = tuple[str, str, int, str, str]


def jobs(count: int) -> list[dict[str, Any]]:
    """Worklayer jobs, some with a deadline that is near."""
    return [
        {
            "id": f"j{n}",
            "status": "UNCLAIMED",
            "total_amount": n,
            "deadline_time": "2025-11-20T20:00:00Z" if n % 4 == 1 else None,
        }
        for n in range(count)
    ]


def mutate(rows: list[dict[str, Any]]) -> None:
    """What happens at the provider while the worker lives its last moments; nothing to what has a deadline.

    Of that a worker that is cut off in its scan and goes on with the ring may still tell what it knew.
    """
    rows[0]["status"] = "CLAIMED"
    rows[3].update(status="CLOSED", total_amount=900)
    rows[2]["name"] = "renamed"
    rows.append({"id": "new", "status": "UNDER_CONSTRUCTION"})
    del rows[4]


def truth(count: int, *, baseline: bool) -> list[tuple[str, str]]:
    """Type and subject of every event that so many jobs are worth, written down by hand and not by the product.

    A baseline is told once, and each deadline that is near; later what `mutate` does, and each next rung.
    """
    near = [("worklayer.job.deadline_approaching", f"job/j{n}") for n in range(count) if n % 4 == 1]
    told = [("jobwire.source.baselined", "source/tax"), *near]
    if not baseline:
        changed = {"claimed": "j0", "closed": "j3", "updated": "j2", "created": "new", "removed": "j4"}
        told += [*near, *((f"worklayer.job.{what}", f"job/{id}") for what, id in changed.items())]
    return sorted(told)


@dataclass(slots=True)
class World:
    """One provider, one receiver, and what the receiver got and what of it it took."""

    url: str
    hook: str
    rows: list[dict[str, Any]]
    sick: bool = False
    options: str = ""
    """More options of the target, as YAML in braces wants them."""
    got: list[tuple[str, bytes]] = field(default_factory=list)
    took: Counter[str] = field(default_factory=Counter)
    gate: asyncio.Event | None = None
    asleep: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def config(self) -> str:
        return (
            f'sources: {{tax: {{provider: worklayer, base_url: "{self.url}", token: t, page_size: 2}}}}\n'
            f'targets: {{hook: {{type: webhook, url: "{self.hook}", secret: "{SECRET}"{self.options}}}}}\n'
            "egress: {allow: [127.0.0.0/8]}\n"
            "routes: [{to: [hook]}]\n"
        )


@asynccontextmanager
async def world(count: int = 6, *, sick: bool = False) -> AsyncIterator[World]:
    """A provider that pages two by two and knows its jobs by id; the receiver takes all, if `sick` the second time."""
    rows = jobs(count)

    async def answer(request: web.Request) -> web.Response:
        page = shown(request)
        if made.gate is not None and not made.asleep.is_set():
            made.asleep.set()
            await made.gate.wait()
        return page

    def shown(request: web.Request) -> web.Response:
        if not request.path.endswith("/jobs"):
            found = [row for row in rows if row["id"] == request.path.rsplit("/", 1)[-1]]
            return web.json_response(found[0]) if found else web.json_response({"message": "NotFound"}, status=404)
        start = int(request.query.get("page_token") or 0)
        more = start + 2 < len(rows)
        return web.json_response({"data": rows[start : start + 2], "next_page_token": str(start + 2) if more else ""})

    async def receive(request: web.Request) -> web.Response:
        id = request.headers["webhook-id"]
        refused = made.sick and id not in [known for known, _ in made.got]
        made.got.append((id, await request.read()))
        if refused:
            return web.Response(status=500)
        made.took[id] += 1
        return web.Response(status=204)

    async with served(answer) as url, served(receive) as hook:
        made = World(url, hook, rows, sick=sick)
        yield made


async def work(watch: Installation, redis: Redis) -> None:
    """All that a worker does, in order: scan, ring, relay, deliver, and deliver again what was refused.

    A part that finds no store is given up, as the worker's loops do, and the next is begun.
    """
    consumer, hook = watch.services.consumer, watch.services.targets["hook"]
    for step in (watch.scan, consumer.ringer.ring, consumer.relay.relay, lambda: consumer.deliverer.deliver(hook)):
        with suppress(StoreUnavailable):
            await step()
    await due(redis)
    with suppress(StoreUnavailable):
        await consumer.deliverer.deliver(hook)


async def heal(redis: Redis) -> None:
    """Time passes: the leases of a worker that died or is paused lapse."""
    await redis.delete("jobwire:lease:tax")
    await due(redis)


async def due(redis: Redis) -> None:
    """Time passes: what waits for its next attempt is due, an open circuit is probed."""
    for lane in await redis.zrange("jobwire:lanes:hook", 0, -1):
        await redis.zadd("jobwire:lanes:hook", {lane: 0})
        await redis.zadd("jobwire:due", {"hook": 0})
    if await redis.execute_command("HEXISTS", "jobwire:target:hook", "probe_at"):  # type: ignore[no-untyped-call]  # redis-py
        await redis.execute_command("HSET", "jobwire:target:hook", "probe_at", 0)  # type: ignore[no-untyped-call]  # redis-py


async def facts(watch: Installation) -> list[Fact]:
    """Every event in the log by what it says, sources' own news by type alone (their ids carry the scan's number).

    News about targets are left out: how often a receiver was tried is nothing that must be the same each time.
    """
    watch.place = "0-0"
    found = []
    for event in await watch.news():
        data = event["data"]
        own = event["type"].startswith("jobwire.")
        state = json.dumps([data["state"], data["changes"]])
        if not event["type"].startswith("jobwire.target."):
            found.append(
                (event["type"], event["subject"], 0 if own else data["revision"], "" if own else event["id"], state)
            )
    return sorted(found)


@dataclass(frozen=True, slots=True)
class Life:
    """What a worker that met trouble and a healthy one after it left behind."""

    told: list[Fact]
    scene: World


@dataclass(frozen=True, slots=True)
class Story:
    """A worker that is in trouble in its first look at a source or in a later one; the clock of each may be wrong."""

    redis: Redis
    store_url: str
    baseline: bool = False
    count: int = 6
    sick: bool = True
    wrong: float = 0.0
    """Minutes by which the clock of the worker in trouble is wrong."""

    async def undisturbed(self) -> list[Fact]:
        """What is told when nothing goes wrong, which is no more and no less than what has happened."""
        told = (await self.live()).told
        assert sorted((fact[0], fact[1]) for fact in told) == truth(self.count, baseline=self.baseline)
        return told

    async def live(self, door: Door = connect, hands: Hands | None = None) -> Life:
        """One life through that door; `hands` is the clock of the worker in trouble, set when its life begins."""
        await self.redis.flushall()
        async with world(self.count, sick=self.sick) as scene:
            right, theirs = Hands(), hands or Hands()
            if not self.baseline:
                async with installed(self.store_url, scene.config, right) as before:
                    await work(before, self.redis)
                mutate(scene.rows)
                right.pass_(hours=8)
            theirs.at = right.at
            theirs.pass_(minutes=self.wrong)
            await self._meet(scene, theirs, door)
            await heal(self.redis)
            async with installed(self.store_url, scene.config, right) as after:
                await recover(after, self.redis)
                told = await facts(after)
                await arrived(scene, told, self.redis)
                return Life(told, scene)

    async def _meet(self, scene: World, hands: Hands, door: Door) -> None:
        with suppress(Died, BaseExceptionGroup, StoreUnavailable):
            async with installed(self.store_url, scene.config, hands, door) as mortal:
                mortal.slots = 5
                await work(mortal, self.redis)
        if isinstance(door, Trouble):
            await door.over()


async def recover(watch: Installation, redis: Redis) -> None:
    """Three rounds of healthy work in later slots, which is what it takes to confirm a removal."""
    watch.slots = max(watch.slots, 100)
    for _ in range(3):
        await work(watch, redis)


async def arrived(scene: World, told: list[Fact], redis: Redis) -> None:
    """Every event arrived, repetitions have the same bytes, per resource the first arrivals are in order.

    And what is recorded as delivered was taken, as often as it is recorded.
    """
    first: dict[str, bytes] = {}
    for id, body in scene.got:
        assert first.setdefault(id, body) == body
    events = [json.loads(body) for body in first.values()]
    assert {event["id"] for event in events if not event["type"].startswith("jobwire.")} == {
        fact[3] for fact in told if fact[3]
    }
    for subject in {event["subject"] for event in events}:
        sequences = [event["sequence"] for event in events if event["subject"] == subject]
        assert sequences == sorted(sequences)
    await honestly_recorded(scene.took, redis)


async def honestly_recorded(took: Counter[str], redis: Redis, *, all_ended: bool = True) -> None:
    """No attempt is recorded as a success that was none, and everything has ended as delivered if `all_ended`."""
    keys = [key async for key in redis.scan_iter("jobwire:delivery:*")]
    for key in keys:
        row: dict[bytes, bytes] = await redis.execute_command("HGETALL", key)  # type: ignore[no-untyped-call]  # redis-py
        attempts = json.loads(b"[" + row.get(b"attempts", b"") + b"]")
        id = row[b"event"].decode()
        assert row[b"status"] == b"delivered" or not all_ended, (id, row[b"status"])
        least = 1 if row[b"status"] == b"delivered" else 0
        assert least <= sum(attempt["status"] // 100 == 2 for attempt in attempts if attempt["status"]) <= took[id], id
    assert keys


async def everything_arrives(scene: World, watch: Installation, redis: Redis) -> list[Fact]:
    """Returns what was told once the receiver has taken all of it and nothing waits; later attempts are made due."""
    async with asyncio.timeout(PATIENCE):
        while True:
            told = await facts(watch)
            if {fact[3] for fact in told if fact[3]} <= set(scene.took) and not await redis.exists("jobwire:due"):
                return told
            await due(redis)
            await asyncio.sleep(0.1)
