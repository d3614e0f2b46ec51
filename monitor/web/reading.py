"""GET /api/v1/...: what is known and what happened, in the shapes of the command line (docs/commands.md)."""

from __future__ import annotations

import msgspec
from aiohttp import web

from monitor.bootstrap import Services
from monitor.settings.tree import routes_of
from monitor.status import (
    DeliveryView,
    Place,
    ResourceView,
    SourceView,
    TargetView,
    deliveries_of,
    deliveries_page,
    delivery_view,
    known_resource,
    resources_page,
    source_view,
    target_view,
)
from monitor.status.explain import Explanation, explain
from monitor.status.history import revisions
from monitor.store.eventlog import FIRST, is_place, place_order
from monitor.store.reading import Wanted
from monitor.web.operations import addresses_of, operation
from monitor.web.problems import Problem, answer
from monitor.web.questions import (
    AFTER,
    EVENT,
    KIND,
    LIMIT,
    PLACE,
    SINCE,
    SOURCE,
    STATE,
    STATUS,
    STATUSES,
    TARGET,
    after,
    cursor,
    limit_of,
    moment_of,
    one_of,
)
from monitor.web.shapes import EventView, Listing, RevisionView

_AHEAD_MS = 60_000
_DAY_MS = 86_400_000


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

    @operation("GET", "/api/v1/targets", Listing[TargetView])
    async def targets(self, _: web.Request) -> web.Response:
        """Every target: what waits for it, how much arrived, whether it is held."""
        now_ms, known = await self._store.db.now_ms(), self._running.settings.targets.values()
        return answer(Page([await target_view(self._store.reading, one.name, one.type, now_ms) for one in known]))

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

    @operation("GET", "/api/v1/resources/{key:.+}/history", Listing[RevisionView], problems=(404,))
    async def history(self, request: web.Request) -> web.Response:
        """The kept revisions of one resource, the newest last."""
        key = request.match_info["key"]
        name, _, ref = key.partition("/")
        if name in self._running.sources:
            lines = await self._store.reading.history(key)
            known = await known_resource(self._store.items, self._running.sources[name], ref)
            if lines or known:
                return answer(Page([*revisions(lines, known)]))
        raise Problem(404, "no such resource is known: /api/v1/resources lists the keys of those that are")

    @operation("GET", "/api/v1/events", Listing[EventView], words=(PLACE, LIMIT), problems=(410,))
    async def events(self, request: web.Request) -> web.Response:
        """The CloudEvents after a cursor, oldest first, as they were stored; `next` is always there."""
        place = request.query.get("after", FIRST)
        if not is_place(place):
            raise Problem(400, "after: not a cursor of the event log; take it from `next` of an answer")
        now_ms = await self._store.db.now_ms()
        found = await self._store.log.after(place, limit_of(request))
        if place_order(place) > (now_ms + _AHEAD_MS, 0) and place_order(place) > place_order(
            await self._store.log.end()
        ):
            raise Problem(400, "after: not a cursor of this event log, it lies in the future; begin again without")
        if place != FIRST and place_order(place) < (now_ms - self._store.log.kept_ms, 0):
            await self._still_kept(place)
        items = b",".join(one.body for one in found)
        following = found[-1].place if found else self._caught_up(place, now_ms)
        return answer(b'{"items":[' + items + b'],"next":"' + following.encode() + b'"}')

    async def _still_kept(self, place: str) -> None:
        """Raises 410 for a cursor after which events were forgotten: a gap must be told, not jumped."""
        begin = await self._store.log.begin()
        if begin is None or place_order(place) < place_order(begin):
            kept = f"{self._store.log.kept_ms // 86_400_000} days"
            raise Problem(
                410,
                f"after: events after this cursor are forgotten (they are kept for {kept}): read /api/v1/resources "
                f"for what is so now, then the log from its beginning with after={FIRST}",
            ).saying(begin=begin or FIRST)

    def _caught_up(self, place: str, now_ms: int) -> str:
        """A cursor that grows no old while nothing happens: well before anything that may still be committed."""
        return place if place == FIRST else max(place, f"{now_ms - _DAY_MS}-0", key=place_order)

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

    @operation("GET", "/api/v1/deliveries", Listing[DeliveryView], words=(TARGET, STATUS, EVENT, SINCE, LIMIT, AFTER))
    async def deliveries(self, request: web.Request) -> web.Response:
        """What was sent to whom with every attempt, the newest first."""
        names, event = self._running.settings.targets, request.query.get("event")
        target, status = one_of(request, "target", names), one_of(request, "status", STATUSES)
        limit, place = limit_of(request), after(request, tuple[int, str])
        wanted = Wanted(status, event, since=moment_of(request, "since", await self._store.db.now_ms()))
        chosen, reading = [target] if target else list(names), self._store.reading
        if event is not None:
            found = [one for one in await deliveries_of(reading, chosen, event) if wanted.fits(one)]
            return answer(Page([delivery_view(one) for one in found[::-1]]))
        page = await deliveries_page(reading, chosen, wanted, place, limit=limit)
        return answer(Page([delivery_view(one) for one in page.items], cursor(page.rest) if page.rest else None))
