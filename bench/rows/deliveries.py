"""Webhook deliveries: signed, recorded, from a committed event to a settled lane."""

from __future__ import annotations

from collections.abc import Sequence

import aiohttp

from bench.limits import sending as limit
from bench.measure import Rounds, Spent, interleave, spending
from bench.place import Place, sending
from bench.report import Row
from bench.rows.committing import Committer, bodies
from bench.rows.consuming import consume
from monitor.bootstrap import Services

FLIGHTS = 64
RATIO, SLOW_RATIO = 0.8, 0.9
SLOW_MS = 50


async def measure(place: Place) -> Sequence[Row]:
    """CPU a delivery and deliveries a second against stream + POST + HMAC; then a receiver that takes 50 ms."""
    fast = await _rounds(place, 0, place.sizes.deliveries)
    slow = await _rounds(place, SLOW_MS, place.sizes.slow_deliveries)
    cpu, wall, slow_wall = (
        fast.ratio("limit", "ours", "us"),
        fast.ratio("ours", "limit", "rate"),
        slow.ratio("ours", "limit", "rate"),
    )
    return [
        Row(
            f"webhook deliveries, 1.5 kB, {FLIGHTS} in flight: CPU",
            "us each",
            fast.middle("ours", "us"),
            fast.middle("limit", "us"),
            cpu,
            f"ratio >= {RATIO}",
            cpu >= RATIO,
        ),
        Row(
            "  deliveries a second",
            "/s",
            fast.middle("ours", "rate"),
            fast.middle("limit", "rate"),
            wall,
            f"ratio >= {RATIO}",
            wall >= RATIO,
        ),
        Row(
            "  CPU of the store",
            "us each",
            fast.middle("ours", "store_us"),
            fast.middle("limit", "store_us"),
            fast.ratio("limit", "ours", "store_us"),
        ),
        Row(
            f"  a receiver that takes {SLOW_MS} ms: a second",
            "/s",
            slow.middle("ours", "rate"),
            slow.middle("limit", "rate"),
            slow_wall,
            f"ratio >= {SLOW_RATIO}",
            slow_wall >= SLOW_RATIO,
        ),
    ]


async def _rounds(place: Place, delay_ms: int, count: int) -> Rounds:
    url = f"{place.stand.url}/sink/{delay_ms}/hook"
    await place.empty()
    await limit.open_group(place.redis)
    connector = aiohttp.TCPConnector(limit=FLIGHTS)
    async with place.installed(sending([url], FLIGHTS)) as services, aiohttp.ClientSession(connector=connector) as own:
        committer = Committer(services)

        async def bare() -> Spent:
            await limit.fill(place.redis, bodies(0, count))
            async with spending(count, place.redis) as spent:
                sent = await limit.drain(own, place.redis, url, FLIGHTS)
            await _check(place, sent, count)
            return spent

        async def ours() -> Spent:
            await committer.commit(committer.changes(count))
            spent = await consume(services, place.redis, count)
            await _check(place, count, count)
            await _check_recorded(services, committer)
            return spent

        return await interleave(place.sizes.rounds, {"limit": bare, "ours": ours})


async def _check(place: Place, sent: int, count: int) -> None:
    arrived = await place.stand.count()
    if not sent == arrived == count:
        raise RuntimeError(f"{count} deliveries were due, {sent} were made, {arrived} arrived")


async def _check_recorded(services: Services, committer: Committer) -> None:
    keys = services.store.db.keys
    total = int(await services.store.db.run("HGET", keys.target("t0"), "delivered"))
    if total != len(committer.committed):
        raise RuntimeError(f"{len(committer.committed)} deliveries were due and {total} are recorded")
