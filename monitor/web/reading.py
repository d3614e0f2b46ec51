"""GET /api/v1/...: what is known and what happened, in the shapes of the command line (docs/commands.md)."""

from __future__ import annotations

import re

import msgspec
from aiohttp import web

from monitor.bootstrap import Services
from monitor.status import (
    Place,
    deliveries_from,
    delivery_view,
    known_resource,
    resources_from,
    source_view,
    target_view,
)
from monitor.store.eventlog import FIRST
from monitor.web.problems import Problem, answer
from monitor.web.questions import after, cursor, limit_of, one_of, only

STATUSES = ("pending", "delivered", "failed")
_PLACE = re.compile(r"[0-9]{1,20}-[0-9]{1,20}")
_LARGEST = 2**64


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
        return [
            web.get("/api/v1/sources", self.sources),
            web.get("/api/v1/targets", self.targets),
            web.get("/api/v1/resources", self.resources),
            web.get("/api/v1/resources/{key:.+}/history", self.history),
            web.get("/api/v1/events", self.events),
            web.get("/api/v1/deliveries", self.deliveries),
        ]

    async def sources(self, request: web.Request) -> web.Response:
        """Every source: how fresh, when it is due next, what is wrong."""
        only(request)
        store, now_ms = self._store, await self._store.db.now_ms()
        watched = self._running.sources.values()
        return answer(Page([await source_view(store.sources, store.items, one, now_ms) for one in watched]))

    async def targets(self, request: web.Request) -> web.Response:
        """Every target: what waits for it, how much arrived, whether it is held."""
        only(request)
        now_ms, known = await self._store.db.now_ms(), self._running.settings.targets.values()
        return answer(Page([await target_view(self._store.reading, one.name, one.type, now_ms) for one in known]))

    async def resources(self, request: web.Request) -> web.Response:
        """What is there now, by source and item."""
        only(request, "source", "kind", "state", "limit", "after")
        source = one_of(request, "source", self._running.sources)
        watched = [one for name, one in sorted(self._running.sources.items()) if source in {None, name}]
        limit, place = limit_of(request), after(request, Place)
        kind, state = request.query.get("kind"), request.query.get("state")
        found: list[object] = []
        async for at, view in resources_from(self._store.items, watched, place, kind=kind, state=state):
            if len(found) == limit:
                return answer(Page(found, cursor(place)))
            found.append(view)
            place = at
        return answer(Page(found))

    async def history(self, request: web.Request) -> web.Response:
        """The kept revisions of one resource, the newest last."""
        only(request)
        key = request.match_info["key"]
        name, _, ref = key.partition("/")
        if name in self._running.sources:
            lines = await self._store.reading.history(key)
            if lines or await known_resource(self._store.items, self._running.sources[name], ref):
                return answer(Page([*lines]))
        raise Problem(404, "no such resource is known: /api/v1/resources lists the keys of those that are")

    async def events(self, request: web.Request) -> web.Response:
        """The CloudEvents after a cursor, oldest first, as they were stored; `next` is always there."""
        only(request, "after", "limit")
        place = request.query.get("after", FIRST)
        if not _PLACE.fullmatch(place) or any(int(part) >= _LARGEST for part in place.split("-")):
            raise Problem(400, "after: not a cursor of the event log; take it from `next` of an answer")
        found = await self._store.log.after(place, limit_of(request))
        items = b",".join(one.body for one in found)
        following = found[-1].place if found else place
        return answer(b'{"items":[' + items + b'],"next":"' + following.encode() + b'"}')

    async def deliveries(self, request: web.Request) -> web.Response:
        """What was sent to whom with every attempt, the newest first."""
        only(request, "target", "status", "limit", "after")
        names = self._running.settings.targets
        target, status = one_of(request, "target", names), one_of(request, "status", STATUSES)
        limit, place = limit_of(request), after(request, tuple[int, str])
        wanted = [target] if target else list(names)
        found = await deliveries_from(self._store.reading, wanted, place, status=status, limit=limit + 1)
        shown = found[:limit]
        more = cursor((shown[-1].made_ms, shown[-1].id)) if len(found) > limit else None
        return answer(Page([delivery_view(one) for one in shown], more))
