"""Sweeping a list in which nothing changed."""

from __future__ import annotations

from collections.abc import Sequence

import aiohttp

from bench.limits import changes as limit_changes
from bench.limits import sweep as limit
from bench.measure import Spent, interleave, spending
from bench.place import Place
from bench.report import Row
from bench.rows.scanning import watching_list

RATIO = 0.75


async def measure(place: Place) -> Sequence[Row]:
    """CPU an item and items a second, against GET + split + hash + HMGET."""
    size = place.sizes.items
    async with watching_list(place, size, known=True) as watch, aiohttp.ClientSession() as session:
        await limit_changes.take(session, place.redis, watch.url, told=False)

        async def bare() -> Spent:
            async with spending(size, place.redis) as spent:
                differing = await limit.sweep(session, place.redis, watch.url)
            if differing:
                raise RuntimeError("the limit saw changes where there are none")
            return spent

        async def ours() -> Spent:
            async with spending(size, place.redis) as spent:
                report = await watch.scan()
            if report.tally.items != size or report.tally.changed:
                raise RuntimeError(f"the sweep saw what is not there: {report.tally}")
            return spent

        rounds = await interleave(place.sizes.rounds, {"limit": bare, "ours": ours})
    cpu, wall = rounds.ratio("limit", "ours", "us"), rounds.ratio("ours", "limit", "rate")
    return [
        Row(
            f"sweep of {size:,} unchanged items: CPU",
            "us/item",
            rounds.middle("ours", "us"),
            rounds.middle("limit", "us"),
            cpu,
            f"ratio >= {RATIO}",
            cpu >= RATIO,
        ),
        Row(
            "  items a second",
            "/s",
            rounds.middle("ours", "rate"),
            rounds.middle("limit", "rate"),
            wall,
            f"ratio >= {RATIO}",
            wall >= RATIO,
        ),
        Row(
            "  CPU of the store",
            "us/item",
            rounds.middle("ours", "store_us"),
            rounds.middle("limit", "store_us"),
            rounds.ratio("limit", "ours", "store_us"),
        ),
    ]
