"""The store's clock as this process knows it: the one clock that all workers share, however wrong their own are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from monitor.moments import from_millis
from monitor.store.db import Db

_WORTH_A_WORD = timedelta(seconds=5)


class SharedClock:
    """`now()` is this host's clock corrected by how far it was from the store's at the last `sync`."""

    def __init__(self, db: Db, host: Callable[[], datetime]) -> None:
        self._db = db
        self._host = host
        self._ahead = timedelta(0)
        self._warned = False

    def now(self) -> datetime:
        """The present instant by the store's clock, in UTC."""
        return self._host() + self._ahead

    async def sync(self) -> None:
        """Compare with the store; the answer counts for the middle of the round trip."""
        before = self._host()
        stored = from_millis(await self._db.now_ms())
        middle = before + (self._host() - before) / 2
        self._ahead = stored - middle
        if abs(self._ahead) > _WORTH_A_WORD and not self._warned:
            self._warned = True
            seconds = round(self._ahead.total_seconds(), 1)
            structlog.get_logger().warning("clock.skewed", store_ahead_seconds=seconds)
