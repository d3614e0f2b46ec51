"""The event log: one stream that is outbox, history and source of every body that is sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.store.db import Db, text, texts
from monitor.store.retention import Retention

FIRST = "0-0"
_PLACE = re.compile(r"[0-9]{1,20}-[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class Stored:
    """One event as stored: its place in the stream, its id, type and body bytes."""

    place: str
    id: str
    type: str
    body: bytes

    @property
    def at_ms(self) -> int:
        """When it was committed, by the store's clock."""
        return int(self.place.partition("-")[0])


class EventLog:
    """Reading the event log and keeping it bounded."""

    def __init__(self, db: Db, retention: Retention) -> None:
        self._db = db
        self._retention = retention

    @property
    def kept_ms(self) -> int:
        """How long events are kept."""
        return self._retention.events_ms

    async def after(self, place: str, limit: int) -> list[Stored]:
        """Events after a place, oldest first."""
        return _entries(await self._db.run("XRANGE", self._db.keys.events, f"({place}", "+", "COUNT", limit))

    async def since(self, since_ms: int, limit: int) -> list[Stored]:
        """Events committed at or after a time, oldest first."""
        return _entries(await self._db.run("XRANGE", self._db.keys.events, f"{since_ms}-0", "+", "COUNT", limit))

    async def last(self, limit: int) -> list[Stored]:
        """The latest events, oldest first."""
        return _entries(await self._db.run("XREVRANGE", self._db.keys.events, "+", "-", "COUNT", limit))[::-1]

    async def until(self, place: str, limit: int) -> list[Stored]:
        """The latest events up to a place, or before it when written `(place`; oldest first."""
        return _entries(await self._db.run("XREVRANGE", self._db.keys.events, place, "-", "COUNT", limit))[::-1]

    async def at(self, places: Sequence[str]) -> dict[str, Stored]:
        """The events at these places, by place; what is not kept any more is not in it. One round trip."""
        found = await self._db.run_all([("XRANGE", self._db.keys.events, one, one) for one in places]) if places else []
        return {stored.place: stored for entries in found for stored in _entries(entries)}

    async def end(self) -> str:
        """The place of the latest event, or the beginning."""
        found = await self.last(1)
        return found[0].place if found else FIRST

    async def begin(self) -> str | None:
        """The place of the oldest event that is kept, None when there is none."""
        found = await self._db.run("XRANGE", self._db.keys.events, "-", "+", "COUNT", 1)
        return text(found[0][0]) if found else None

    async def written(self) -> int:
        """How many events were ever stored, those forgotten since included."""
        if not await self._db.run("EXISTS", self._db.keys.events):
            return 0
        reply = await self._db.run("XINFO", "STREAM", self._db.keys.events)
        return int(texts(reply)["entries-added"])

    async def get(self, id: str) -> Stored | None:
        """One event by its id."""
        place = text(await self._db.run("GET", self._db.keys.event(id)))
        found = _entries(await self._db.run("XRANGE", self._db.keys.events, place, place)) if place else []
        return found[0] if found else None

    async def wait(self, place: str, timeout_ms: int) -> bool:
        """Sleep until an event after `place` is committed or the bell rings; False on timeout."""
        keys = self._db.keys
        reply = await self._db.run(
            "XREAD", "COUNT", 1, "BLOCK", max(1, timeout_ms), "STREAMS", keys.events, keys.bell, place, "$"
        )
        return bool(reply)

    async def ring(self) -> None:
        """Wake every consumer."""
        await self._db.run("XADD", self._db.keys.bell, "MAXLEN", 1, "*", "ring", 1)

    async def trim(self, now_ms: int, relayed: str) -> int:
        """Forget events older than the retention, never one that is not yet in its lanes."""
        oldest = min(now_ms - self._retention.events_ms, int(relayed.partition("-")[0]))
        return int(await self._db.run("XTRIM", self._db.keys.events, "MINID", "~", f"{max(0, oldest)}-0"))


def is_place(text: str) -> bool:
    """Whether a text is a place that a log may have: two whole numbers below 2^64."""
    return _PLACE.fullmatch(text) is not None and all(int(part) < 2**64 for part in text.split("-"))


def place_order(place: str) -> tuple[int, int]:
    """A place in the event log as numbers that compare."""
    first, _, second = place.partition("-")
    return int(first), int(second or 0)


def _entries(reply: object) -> list[Stored]:
    entries = []
    for place, fields in reply if isinstance(reply, list) else []:
        if fields:
            entries.append(Stored(text(place), text(fields[b"id"]), text(fields[b"type"]), fields[b"body"]))
    return entries
