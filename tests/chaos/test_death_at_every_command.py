"""A worker is killed at every command it sends to the store in turn; afterwards nothing is lost, doubled or invented.

Everything a worker leaves behind goes through the store, so dying between two awaits is dying before a
command or after its effect. The oracle is a run in which nobody dies: the same events under the same ids.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from redis.asyncio import Redis

from tests.chaos.dying import Died, dying
from tests.installation import SECRET, Hands, Installation, installed
from tests.servers import served
from tests.stores import PATIENCE

Fact = tuple[str, str, int, str, str]


def jobs(count: int) -> list[dict[str, Any]]:
    """Worklayer jobs, some with a deadline that is near."""
    return [
        {
            "id": f"j{n}",
            "status": "UNCLAIMED",
            "total_amount": n,
            "deadline_time": "2025-11-20T20:00:00Z" if n % 2 else None,
        }
        for n in range(count)
    ]


def mutate(rows: list[dict[str, Any]]) -> None:
    """What happens at the provider while the worker lives its last moments."""
    rows[0]["status"] = "CLAIMED"
    rows[1].update(status="CLOSED", total_amount=900)
    rows[2]["name"] = "renamed"
    rows.append({"id": "new", "status": "UNDER_CONSTRUCTION"})
    del rows[3]


@dataclass(slots=True)
class World:
    """One provider, one receiver, and what the receiver got."""

    url: str
    hook: str
    rows: list[dict[str, Any]]
    got: list[tuple[str, bytes]] = field(default_factory=list)
    gate: asyncio.Event | None = None
    asleep: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def config(self) -> str:
        return (
            f'sources: {{tax: {{provider: worklayer, base_url: "{self.url}", token: t, page_size: 2}}}}\n'
            f'targets: {{hook: {{type: webhook, url: "{self.hook}", secret: "{SECRET}"}}}}\n'
            "egress: {allow: [127.0.0.0/8]}\n"
            "routes: [{to: [hook]}]\n"
        )


@asynccontextmanager
async def world(count: int = 6) -> AsyncIterator[World]:
    """A provider that pages two by two and knows its jobs by id, and a receiver that takes everything."""
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
        made.got.append((request.headers["webhook-id"], await request.read()))
        return web.Response(status=204)

    async with served(answer) as url, served(receive) as hook:
        made = World(url, hook, rows)
        yield made


async def work(watch: Installation) -> None:
    """All that a worker does, once, in order: scan, ring, relay, deliver."""
    await watch.scan()
    await watch.services.consumer.ringer.ring()
    await watch.services.consumer.relay.relay()
    await watch.services.consumer.deliverer.deliver(watch.services.targets["hook"])


async def heal(redis: Redis) -> None:
    """Time passes: the dead worker's leases lapse."""
    await redis.delete("jobwire:lease:tax")
    for lane in await redis.zrange("jobwire:lanes:hook", 0, -1):
        await redis.zadd("jobwire:lanes:hook", {lane: 0})


async def facts(watch: Installation) -> list[Fact]:
    """Every event in the log by what it says, sources' own news by type alone (their ids carry the scan's number)."""
    watch.place = "0-0"
    found = []
    for event in await watch.news():
        data = event["data"]
        own = event["type"].startswith("jobwire.")
        state = json.dumps([data["state"], data["changes"]])
        found.append(
            (event["type"], event["subject"], 0 if own else data["revision"], "" if own else event["id"], state)
        )
    return sorted(found)


async def live(
    redis: Redis, store_url: str, at: int, *, answered: bool, baseline: bool, count: int = 6
) -> tuple[list[Fact], World, bool]:
    """One life: a worker that dies at command `at` during the baseline or a later scan, then a healthy one."""
    await redis.flushall()
    async with world(count) as scene:
        hands = Hands()
        if not baseline:
            async with installed(store_url, scene.config, hands) as before:
                await work(before)
            mutate(scene.rows)
        died = await _die(store_url, scene, hands, at, answered=answered)
        await heal(redis)
        async with installed(store_url, scene.config, hands) as after:
            after.slots = 10
            for _ in range(3):
                await work(after)
            return await facts(after), scene, died


async def _die(store_url: str, scene: World, hands: Hands, at: int, *, answered: bool) -> bool:
    try:
        async with installed(store_url, scene.config, hands, dying(at, answered=answered)) as mortal:
            mortal.slots = 5
            await work(mortal)
    except (Died, BaseExceptionGroup):
        return True
    return False


def received_in_order(scene: World, told: list[Fact]) -> None:
    """Every event arrived, repetitions have the same bytes, and per resource the first arrivals are in order."""
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


@pytest.mark.parametrize("baseline", [False, True], ids=["later", "baseline"])
@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
async def test_no_death_loses_doubles_or_invents_an_event(
    answered: bool, baseline: bool, redis: Redis, store_url: str
) -> None:
    """P10, P20, P22, W25: whatever command a worker dies at, the same events come out under the same ids."""
    expected, _, died = await live(redis, store_url, 10_000, answered=answered, baseline=baseline)
    assert not died
    points = 0
    for at in range(1, 200):
        told, scene, died = await live(redis, store_url, at, answered=answered, baseline=baseline)
        if not died:
            break
        points += 1
        assert told == expected, f"died at command {at}"
        received_in_order(scene, told)
    assert points > 20


@pytest.mark.chaos
@pytest.mark.timeout(3600)
async def test_a_thousand_deaths(redis: Redis, store_url: str) -> None:
    """P20: the same with longer lists, until a thousand workers have died."""
    points, count = 0, 10
    while points < 1000:
        for answered in (False, True):
            for baseline in (False, True):
                shape: dict[str, Any] = {"answered": answered, "baseline": baseline, "count": count}
                expected, _, _ = await live(redis, store_url, 10_000, **shape)
                points += await _die_everywhere(redis, store_url, expected, shape)
        count += 10


async def _die_everywhere(redis: Redis, store_url: str, expected: list[Fact], shape: dict[str, Any]) -> int:
    for at in range(1, 10_000):
        told, scene, died = await live(redis, store_url, at, **shape)
        if not died:
            return at - 1
        assert told == expected, f"died at command {at} of {shape}"
        received_in_order(scene, told)
    raise AssertionError("a scan sends more commands than this")


async def test_a_worker_paused_past_its_lease_changes_nothing(redis: Redis, store_url: str) -> None:
    """P21: a worker sleeps in its scan while another takes over; what it saw is refused when it wakes."""
    async with world() as scene, installed(store_url, scene.config) as first:
        await work(first)
        mutate(scene.rows)
        scene.gate = asyncio.Event()
        sleeping = asyncio.create_task(first.scan())
        await asyncio.wait_for(scene.asleep.wait(), PATIENCE)
        await redis.delete("jobwire:lease:tax")
        async with installed(store_url, scene.config) as second:
            second.slots = 60
            scene.rows[2]["name"] = "renamed again"
            await work(second)
            told = await facts(second)
            scene.gate.set()
            report = await sleeping

            assert report.reason == "fenced"
            assert await facts(second) == told
