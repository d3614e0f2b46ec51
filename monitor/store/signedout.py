"""Which sessions of people ended before their time: their names are kept until they would have ended by themselves."""

from __future__ import annotations

from monitor.store.db import Db

_SPARE_MS = 60_000
"""How far the clock of a web process may be behind the store's."""


class SignedOut:
    """Sessions that are over for every web process."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def end(self, name: str, left_seconds: float) -> None:
        """A session's name, and how long (seconds) it would have lasted, in; it is over from here on."""
        kept_ms = max(0, int(left_seconds * 1000)) + _SPARE_MS
        await self._db.run("SET", self._db.keys.signed_out(name), "1", "PX", kept_ms)

    async def ended(self, name: str) -> bool:
        """Whether a session was ended; StoreUnavailable where that cannot be known, and nobody is let in."""
        return bool(await self._db.run("EXISTS", self._db.keys.signed_out(name)))
