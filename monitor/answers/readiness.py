"""Whether the work is done on time: scans that end, deliveries that move, the steps between them, and who does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monitor.ageing import stale_limit
from monitor.bootstrap import Services
from monitor.status import source_view, target_view

LATE_MS = 30_000
"""How late the attempt of a scan or of a delivery may be: a killed worker's scan is taken up within 15 s."""

STUCK_MS = 600_000
"""How late a scan may be that somebody is at: one that hangs, or that ends each worker which takes it up."""

_SOON_MS = 120_000
_TROUBLE = frozenset({"stale", "failing", "credentials_rejected"})


@dataclass(frozen=True, slots=True)
class _Attempts:
    """How many attempts at a target there had been, and since when (ms) it is that many."""

    made: int
    since_ms: int


class Readiness:
    """Looks for work that nobody takes up; a source that was never scanned is due since the first look.

    What it saw at the looks before counts too: `begun_ms` is when it began to look, now if not given.
    """

    def __init__(self, running: Services, begun_ms: int | None = None) -> None:
        self._running = running
        self._store = running.store
        self._begun_ms = begun_ms
        self._attempts: dict[str, _Attempts] = {}

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
        if self._begun_ms is None:
            self._begun_ms = now_ms
        return {
            "sources": await self._late_sources(now_ms),
            "targets": await self._late_targets(now_ms),
            "steps": await self._late_steps(now_ms, self._begun_ms),
        }

    async def _late_sources(self, now_ms: int) -> list[str]:
        """Sources whose scan should have begun a while ago, or ended long ago; a new one is due since we look."""
        late, sources = [], self._store.sources
        for name, source in self._running.sources.items():
            if not source.options.enabled:
                continue
            state, options = await sources.state(name), source.options
            pace_ms = max(self._running.timetable.every_ms(name), int(state.get("pace_ms", "0")))
            due = int(state["slot"]) + pace_ms if "slot" in state else self._begun_ms or now_ms
            behind = now_ms - max(due, int(state.get("paused_until", "0")))
            hanging = max(STUCK_MS, stale_limit(options.every_max or options.every, options.stale_after) * 1000)
            if behind > hanging or (behind > LATE_MS and not await sources.running(name)):
                late.append(name)
        return late

    async def _late_targets(self, now_ms: int) -> list[str]:
        """Targets with deliveries that should have been tried a while ago, while nothing of theirs moves."""
        overdue = await self._store.lanes.due_targets(now_ms - LATE_MS)
        names = [name for name in overdue if name in self._running.settings.targets]
        return [name for name in names if await self._stands_still(name, now_ms)]

    async def _stands_still(self, name: str, now_ms: int) -> bool:
        """Whether nobody is at a target's lanes. A retry that is due soon looks like a lane that somebody is at, so
        that counts for as long as an attempt may take; then there must have been attempts.
        """
        state = await self._store.reading.target(name)
        if "disabled" in state or now_ms - int(state.get("success_at", "0")) <= LATE_MS:
            return False
        (totals,) = await self._store.totals.attempts([name])
        made = sum(totals.made.values())
        if name not in self._attempts or self._attempts[name].made != made:
            self._attempts[name] = _Attempts(made, now_ms)
        patience_ms = round(self._running.targets[name].options.timeout * 1000) + LATE_MS
        if now_ms - self._attempts[name].since_ms > patience_ms:
            return True
        return not await self._store.lanes.due_between(name, now_ms, now_ms + _SOON_MS)

    async def _late_steps(self, now_ms: int, begun_ms: int) -> list[str]:
        """Steps that nobody takes: events into lanes, deadlines into events; `workers` where nobody works at all.

        Workers say that they live by writing, so a store that takes no writes (full, a replica) has none soon.
        """
        waiting = await self._store.log.after(await self._store.lanes.cursor(), 1)
        ring_ms = await self._store.deadlines.late_ms()
        relay = [*(["relay"] if waiting and now_ms - waiting[0].at_ms > LATE_MS else [])]
        relay += ["deadlines"] if ring_ms is not None and now_ms - ring_ms > LATE_MS else []
        nobody = now_ms - begun_ms > LATE_MS and not await self._store.fleet.alive(now_ms)
        return [*relay, *(["workers"] if nobody else [])]

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
