"""Silences in the store: made by people, ended by time or by people, kept for a while after for the record."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from monitor.silences import Silence
from monitor.store.db import Db

KEPT = timedelta(days=14)
"""So long an expired silence is still listed."""

_silences = msgspec.json.Decoder(Silence)


class SilenceStore:
    """The silences of an installation."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def all(self) -> list[Silence]:
        """Every silence that is kept, the one that ends first first."""
        reply = await self._db.run("HVALS", self._db.keys.silences)
        return sorted((_silences.decode(one) for one in reply), key=lambda one: (one.ends_at, one.id))

    async def get(self, id: str) -> Silence | None:
        """One silence by its id."""
        stored = await self._db.run("HGET", self._db.keys.silences, id)
        return _silences.decode(stored) if stored else None

    async def put(self, silence: Silence) -> None:
        """Keep a silence, in the place of the one that has its id."""
        await self._db.run("HSET", self._db.keys.silences, silence.id, msgspec.json.encode(silence))

    async def forget(self, now: datetime) -> int:
        """Forget silences that ended long ago; how many."""
        old = [one.id for one in await self.all() if one.ends_at + KEPT < now]
        return int(await self._db.run("HDEL", self._db.keys.silences, *old)) if old else 0
