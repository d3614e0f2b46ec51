"""The measurements by name. Each takes a place and gives rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from bench.place import Place
from bench.report import Row
from bench.rows import changes, deliveries, latency, memory, space, sweep, targets

Measurement = Callable[[Place], Awaitable[Sequence[Row]]]

MEASUREMENTS: Mapping[str, Measurement] = {
    "sweep": sweep.measure,
    "memory": memory.measure,
    "first": changes.first,
    "changed": changes.changed,
    "space": space.measure,
    "deliveries": deliveries.measure,
    "latency": latency.measure,
    "targets": targets.measure,
}
