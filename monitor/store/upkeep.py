"""Keeping the store bounded: what is older than its retention is forgotten, a little at a time."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.store.db import Db
from monitor.store.eventlog import EventLog
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
        await self._db.script("forget_gone", [keys.docs(source), keys.gone(source)], [oldest_ms, _GONE_AT_ONCE])
