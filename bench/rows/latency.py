"""From the commit of a change to its receipt: a trickle of 40 a second, and a thousand at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack

from bench.client import process
from bench.limits import sending as limit
from bench.measure import percentile
from bench.place import Place, sending
from bench.report import Row
from bench.rows.committing import Committer, bodies

FLIGHTS = 64
RATE = 40.0
P50_MS, P99_MS, BURST_S = 5.0, 25.0, 0.6
_WARM_SECONDS = 0.25
_WAIT_SECONDS = 60.0

Commits = Callable[[int], Awaitable[Sequence[str]]]
"""Commits so many changes at once; the webhook ids that must arrive."""


async def measure(place: Place) -> Sequence[Row]:
    """Milliseconds from before the commit to the arrival, each consumer in a process of its own."""
    await place.empty()
    await limit.open_group(place.redis)
    url = f"{place.stand.url}/sink/0/hook"
    config = sending([url], FLIGHTS)
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(place.installed(config))
        await stack.enter_async_context(process("bench.child", "follow", place.store_url, url))
        await stack.enter_async_context(process("bench.child", "consume", place.store_url, config))
        committer, made = Committer(services), 0

        async def bare(count: int) -> Sequence[str]:
            nonlocal made
            events = bodies(made, count)
            made += count
            await limit.fill(place.redis, events)
            return [id for id, _ in events]

        async def ours(count: int) -> Sequence[str]:
            before = len(committer.committed)
            await committer.commit(committer.changes(count))
            return committer.committed[before:]

        cases: Mapping[str, Commits] = {"limit": bare, "ours": ours}
        steady: dict[str, list[float]] = {name: [] for name in cases}
        burst: dict[str, list[float]] = {name: [] for name in cases}
        for commits in cases.values():
            await _steady(place, commits, _WARM_SECONDS)
        for _ in range(place.sizes.rounds):
            for name, commits in cases.items():
                steady[name] += await _steady(place, commits, place.sizes.seconds)
                burst[name].append(await _burst(place, commits, place.sizes.burst))
    return _rows(place.sizes.burst, steady, burst)


def _rows(size: int, steady: Mapping[str, Sequence[float]], burst: Mapping[str, Sequence[float]]) -> list[Row]:
    rows = []
    for share, label, target in ((0.5, "p50", P50_MS), (0.99, "p99", P99_MS)):
        bare, ours = (percentile(steady[name], share) * 1000 for name in ("limit", "ours"))
        name = f"commit to receipt, {RATE:.0f} changes a second: {label}" if label == "p50" else f"  {label}"
        rows.append(Row(name, "ms", ours, bare, bare / ours, f"<= {target:.0f} ms", ours <= target))
    bare, ours = (percentile(burst[name], 0.5) for name in ("limit", "ours"))
    name = f"  the last of {size:,} at once"
    return [*rows, Row(name, "s", ours, bare, bare / ours, f"<= {BURST_S} s", ours <= BURST_S)]


async def _steady(place: Place, commits: Commits, seconds: float) -> list[float]:
    """One change every 25 ms; seconds from before each commit to its arrival."""
    begun: dict[str, float] = {}
    first = time.monotonic()
    for number in range(max(1, round(seconds * RATE))):
        await asyncio.sleep(max(0.0, first + number / RATE - time.monotonic()))
        at = time.monotonic()
        for id in await commits(1):
            begun[id] = at
    arrived = await _all_arrived(place, begun)
    return [arrived[id] - at for id, at in begun.items()]


async def _burst(place: Place, commits: Commits, size: int) -> float:
    """So many changes at once; seconds from before the commit to the arrival of the last."""
    at = time.monotonic()
    ids = await commits(size)
    arrived = await _all_arrived(place, ids)
    return max(arrived.values()) - at


async def _all_arrived(place: Place, ids: Sequence[str] | Mapping[str, float]) -> dict[str, float]:
    """When each id arrived first; waits until all have."""
    arrived: dict[str, float] = {}
    async with asyncio.timeout(_WAIT_SECONDS):
        while len(arrived) < len(ids):
            for id, at in await place.stand.arrivals():
                if id not in ids:
                    raise RuntimeError(f"{id} arrived and was not sent")
                arrived.setdefault(id, at)
            await asyncio.sleep(0.02)
    return arrived
