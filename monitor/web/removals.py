"""/api/v1/sources/NAME/removals: what went missing all at once, and an operator's word on it."""

from __future__ import annotations

import structlog
from aiohttp import web

from monitor.bootstrap import Services
from monitor.status import DecidedView, Decision, HeldPage, HeldPlace, decide_removals, held_decision, held_page
from monitor.web.operations import addresses_of, operation
from monitor.web.problems import Problem, answer
from monitor.web.questions import AFTER, LIMIT, after, cursor, limit_of


class Removals:
    """The handlers for removals that are held."""

    def __init__(self, running: Services) -> None:
        self._running = running

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return addresses_of(self)

    @operation("GET", "/api/v1/sources/{name}/removals", HeldPage, words=(LIMIT, AFTER), problems=(404,))
    async def held(self, request: web.Request) -> web.Response:
        """The items whose removal is held, the longest missing first, and what was decided about them."""
        name, store = self._source(request), self._running.store
        place, limit = after(request, HeldPlace), limit_of(request)
        found, rest = await held_page(store.sources, store.items, name, place, limit)
        decided = await held_decision(store.sources, name)
        return answer(HeldPage(found, cursor(rest) if rest else None, decided))

    @operation("POST", "/api/v1/sources/{name}/removals/release", DecidedView, problems=(404, 409))
    async def release(self, request: web.Request) -> web.Response:
        """Believe that what is missing is gone: the next complete scan removes it and tells each removal."""
        return await self._decide(request, "release")

    @operation("POST", "/api/v1/sources/{name}/removals/discard", DecidedView, problems=(404, 409))
    async def discard(self, request: web.Request) -> web.Response:
        """Forget what is missing: the next complete scan removes it, and nobody is told."""
        return await self._decide(request, "discard")

    async def _decide(self, request: web.Request, decision: Decision) -> web.Response:
        name = self._source(request)
        done = await decide_removals(self._running.store.sources, name, decision)
        if done is None:
            raise Problem(409, "no removal of this source is held: nothing was done")
        structlog.get_logger().info("removals.decided", source=name, decision=decision, count=done.count, by="api")
        return answer(done)

    def _source(self, request: web.Request) -> str:
        name = request.match_info["name"]
        if name not in self._running.sources:
            raise Problem(404, "no source has this name: /api/v1/sources lists them")
        return name
