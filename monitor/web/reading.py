"""GET /api/v1/...: what is known and what happened, in the shapes of the command line (docs/commands.md)."""

from __future__ import annotations

import msgspec
from aiohttp import web

from monitor.bootstrap import Services
from monitor.routing import type_glob
from monitor.settings.tree import routes_of
from monitor.status import (
    DeliveryView,
    Place,
    ResourceView,
    SourceView,
    TargetView,
    addressed,
    deliveries_of,
    deliveries_page,
    delivery_view,
    known_resource,
    resources_page,
    source_view,
    target_view,
)
from monitor.status.explain import Explanation, explain
from monitor.status.history import brief, revisions
from monitor.store.reading import Wanted
from monitor.web.operations import addresses_of, operation
from monitor.web.problems import Problem, answer
from monitor.web.questions import (
    AFTER,
    DETAIL,
    EVENT,
    KIND,
    LIMIT,
    SINCE,
    SOURCE,
    STATE,
    STATUS,
    STATUSES,
    TARGET,
    TYPE,
    after,
    cursor,
    limit_of,
    moment_of,
    one_of,
)
from monitor.web.shapes import HistoryView, Listing


class Page(msgspec.Struct, frozen=True):
    """A list or a part of one; `next` is the cursor of what follows, None at the end."""

    items: list[object]
    next: str | None = None


class Readings:
    """The handlers that read."""

    def __init__(self, running: Services) -> None:
        self._running = running
        self._store = running.store

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return addresses_of(self)

    @operation("GET", "/api/v1/sources", Listing[SourceView])
    async def sources(self, _: web.Request) -> web.Response:
        """Every source: how fresh, when it is due next, what is wrong."""
        store, now_ms = self._store, await self._store.db.now_ms()
        watched = self._running.sources.values()
        return answer(Page([await source_view(store.sources, store.items, one, now_ms) for one in watched]))

    @operation("GET", "/api/v1/targets", Listing[TargetView], words=(DETAIL,))
    async def targets(self, request: web.Request) -> web.Response:
        """Every target: what waits for it, how much arrived, whether it is held; with `detail=1` its address."""
        detail, known = _detail(request), self._running.settings.targets.values()
        now_ms, where = await self._store.db.now_ms(), self._running.targets
        views = [await target_view(self._store.reading, one.name, one.type, now_ms) for one in known]
        return answer(Page([addressed(one, where[one.name].target.address()) if detail else one for one in views]))

    @operation("GET", "/api/v1/resources", Listing[ResourceView], words=(SOURCE, KIND, STATE, LIMIT, AFTER))
    async def resources(self, request: web.Request) -> web.Response:
        """What is there now, by source and item."""
        source = one_of(request, "source", self._running.sources)
        watched = [one for name, one in sorted(self._running.sources.items()) if source in {None, name}]
        limit, place = limit_of(request), after(request, Place)
        kind, state = request.query.get("kind"), request.query.get("state")
        items, reading = self._store.items, self._store.reading
        page = await resources_page(items, reading, watched, place, kind=kind, state=state, limit=limit)
        return answer(Page([*page.items], cursor(page.rest) if page.rest else None))

    @operation("GET", "/api/v1/resources/{key:[^/]+/[^/]+/.+}/history", HistoryView, problems=(404,))
    async def history(self, request: web.Request) -> web.Response:
        """The kept revisions of one resource, the newest last, and how it is now."""
        key = request.match_info["key"]
        name, _, ref = key.partition("/")
        if name in self._running.sources:
            lines = await self._store.reading.history(key)
            known = await known_resource(self._store.items, self._running.sources[name], ref)
            if lines or known:
                return answer({"items": revisions(lines, known), "next": None, "resource": brief(known)})
        raise Problem(404, "no such resource is known: /api/v1/resources lists the keys of those that are")

    @operation("GET", "/api/v1/events/{id}/explain", Explanation, problems=(404,))
    async def explain(self, request: web.Request) -> web.Response:
        """Why an event was made, which routes took it and which did not, and what became of it."""
        settings, store = self._running.settings, self._store
        vocabularies = [one.provider.vocabulary for one in self._running.sources.values()]
        routes = routes_of(settings)
        wanted = (request.match_info["id"], routes, list(settings.targets), vocabularies, await store.lanes.cursor())
        found = await explain(store.log, store.reading, *wanted)
        if found is None:
            raise Problem(404, "no event of this id is kept: /api/v1/events lists those that are")
        return answer(found)

    @operation(
        "GET",
        "/api/v1/deliveries",
        Listing[DeliveryView],
        words=(TARGET, STATUS, EVENT, TYPE, SINCE, DETAIL, LIMIT, AFTER),
    )
    async def deliveries(self, request: web.Request) -> web.Response:
        """What was sent to whom with every attempt, the newest first; with `detail=1` also when, which type and key."""
        names, event, detail = self._running.settings.targets, request.query.get("event"), _detail(request)
        target, status = one_of(request, "target", names), one_of(request, "status", STATUSES)
        limit, place, type_ = limit_of(request), after(request, tuple[int, str]), request.query.get("type")
        since = moment_of(request, "since", await self._store.db.now_ms())
        wanted = Wanted(status, event, type_glob(type_) if type_ else None, since)
        chosen, reading = [target] if target else list(names), self._store.reading
        if event is not None:
            found = [one for one in await deliveries_of(reading, chosen, event) if wanted.fits(one)]
            return answer(Page([delivery_view(one, detail=detail) for one in found[::-1]]))
        page = await deliveries_page(reading, chosen, wanted, place, limit=limit)
        views = [delivery_view(one, detail=detail) for one in page.items]
        return answer(Page([*views], cursor(page.rest) if page.rest else None))


def _detail(request: web.Request) -> bool:
    return one_of(request, "detail", ("0", "1")) == "1"
