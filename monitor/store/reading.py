"""Reading for people: deliveries, backlogs, histories and targets, as they are stored. Nothing is written here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.store.db import Db, text, texts
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
        """What waits for a target; reads every lane of it."""
        keys, size, oldest = self._db.keys, 0, None
        lanes = [lane.decode() for lane in await self._db.run("ZRANGE", keys.lanes(target), 0, -1)]
        for start in range(0, len(lanes), _CHUNK):
            queues = [keys.of("lane", target, lane) for lane in lanes[start : start + _CHUNK]]
            replies = await self._db.run_all(
                [command for queue in queues for command in (("LLEN", queue), ("LINDEX", queue, "0"))]
            )
            size += sum(replies[::2])
            heads = [text(id) for id in replies[1::2] if id]
            made = await self._db.run_all([("HGET", keys.delivery(id), "made") for id in heads]) if heads else []
            times = [int(at) for at in made if at]
            oldest = min([*times, *([oldest] if oldest is not None else [])], default=None)
        return Backlog(size, oldest)

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
