"""GET /api/v1/series: how figures went over the last hours, as the charts of the page draw them."""

from __future__ import annotations

from aiohttp import web

from monitor.bootstrap import Services
from monitor.status.series import METRICS, SeriesView, Span, series, span_of, with_waiting
from monitor.store.minutes import KEPT_MINUTES
from monitor.web.operations import addresses_of, operation
from monitor.web.problems import Problem, answer
from monitor.web.questions import Word, moment_of, one_of
from monitor.web.shapes import Listing

USUAL_MINUTES = 6 * 60
STEPS = (60, 120, 300, 600, 900, 1800, 3600)
METRIC = Word("metric", "one of them only", {"type": "string", "enum": list(METRICS)})
SINCE = Word("since", "2h, 2026-01-05 or RFC 3339, at most 48 hours ago; 6h where nothing is said", {"type": "string"})
STEP = Word("step", "seconds; else the shortest that makes up to 180 values", {"type": "integer", "enum": list(STEPS)})


class SeriesReading:
    """The handler that reads what was counted by the minute."""

    def __init__(self, running: Services) -> None:
        self._running = running

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return addresses_of(self)

    @operation("GET", "/api/v1/series", Listing[SeriesView], words=(METRIC, SINCE, STEP))
    async def read(self, request: web.Request) -> web.Response:
        """Latency, events, attempts and freshness by the minute, of the last two days at the most."""
        metric = one_of(request, "metric", METRICS)
        span = _span(request, await self._running.store.db.now_ms())
        found = await charts(self._running, span, *(one for one in METRICS if metric in {None, one}))
        return answer(Listing(found, None))


async def charts(running: Services, span: Span, *metrics: str) -> list[SeriesView]:
    """The charts of what an installation scans and sends."""
    watched = {name: one for name, one in running.sources.items() if one.options.enabled}
    wanted = [one for one in METRICS if one in metrics]
    found = await series(running.store.minutes, running.store.sources, watched, wanted, span)
    if "latency" not in wanted:
        return found
    backlogs = [await running.store.reading.backlog(name) for name in running.settings.targets]
    return [with_waiting(one, backlogs, span.now_ms) if one.metric == "latency" else one for one in found]


def _span(request: web.Request, now_ms: int) -> Span:
    since = moment_of(request, "since", now_ms)
    minutes = USUAL_MINUTES if since is None else -(-(now_ms - since) // 60_000)
    if not 1 <= minutes <= KEPT_MINUTES:
        raise Problem(400, f"since: write a time of the last {KEPT_MINUTES // 60} hours, such as 6h")
    step = one_of(request, "step", [str(one) for one in STEPS])
    try:
        return span_of(now_ms, minutes, int(step) // 60 if step else None)
    except ValueError as error:
        raise Problem(400, f"step: {error}") from None
