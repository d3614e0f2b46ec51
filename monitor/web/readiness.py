"""Whether the work is attempted on time: scans, deliveries, and the steps between them."""

from __future__ import annotations

from typing import Any

from monitor.bootstrap import Services
from monitor.status import source_view, target_view

LATE_MS = 30_000
"""How late the attempt of a scan or of a delivery may be: a killed worker's scan is taken up within 15 s."""

_SOON_MS = 120_000
_TROUBLE = frozenset({"stale", "failing", "credentials_rejected"})


class Readiness:
    """Looks for work that nobody takes up; a source that was never scanned is due since the first look."""

    def __init__(self, running: Services) -> None:
        self._running = running
        self._store = running.store
        self._started_ms: int | None = None

    async def found(self) -> dict[str, Any]:
        """What is `late` (sources, targets, steps by name), and the stale sources and failing targets."""
        now_ms = await self._store.db.now_ms()
        return {
            "late": await self.late(now_ms),
            "stale_sources": await self._stale_sources(now_ms),
            "failing_targets": await self._failing_targets(now_ms),
        }

    async def late(self, now_ms: int) -> dict[str, list[str]]:
        """What nobody takes up at `now_ms` of the store's clock: sources, targets and steps by name."""
        if self._started_ms is None:
            self._started_ms = now_ms
        return {
            "sources": await self._late_sources(now_ms),
            "targets": await self._late_targets(now_ms),
            "steps": await self._late_steps(now_ms),
        }

    async def _late_sources(self, now_ms: int) -> list[str]:
        """Sources whose scan should have begun a while ago; one that was never scanned is due since we look."""
        late, sources = [], self._store.sources
        for name, source in self._running.sources.items():
            if not source.options.enabled or await sources.running(name):
                continue
            state = await sources.state(name)
            pace_ms = max(self._running.timetable.every_ms(name), int(state.get("pace_ms", "0")))
            due = int(state["slot"]) + pace_ms if "slot" in state else self._started_ms or now_ms
            if now_ms - max(due, int(state.get("paused_until", "0"))) > LATE_MS:
                late.append(name)
        return late

    async def _late_targets(self, now_ms: int) -> list[str]:
        """Targets with deliveries that should have been tried a while ago, while nothing of theirs moves."""
        late = []
        for name in await self._store.lanes.due_targets(now_ms - LATE_MS):
            if name not in self._running.settings.targets:
                continue
            under_way = await self._store.lanes.due_between(name, now_ms, now_ms + _SOON_MS)
            state = await self._store.reading.target(name)
            moved = now_ms - int(state.get("success_at", "0")) <= LATE_MS
            if not under_way and not moved and "disabled" not in state:
                late.append(name)
        return late

    async def _late_steps(self, now_ms: int) -> list[str]:
        """Steps between a scan and a delivery that nobody takes: events into lanes, deadlines into events."""
        waiting = await self._store.log.after(await self._store.lanes.cursor(), 1)
        ring_ms = await self._store.deadlines.next_ms()
        relay = [*(["relay"] if waiting and now_ms - waiting[0].at_ms > LATE_MS else [])]
        return [*relay, *(["deadlines"] if ring_ms is not None and now_ms - ring_ms > LATE_MS else [])]

    async def _stale_sources(self, now_ms: int) -> list[dict[str, Any]]:
        found = []
        for source in self._running.sources.values():
            view = await source_view(self._store.sources, self._store.items, source, now_ms)
            if view.state in _TROUBLE:
                found.append({"name": view.name, "state": view.state, "age": view.age})
        return found

    async def _failing_targets(self, now_ms: int) -> list[dict[str, Any]]:
        known, reading = self._running.settings.targets.values(), self._store.reading
        views = [await target_view(reading, one.name, one.type, now_ms) for one in known]
        return [{"name": one.name, "state": one.state, "backlog": one.backlog} for one in views if one.state != "ok"]
