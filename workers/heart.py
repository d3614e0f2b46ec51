"""The heart: a worker says every few seconds that it lives, which version it is and how its config file is.

It also says how late its event loop was in the last minute, which it measures by the way.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from monitor import __version__
from monitor.bootstrap import Services
from monitor.errors import StoreUnavailable
from monitor.looplag import LoopLag
from monitor.settings import ConfigWatch
from monitor.store.fleet import WorkerFacts
from monitor.telemetry import Counts

EVERY_SECONDS = 5.0


@dataclass(slots=True)
class Heart:
    """Beats for one worker under one config; without `config` there is no file that could have problems."""

    services: Services
    config: ConfigWatch | None
    monotonic: Callable[[], float] = time.monotonic

    async def beat_until(self, stopping: asyncio.Event) -> None:
        """Beat until told to stop, through any outage of the store; then say that this worker is gone."""
        lag = LoopLag(self.monotonic)
        async with lag.measured():
            await self._beat(stopping, lag)

    async def _beat(self, stopping: asyncio.Event, lag: LoopLag) -> None:
        db, owner, since = self.services.store.db, self.services.scanner.owner, None
        counted = Counts(0, 0)
        fleet = self.services.store.fleet
        while not stopping.is_set():
            # An outage is told by those who cannot work; whoever does not beat is not counted.
            with suppress(StoreUnavailable):
                now_ms = await db.now_ms()
                since = since or now_ms
                config_ok = self.config is None or not self.config.rejected
                facts = WorkerFacts(__version__, config_ok, since, now_ms, lag.worst(), lag.mean())
                await fleet.beat(owner, facts)
                counted = await self._count_spans(counted)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), EVERY_SECONDS)
        with suppress(StoreUnavailable):
            await self._count_spans(counted)
            await fleet.leave(owner)

    async def _count_spans(self, before: Counts) -> Counts:
        """Add to the totals what became of spans since the last beat."""
        if self.services.exporter is None:
            return before
        now = self.services.exporter.counts()
        await self.services.store.fleet.count_spans(now.sent - before.sent, now.dropped - before.dropped)
        return now
