"""Memory of a process that sweeps lists of growing length."""

from __future__ import annotations

from collections.abc import Sequence

from bench.client import LONG_SECONDS, process
from bench.place import Place, watching
from bench.report import Row
from bench.rows.scanning import watching_list

MEGABYTES = 120


async def measure(place: Place) -> Sequence[Row]:
    """Peak resident memory of a fresh process after one sweep of a tenth of the items, and of all of them."""
    rows = []
    # The long list first: what a sweep before this left in the store is used.
    sizes = (place.sizes.items, max(100, place.sizes.items // 10))
    peaks = {size: await peak_of(place, size) for size in sizes}
    for size, peak in reversed(peaks.items()):
        name = f"resident memory, sweeping {size:,} items"
        rows.append(Row(name, "MB", peak, None, None, f"<= {MEGABYTES} MB", peak <= MEGABYTES))
    growth = rows[1].ours - rows[0].ours
    return [*rows, Row("  growth by ten times the items", "MB", growth)]


async def million(place: Place) -> Sequence[Row]:
    """The same for a list of a million items; not part of a run of everything."""
    peak = await peak_of(place, 1_000_000)
    name = "resident memory, sweeping 1,000,000 items"
    return [Row(name, "MB", peak, None, None, f"<= {MEGABYTES} MB", peak <= MEGABYTES)]


async def peak_of(place: Place, size: int) -> float:
    """Megabytes of a process of its own that sweeps a list of `size` known items."""
    async with watching_list(place, size, known=True):
        config = watching(place.stand.url, [size])
        async with process("bench.child", "sweep", place.store_url, config, ready=LONG_SECONDS) as (_, said):
            return float(said)
