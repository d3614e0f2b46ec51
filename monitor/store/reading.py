"""Reading for people: deliveries, backlogs, histories and targets, as they are stored. Nothing is written here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.store.db import Db, first_score, text, texts
from monitor.store.lanes import Attempt

_CHUNK = 200

_attempts = msgspec.json.Decoder(list[Attempt])


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """One delivery: what is sent where by which route, what became of it, and when (ms since 1970, None: not known)."""

    id: str
    event: str
    target: str
    status: str
    type: str
    key: str
    route: str
    made_ms: int
    next_ms: int | None
    attempts: Sequence[Attempt]


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a target must still be sent: how many deliveries, and when the oldest of them was made (ms)."""

    size: int
    oldest_ms: int | None


class Reading:
    """Reads what pipeline and store have written."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def history(self, key: str) -> list[dict[str, Any]]:
        """The kept revisions of a resource (`source/kind/id`), oldest first."""
        lines = await self._db.run("LRANGE", self._db.keys.history(key), 0, -1)
        return [msgspec.json.decode(line) for line in reversed(lines)]

    async def target(self, name: str) -> dict[str, str]:
        """The stored state of a target; empty when nothing was sent to it yet."""
        return texts(await self._db.run("HGETALL", self._db.keys.target(name)))

    async def held_until(self, target: str) -> int | None:
        """Until when (ms) nothing is sent to a target; None when it is not held."""
        held = text(await self._db.run("GET", self._db.keys.hold(target)))
        return int(float(held)) if held else None

    async def backlog(self, target: str) -> Backlog:
        """What waits for a target, in one round trip however much it is."""
        pending = self._db.keys.pending(target)
        size, oldest = await self._db.run_all([("ZCARD", pending), ("ZRANGE", pending, 0, 0, "WITHSCORES")])
        return Backlog(int(size), int(first_score(oldest)) if oldest else None)

    async def deliveries(self, target: str, older: tuple[int, str] | None = None) -> AsyncIterator[StoredDelivery]:
        """The deliveries of a target, the latest first, or those `older` than (ms made, id); memory stays flat."""
        keys, start, before = self._db.keys, 0, frozenset[str]()
        if older is not None:
            start = int(await self._db.run("ZCOUNT", keys.deliveries(target), f"({older[0]}", "+inf"))
        while True:
            reply = await self._db.run("ZREVRANGE", keys.deliveries(target), start, start + _CHUNK - 1)
            # Deliveries made meanwhile push those of the last page down into this one.
            ids = [id for id in map(text, reply) if id not in before]
            stored = await self._db.run_all([("HGETALL", keys.delivery(id)) for id in ids]) if ids else []
            for id, fields in zip(ids, stored, strict=True):
                delivery = _delivery(id, texts(fields)) if fields else None
                if delivery and (older is None or (delivery.made_ms, delivery.id) < older):
                    yield delivery
            if len(reply) < _CHUNK:
                return
            start, before = start + _CHUNK, frozenset(map(text, reply))


def _delivery(id: str, fields: dict[str, str]) -> StoredDelivery:
    next_ms = fields.get("next")
    return StoredDelivery(
        id=id,
        event=fields["event"],
        target=fields["target"],
        status=fields["status"],
        type=fields["type"],
        key=fields["key"],
        route=fields["route"],
        made_ms=int(fields["made"]),
        next_ms=int(float(next_ms)) if next_ms else None,
        attempts=_attempts.decode(f"[{fields.get('attempts', '')}]"),
    )
