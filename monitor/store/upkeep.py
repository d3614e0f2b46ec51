"""Keeping the store bounded: what is older than its retention is forgotten, a little at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.errors import Unreadable
from monitor.resources import Document
from monitor.store.db import Db, text
from monitor.store.dictionaries import Dictionaries
from monitor.store.eventlog import EventLog
from monitor.store.inside import Inside
from monitor.store.lanes import Lanes
from monitor.store.retention import Retention

_GONE_AT_ONCE = 1000


class Upkeep:
    """Forgets what has outlived its retention; safe to run in every worker at once."""

    def __init__(self, db: Db, log: EventLog, lanes: Lanes, retention: Retention) -> None:
        self._db = db
        self._log = log
        self._lanes = lanes
        self._retention = retention
        self._dictionaries = Dictionaries(db)
        self._inside = Inside(db)

    async def run(self, sources: Iterable[str], targets: Iterable[str]) -> None:
        """Trim the event log, the lists of deliveries, and removed items."""
        now_ms = await self._db.now_ms()
        await self._log.trim(now_ms, await self._lanes.cursor())
        keys, oldest = self._db.keys, now_ms - self._retention.events_ms
        for target in targets:
            for listed in (keys.deliveries(target), keys.pending(target), keys.failed(target)):
                await self._db.run("ZREMRANGEBYSCORE", listed, "-inf", f"({oldest}")
        for source in sources:
            await self._forget_gone(source, now_ms - self._retention.gone_ms)

    async def _forget_gone(self, source: str, oldest_ms: int) -> None:
        keys = self._db.keys
        gone = await self._db.run(
            "ZRANGEBYSCORE", keys.gone(source), "-inf", f"({oldest_ms}", "LIMIT", 0, _GONE_AT_ONCE
        )
        if gone:
            held = await self._held(source, [text(id) for id in gone])
            names = [keys.docs(source), keys.gone(source)]
            # What came back meanwhile is not forgotten, and neither is what lies inside it.
            forgotten = await self._db.script("forget_gone", names, [oldest_ms, _GONE_AT_ONCE])
            await self._inside.forget(source, {id: held[id] for id in map(text, forgotten) if id in held})

    async def _held(self, source: str, ids: Sequence[str]) -> dict[str, Document]:
        """The documents of removed items, but for those that nobody can read."""
        stored = await self._db.run("HMGET", self._db.keys.docs(source), *ids)
        found = {}
        for id, one in zip(ids, stored, strict=True):
            try:
                (document,) = await self._dictionaries.read(source, [id], [one])
            except Unreadable:
                continue
            if document is not None:
                found[id] = document
        return found
