"""Armed deadlines: which resource must be looked at next, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from monitor.store.db import Db

_members = msgspec.json.Decoder(tuple[str, str, str, str])


@dataclass(frozen=True, slots=True)
class Armed:
    """One deadline that is due: source, item, ref of the resource, and the type of its rule."""

    source: str
    item: str
    ref: str
    type: str

    @property
    def member(self) -> str:
        """The armed deadline as it is stored; JSON, because ids are the provider's and may hold anything."""
        return msgspec.json.encode((self.source, self.item, self.ref, self.type)).decode()


class Deadlines:
    """The sorted set of all armed deadlines; only commits write it."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def due(self, now_ms: int, limit: int) -> list[Armed]:
        """Deadlines due at or before now, earliest first."""
        found = await self._db.run("ZRANGEBYSCORE", self._db.keys.deadlines, "-inf", now_ms, "LIMIT", 0, limit)
        return [Armed(*_members.decode(member)) for member in found]

    async def next_ms(self) -> int | None:
        """When the earliest deadline is due, None when none is armed."""
        found = await self._db.run("ZRANGE", self._db.keys.deadlines, 0, 0, "WITHSCORES")
        return int(float(found[0][1] if isinstance(found[0], tuple | list) else found[1])) if found else None

    async def late_ms(self) -> int | None:
        """Since when the earliest deadline waits to be rung, None when none is armed: since it is due, and known."""
        due_ms, armed = await self.next_ms(), await self._db.run("GET", self._db.keys.armed)
        return None if due_ms is None else max(due_ms, int(armed or 0))

    async def drop(self, armed: Sequence[Armed]) -> None:
        """Forget deadlines whose item is not there any more."""
        await self._db.run("ZREM", self._db.keys.deadlines, *(one.member for one in armed))

    async def postpone(self, armed: Sequence[Armed], due_ms: int) -> None:
        """Look at deadlines again later; only those that are still armed."""
        pairs = [part for one in armed for part in (due_ms, one.member)]
        await self._db.run("ZADD", self._db.keys.deadlines, "XX", *pairs)
