"""/metrics: the figures of an installation as Prometheus reads them.

All of them come from the store, so that every process that answers says the same, whatever the number of workers; but
for how late the loop of the one that answers is.
"""

from __future__ import annotations

from collections import Counter

from aiohttp import web

from monitor import __version__
from monitor.answers.readiness import Readiness
from monitor.bootstrap import Services
from monitor.conditions import Status
from monitor.looplag import LoopLag
from monitor.store.server import server_load
from monitor.web.exposition import Exposition
from monitor.web.figures import add_scans, add_source, add_target
from monitor.web.operations import addresses_of, operation

LAG = web.AppKey("lag", LoopLag)
"""How late the loop of this web process is."""

_SEVERITIES = ("critical", "warning", "info")
_UNENDED = (Status.OPEN, Status.ACKNOWLEDGED, Status.SNOOZED)


class Metrics:
    """The handler that counts."""

    def __init__(self, running: Services) -> None:
        self._running = running
        self._store = running.store
        self._readiness = Readiness(running)
        self._totals = running.store.totals
        self._fleet = running.store.fleet

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return addresses_of(self)

    @operation("GET", "/metrics", "text/plain")
    async def metrics(self, request: web.Request) -> web.Response:
        """Every figure, as of now."""
        shown, now_ms = Exposition(), await self._store.db.now_ms()
        shown.add("jobwire_build_info", 1, version=__version__)
        _lag(shown, "web", request.app[LAG].worst(), request.app[LAG].mean())
        await self._workers(shown, now_ms)
        await self._sources(shown, now_ms)
        await self._steps(shown, now_ms)
        await self._conditions(shown, now_ms)
        await self._targets(shown, now_ms)
        await self._telemetry(shown)
        await self._server(shown)
        return web.Response(text=shown.text(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _workers(self, shown: Exposition, now_ms: int) -> None:
        alive = await self._fleet.alive(now_ms)
        shown.add("jobwire_workers", len(alive))
        for version, number in sorted(Counter(one.version for one in alive).items()):
            shown.add("jobwire_workers_by_version", number, version=version)
        if alive:
            _lag(shown, "workers", max(one.lag_worst for one in alive), max(one.lag_mean for one in alive))
            shown.add("jobwire_config_last_reload_successful", int(all(one.config_ok for one in alive)))
            taken = min(one.config_at for one in alive)
            shown.add("jobwire_config_last_reload_success_timestamp_seconds", taken / 1000)

    async def _sources(self, shown: Exposition, now_ms: int) -> None:
        sources = self._running.sources
        for source, totals in zip(sources.values(), await self._totals.scans(list(sources)), strict=True):
            state = await self._store.sources.state(source.name)
            add_source(shown, source, state, await self._store.items.size(source.name), now_ms)
            add_scans(shown, source.name, state, totals)
            quota = await self._store.sources.quota(source.credential)
            if quota is not None and quota.ends_ms > now_ms:
                shown.add("jobwire_source_quota_remaining", quota.left, source=source.name)
                shown.add("jobwire_source_quota_limit", quota.limit, source=source.name)

    async def _steps(self, shown: Exposition, now_ms: int) -> None:
        for what, late in (await self._readiness.late(now_ms)).items():
            shown.add("jobwire_work_late", len(late), what=what)
        shown.add("jobwire_events_total", await self._store.log.written())
        waiting = await self._store.log.after(await self._store.lanes.cursor(), 1)
        lag_ms = max(0, now_ms - waiting[0].at_ms) if waiting else 0
        shown.add("jobwire_relay_lag_seconds", lag_ms / 1000)
        ring_ms = await self._store.deadlines.late_ms()
        shown.add("jobwire_deadlines_lag_seconds", max(0, now_ms - ring_ms) / 1000 if ring_ms is not None else 0)

    async def _conditions(self, shown: Exposition, now_ms: int) -> None:
        briefs = await self._store.conditions.briefs()
        found = Counter((one.severity, one.status(now_ms)) for some in briefs.values() for one in some)
        for severity in _SEVERITIES:
            for state in _UNENDED:
                shown.add("jobwire_conditions", found[severity, state], severity=severity, state=state)

    async def _targets(self, shown: Exposition, now_ms: int) -> None:
        names, reading = list(self._running.settings.targets), self._store.reading
        for name, totals in zip(names, await self._totals.attempts(names), strict=True):
            state, backlog = await reading.target(name), await reading.backlog(name)
            add_target(shown, name, state, backlog, await reading.held_until(name), now_ms)
            for (outcome, answer), number in sorted(totals.made.items()):
                shown.add("jobwire_attempts_total", number, target=name, outcome=outcome, answer=answer)
            shown.add("jobwire_target_catch_ups_total", totals.caught_up, target=name)
            shown.add("jobwire_target_folded_groups_total", totals.folded, target=name)
            shown.histogram("jobwire_attempt_seconds", totals.took, target=name)
            shown.histogram("jobwire_delivery_seconds", totals.after, target=name)

    async def _telemetry(self, shown: Exposition) -> None:
        for outcome, number in zip(("sent", "dropped"), await self._fleet.spans(), strict=True):
            shown.add("jobwire_spans_total", number, outcome=outcome)

    async def _server(self, shown: Exposition) -> None:
        load = await server_load(self._store.db)
        shown.add("jobwire_store_memory_bytes", load.memory)
        shown.add("jobwire_store_memory_limit_bytes", load.memory_limit)
        shown.add("jobwire_store_script_seconds_total", load.script_seconds)
        shown.add("jobwire_store_scripts_total", load.scripts)


def _lag(shown: Exposition, what: str, worst: float, mean: float) -> None:
    shown.add("jobwire_loop_lag_seconds", round(worst, 6), what=what)
    shown.add("jobwire_loop_lag_mean_seconds", round(mean, 6), what=what)
