"""Watching what no scan can tell: data that goes stale because no scan succeeds, credentials that come to their end.

Every worker looks every few seconds; the store sees to it that each fact is told once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitor.ageing import credentials_expiring, gone_stale, stale_limit
from monitor.pipeline.source import Source
from monitor.store.sources import Sources

EVERY_SECONDS = 5.0

GRACE_SECONDS = 60.0
"""After a start scans get so long to catch up before anything counts as stale: nobody was there to make it fresh."""


@dataclass(slots=True)
class Watch:
    """Watches the given sources, disabled ones aside; `clock` gives now with zone."""

    store: Sources
    sources: Mapping[str, Source]
    clock: Callable[[], datetime]
    _began: datetime | None = field(default=None)
    _told: set[tuple[str, str]] = field(default_factory=set)

    async def look(self) -> None:
        """Tell what has become true by time alone and was not told."""
        now = self.clock()
        self._began = self._began or now
        watched = [source for source in self.sources.values() if source.options.enabled]
        states = await self.store.aging([source.name for source in watched])
        for source, state in zip(watched, states, strict=True):
            await self._tell_stale(source, state, now, (now - self._began).total_seconds())
            await self._tell_end(source, state, now)

    async def _tell_stale(self, source: Source, state: Mapping[str, str], now: datetime, watched: float) -> None:
        limit = stale_limit(source.options.every_max or source.options.every, source.options.stale_after)
        news = gone_stale(source.name, source.provider.vocabulary.provider, state, limit, now)
        if news is not None and watched >= min(limit, GRACE_SECONDS):
            since, event = news
            await self.store.tell_stale(source.name, state.get("fresh_at", ""), since, event)

    async def _tell_end(self, source: Source, state: Mapping[str, str], now: datetime) -> None:
        ends = source.provider.credentials().expires_at
        provider = source.provider.vocabulary.provider
        news = credentials_expiring(source.name, provider, state, ends, now) if ends else None
        if news is not None:
            mark, event = news
            if (source.name, mark) not in self._told:
                await self.store.tell_once(source.name, mark, event)
                self._told.add((source.name, mark))
