"""A target switched off and on by hand."""

from __future__ import annotations

from monitor.store.db import Db

_TROUBLE = ("failures", "failing_since", "failed_at", "net", "net_lane", "open_at", "probe_at", "probes", "probing")


class Switch:
    """Disables and enables targets: one that is off keeps its backlog and is sent nothing."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def off(self, target: str) -> bool:
        """Send nothing any more, attempts in flight aside; False when it was off already."""
        return bool(await self._db.run("HSETNX", self._db.keys.target(target), "disabled", await self._db.now_ms()))

    async def on(self, target: str) -> bool:
        """Send again, the backlog first; False when it was on already.

        A target that was off begins anew: old failures do not count, and neither circuit nor hold keep it waiting.
        """
        keys, now = self._db.keys, await self._db.now_ms()
        was_off = bool(await self._db.run("HDEL", keys.target(target), "disabled"))
        if was_off:
            await self._db.run("HDEL", keys.target(target), *_TROUBLE)
            await self._db.run("HSET", keys.target(target), "back", now)
            await self._db.run("DEL", keys.hold(target))
        # Claiming lanes of a disabled target takes it out of the due index: put it back, at its first lane's time.
        first = await self._db.run("ZRANGE", keys.lanes(target), 0, 0)
        score = await self._db.run("ZSCORE", keys.lanes(target), first[0]) if first else None
        if score is not None:
            await self._db.run("ZADD", keys.due, score, target)
            await self._db.run("XADD", keys.bell, "MAXLEN", 1, "*", "ring", 1)
        return was_off
