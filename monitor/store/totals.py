"""Totals that scans and attempts leave in the store as they are recorded: counters and histograms of all workers.

`settle.lua` and `finish_scan.lua` count, in the step that writes what they count; here they are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.store.db import Db, texts

TOOK_MS = (50, 100, 250, 500, 1000, 2500, 5000, 10_000, 15_000, 30_000, 60_000)
"""Limits (ms) by which attempts are counted; a target's timeout is rarely longer."""

AFTER_MS = (*TOOK_MS, 300_000, 1_800_000, 3_600_000, 21_600_000, 86_400_000)
"""Limits (ms) by which arrivals are counted: from at once to a day of retries. `settle.lua` has the same."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Durations: how many were `at_most` each limit (ms; counts of smaller ones included), of how many, ms in all."""

    at_most: Sequence[tuple[int, int]]
    count: int
    sum_ms: int


@dataclass(frozen=True, slots=True)
class ScanTotals:
    """What all scans of a source did: how many ended how, and sums of what each reports in `scan.finished`."""

    ended: Mapping[str, int]
    sums: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AttemptTotals:
    """What all attempts at a target came to.

    `made` counts them by outcome (delivered, retry, failed) and class of the answer's status (2xx ... 5xx, none),
    `took` how long they lasted; `after` how long after the store got to know the change its delivery was recorded as
    arrived, for deliveries that nobody asked for again. `caught_up` counts catch-up messages, `folded` the groups that
    they told.
    """

    made: Mapping[tuple[str, str], int]
    took: Histogram
    after: Histogram
    caught_up: int = 0
    folded: int = 0


class Totals:
    """Reads the totals of one installation."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def scans(self, sources: Sequence[str]) -> list[ScanTotals]:
        """The totals of these sources, in their order."""
        return [_scans(one) for one in await self._hashes([self._db.keys.scans(name) for name in sources])]

    async def attempts(self, targets: Sequence[str]) -> list[AttemptTotals]:
        """The totals of these targets, in their order."""
        return [_attempts(one) for one in await self._hashes([self._db.keys.attempts(name) for name in targets])]

    async def _hashes(self, keys: Sequence[str]) -> list[dict[str, str]]:
        found = await self._db.run_all([("HGETALL", key) for key in keys]) if keys else []
        return [texts(one) for one in found]


def _scans(stored: Mapping[str, str]) -> ScanTotals:
    ended = {name.removeprefix("ended:"): int(n) for name, n in stored.items() if name.startswith("ended:")}
    return ScanTotals(ended, {name: int(n) for name, n in stored.items() if ":" not in name})


def _attempts(stored: Mapping[str, str]) -> AttemptTotals:
    made = {}
    for name, amount in stored.items():
        if name.startswith("made:"):
            _, outcome, answer = name.split(":")
            made[outcome, answer] = int(amount)
    return AttemptTotals(
        made,
        _histogram(stored, "took", TOOK_MS),
        _histogram(stored, "after", AFTER_MS),
        int(stored.get("caught_up", "0")),
        int(stored.get("folded", "0")),
    )


def _histogram(stored: Mapping[str, str], name: str, limits: Sequence[int]) -> Histogram:
    counts = {
        field.partition(":")[2]: int(amount)
        for field, amount in stored.items()
        if field.startswith(f"{name}:") and field != f"{name}:ms"
    }
    total, at_most = 0, []
    for limit in limits:
        total += counts.get(str(limit), 0)
        at_most.append((limit, total))
    return Histogram(at_most, sum(counts.values()), int(stored.get(f"{name}:ms", "0")))
