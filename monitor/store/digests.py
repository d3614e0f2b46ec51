"""Which day's digest a target has had, and up to when it told of events: two fields of the target's state."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.events import Event, encode
from monitor.store.db import Arg, Db, text
from monitor.store.retention import Retention


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a target's digests have come: the day of the last (YYYY-MM-DD), and up to when (ms) it told."""

    day: str
    until_ms: int


class Digests:
    """The marks of all targets that get digests."""

    def __init__(self, db: Db, retention: Retention) -> None:
        self._db = db
        self._retention = retention

    async def mark(self, target: str) -> Mark | None:
        """How far a target's digests have come; None when it never had one."""
        day, until = await self._db.run("HMGET", self._db.keys.target(target), "digest_day", "digest_ms")
        return Mark(text(day), int(text(until) or "0")) if day else None

    async def move(self, target: str, before: Mark | None, mark: Mark, event: Event | None = None) -> bool:
        """Move a target's mark on and write the event of its digest, in one step; False when somebody was faster."""
        keys = self._db.keys
        args: list[Arg] = [before.day if before else "", mark.day, mark.until_ms]
        args += [keys.prefix, self._retention.events_ms]
        args += [event.id, event.type, encode(event)] if event else ["", "", ""]
        return bool(int(await self._db.script("digest", [keys.target(target), keys.events], args)))
