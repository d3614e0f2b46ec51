"""The measurements by name. Each takes a place and gives rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from bench.place import Place
from bench.report import Row
from bench.rows import changes, deliveries, latency, memory, pages, ringing, space, sweep, targets

Measurement = Callable[[Place], Awaitable[Sequence[Row]]]

# In an order in which one may use what the one before it left in the store.
MEASUREMENTS: Mapping[str, Measurement] = {
    "first": changes.first,
    "changed": changes.changed,
    "space": space.measure,
    "sweep": sweep.measure,
    "memory": memory.measure,
    "pages": pages.measure,
    "deliveries": deliveries.measure,
    "latency": latency.measure,
    "ringing": ringing.measure,
    "targets": targets.measure,
}
