"""POST: a target switched off and on by an operator."""

from __future__ import annotations

import structlog
from aiohttp import web

from monitor.bootstrap import Services
from monitor.web.operations import addresses_of, operation
from monitor.web.problems import Problem, answer
from monitor.web.shapes import SwitchedView


class Switching:
    """The handlers that run a target's life."""

    def __init__(self, running: Services) -> None:
        self._running = running

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return addresses_of(self)

    @operation("POST", "/api/v1/targets/{name}/enable", SwitchedView, problems=(404,))
    async def enable(self, request: web.Request) -> web.Response:
        """Send to it again, what waited first."""
        return await self._switch(request.match_info["name"], on=True)

    @operation("POST", "/api/v1/targets/{name}/disable", SwitchedView, problems=(404,))
    async def disable(self, request: web.Request) -> web.Response:
        """Send it nothing; events go on waiting for it."""
        return await self._switch(request.match_info["name"], on=False)

    async def _switch(self, name: str, *, on: bool) -> web.Response:
        if name not in self._running.settings.targets:
            raise Problem(404, "no target has this name: /api/v1/targets lists them")
        store = self._running.store
        changed = await (store.switch.on(name) if on else store.switch.off(name))
        structlog.get_logger().info("target.switched", target=name, on=on, changed=changed)
        waiting = (await store.reading.backlog(name)).size
        return answer(SwitchedView(name, "enabled" if on else "disabled", changed, waiting))
