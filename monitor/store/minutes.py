"""What happened in each minute of the last two days: counted by the scripts that record it, read here for charts.

`relay.lua` counts events as its cursor passes them, `settle.lua` attempts and arrivals as it records them, and
`finish_scan.lua` notes the last complete scan of a minute: so nothing is counted twice, whoever repeats what. A key
holds one hour, and ends 49 hours after that began. Minutes are minutes since 1970, by the store's clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitor.store.db import Db, pairs
from monitor.store.totals import AFTER_MS

KEPT_MINUTES = 48 * 60
"""How long a minute is kept, at the least."""

NO_SOURCE = "-"
"""Stands for the source of events that have none: what the monitor tells of its targets."""

OUTCOMES = ("delivered", "retry", "failed")
MORE = len(AFTER_MS)
"""The number of the last class of arrivals: those that took longer than every limit of AFTER_MS."""

_AT_ONCE = 500
_CLASSES = {f"after:{name}".encode(): number for number, name in enumerate((*map(str, AFTER_MS), "more"))}
_OUTCOMES = {name.encode(): name for name in OUTCOMES}


@dataclass(frozen=True, slots=True)
class Happened:
    """Events of one source in one minute."""

    minute: int
    source: str


@dataclass(slots=True)
class SourceMinutes:
    """Of a source, by minute: how many events it had, and when (ms) the last complete scan of the minute ended."""

    events: dict[int, int] = field(default_factory=dict)
    fresh_ms: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class AttemptMinutes:
    """Of all targets, by minute: attempts by outcome; first arrivals by the limit (of AFTER_MS) they kept."""

    made: dict[str, dict[int, int]] = field(default_factory=lambda: {name: {} for name in OUTCOMES})
    after: dict[int, dict[int, int]] = field(default_factory=dict)


class Minutes:
    """Reads what scripts have counted."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def sources(self, names: Sequence[str], first: int, last: int) -> dict[str, SourceMinutes]:
        """What happened to these sources from one minute to another, both included."""
        hours = range(first // 60, last // 60 + 1)
        wanted = [(name, hour) for name in names for hour in hours]
        found = {name: SourceMinutes() for name in names}
        stored = await self._hashes([self._db.keys.minutes(*one) for one in wanted])
        for (name, hour), fields in zip(wanted, stored, strict=True):
            into = found[name]
            for minute, what, value in _split(fields, hour, first, last):
                (into.events if what == b"events" else into.fresh_ms)[minute] = value
        return found

    async def attempts(self, first: int, last: int) -> AttemptMinutes:
        """What attempts came to from one minute to another, both included."""
        hours, found = range(first // 60, last // 60 + 1), AttemptMinutes()
        stored = await self._hashes([self._db.keys.attempted(hour) for hour in hours])
        for hour, fields in zip(hours, stored, strict=True):
            for minute, what, value in _split(fields, hour, first, last):
                if what in _CLASSES:
                    found.after.setdefault(minute, {})[_CLASSES[what]] = value
                elif what in _OUTCOMES:
                    found.made[_OUTCOMES[what]][minute] = value
        return found

    async def _hashes(self, keys: Sequence[str]) -> list[Any]:
        found: list[Any] = []
        for start in range(0, len(keys), _AT_ONCE):
            found += await self._db.run_all([("HGETALL", key) for key in keys[start : start + _AT_ONCE]])
        return found


def _split(fields: Any, hour: int, first: int, last: int) -> Iterable[tuple[int, bytes, int]]:
    """The fields of an hour in; minute, what is said of it, and the value out, where the minute is wanted."""
    for name, value in pairs(fields or []):
        within, _, what = name.partition(b":")
        minute = hour * 60 + int(within)
        if first <= minute <= last:
            yield minute, what, int(value)
