"""/healthz: the process lives. /readyz: scans and deliveries are attempted on time."""

from __future__ import annotations

from aiohttp import web

from monitor.answers.readiness import Readiness
from monitor.bootstrap import Services
from monitor.errors import StoreUnavailable
from monitor.web.guard import Guard
from monitor.web.operations import addresses_of, operation
from monitor.web.problems import answer
from monitor.web.questions import STRICT
from monitor.web.shapes import ReadyView


class Health:
    """The handlers for whoever restarts us or sends us traffic."""

    def __init__(self, running: Services, guard: Guard) -> None:
        self._readiness = Readiness(running)
        self._guard = guard

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return addresses_of(self)

    @operation("GET", "/healthz", "text/plain", guarded=False)
    async def healthz(self, _: web.Request) -> web.Response:
        """The loop turns."""
        return web.Response(text="ok\n")

    @operation("GET", "/readyz", ReadyView, words=(STRICT,), guarded=False, also=(503, ReadyView))
    async def readyz(self, request: web.Request) -> web.Response:
        """200 while work is attempted on time, else 503; with `?strict=1` stale sources and failing targets too."""
        strict = request.query.get("strict") in {"1", "true"}
        try:
            found = await self._readiness.found()
        except StoreUnavailable:
            return answer({"ready": False, "store": False}, 503)
        ready = not any(found["late"].values())
        if strict:
            ready = ready and not found["stale_sources"] and not found["failing_targets"]
        named = found if self._guard.knows(request) else {}
        return answer({"ready": ready, "store": True, **named}, 200 if ready else 503)
