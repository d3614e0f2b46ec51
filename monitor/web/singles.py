"""GET /api/v1/...: one source, target, resource, event or delivery, as the lists have it."""

from __future__ import annotations

from aiohttp import web

from monitor.bootstrap import Services
from monitor.status import (
    DeliveryView,
    ResourceView,
    SourceView,
    TargetView,
    addressed,
    delivery_view,
    known_resource,
    resource_view,
    source_view,
    target_view,
)
from monitor.web.operations import addresses_of, operation
from monitor.web.problems import Problem, answer
from monitor.web.shapes import EventView


class Singles:
    """The handlers that read one thing by its name, key or id, with all that is known of it."""

    def __init__(self, running: Services) -> None:
        self._running = running
        self._store = running.store

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return addresses_of(self)

    @operation("GET", "/api/v1/sources/{name}", SourceView, problems=(404,))
    async def source(self, request: web.Request) -> web.Response:
        """One source: how fresh, when it is due next, what is wrong."""
        store, found = self._store, self._running.sources.get(request.match_info["name"])
        if found is None:
            raise Problem(404, "no source has this name: /api/v1/sources lists them")
        return answer(await source_view(store.sources, store.items, found, await store.db.now_ms()))

    @operation("GET", "/api/v1/targets/{name}", TargetView, problems=(404,))
    async def target(self, request: web.Request) -> web.Response:
        """One target: what waits for it, how much arrived, whether it is held; and its address."""
        found = self._running.settings.targets.get(request.match_info["name"])
        if found is None:
            raise Problem(404, "no target has this name: /api/v1/targets lists them")
        view = await target_view(self._store.reading, found.name, found.type, await self._store.db.now_ms())
        return answer(addressed(view, self._running.targets[found.name].target.address()))

    @operation("GET", "/api/v1/resources/{key:.+}", ResourceView, problems=(404,))
    async def resource(self, request: web.Request) -> web.Response:
        """One resource as it is known now; what was removed has only a history."""
        name, _, ref = request.match_info["key"].partition("/")
        source = self._running.sources.get(name)
        known = await known_resource(self._store.items, source, ref) if source else None
        if source is None or known is None:
            raise Problem(404, "no such resource is known: /api/v1/resources lists the keys of those that are")
        if known.gone:
            raise Problem(404, f"this resource was removed: {request.path}/history says how it was")
        return answer(resource_view(source, known))

    @operation("GET", "/api/v1/events/{id}", EventView, problems=(404,))
    async def event(self, request: web.Request) -> web.Response:
        """One CloudEvent as it was stored."""
        found = await self._store.log.get(request.match_info["id"])
        if found is None:
            raise Problem(404, "no event of this id is kept: /api/v1/events lists those that are")
        return answer(found.body)

    @operation("GET", "/api/v1/deliveries/{id:(?!replay$)[^/]+}", DeliveryView, problems=(404,))
    async def delivery(self, request: web.Request) -> web.Response:
        """One delivery with every attempt, when it was made, and what it is about."""
        found = await self._store.reading.delivery(request.match_info["id"])
        if found is None:
            raise Problem(404, "no such delivery: /api/v1/deliveries lists those that are kept")
        return answer(delivery_view(found, detail=True))
