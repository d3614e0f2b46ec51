"""GET /api/v1/events: the event log, forwards from a cursor and backwards from its end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from monitor.bootstrap import Services
from monitor.events import decode
from monitor.routing import type_glob
from monitor.store.eventlog import FIRST, EventLog, Stored, is_place, place_order
from monitor.web.operations import addresses_of, operation
from monitor.web.problems import Problem, answer
from monitor.web.questions import LIMIT, PLACE, SINCE, SOURCE, TYPE, limit_of, moment_of, one_of
from monitor.web.shapes import EventView, LatestView, Listing

LOOKED_AT = 5000
"""How many events are looked at for one page, however few of them are wanted."""

_AHEAD_MS = 60_000
_DAY_MS = 86_400_000
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are listed; None for any."""

    source: str | None
    type: re.Pattern[str] | None

    @property
    def all(self) -> bool:
        """Whether every event is."""
        return self.source is None and self.type is None

    def fits(self, one: Stored) -> bool:
        """Whether this event is listed."""
        if self.type is not None and not self.type.fullmatch(one.type):
            return False
        return self.source is None or decode(one.body)["data"].get("source") == self.source


class Events:
    """The handlers that list events."""

    def __init__(self, running: Services) -> None:
        self._running = running
        self._store = running.store

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return addresses_of(self)

    @operation("GET", "/api/v1/events", Listing[EventView], words=(PLACE, LIMIT, SOURCE, TYPE), problems=(410,))
    async def events(self, request: web.Request) -> web.Response:
        """The CloudEvents after a cursor, oldest first, as they were stored; `next` is always there."""
        place, wanted, limit = request.query.get("after", FIRST), self._wanted(request), limit_of(request)
        if not is_place(place):
            raise Problem(400, "after: not a cursor of the event log; take it from `next` of an answer")
        log, now_ms = self._store.log, await self._store.db.now_ms()
        found, last = await _after(log, place, wanted, limit)
        if place_order(place) > (now_ms + _AHEAD_MS, 0) and place_order(place) > place_order(await log.end()):
            raise Problem(400, "after: not a cursor of this event log, it lies in the future; begin again without")
        if place != FIRST and place_order(place) < (now_ms - log.kept_ms, 0):
            await self._still_kept(place)
        return _listed(found, last or self._caught_up(place, now_ms))

    @operation("GET", "/api/v1/events/latest", LatestView, words=(PLACE, LIMIT, SOURCE, TYPE, SINCE))
    async def latest(self, request: web.Request) -> web.Response:
        """The CloudEvents before a cursor, newest first, down to `since`; `next` is null where there are no more."""
        log, wanted, limit = self._store.log, self._wanted(request), limit_of(request)
        since = moment_of(request, "since", await self._store.db.now_ms()) or 0
        place = request.query.get("after")
        if place is not None and not is_place(place):
            raise Problem(400, "after: not a cursor of the event log; take it from `next` of an answer")
        end = await log.end()
        if place is not None and place_order(place) == (0, 0):
            return _listed([], None, end)
        found, rest = await _before(log, end if place is None else f"({place}", wanted, since, limit)
        return _listed(found, rest, end)

    def _wanted(self, request: web.Request) -> Wanted:
        source, type_ = one_of(request, "source", self._running.sources), request.query.get("type")
        return Wanted(source, type_glob(type_) if type_ else None)

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


async def _after(log: EventLog, place: str, wanted: Wanted, limit: int) -> tuple[list[Stored], str | None]:
    """The next events that are wanted, and the place of the last one that was looked at; None where there was none."""
    found: list[Stored] = []
    last, looked_at = None, 0
    while len(found) < limit and looked_at < LOOKED_AT:
        size = limit - len(found) if wanted.all else _AT_ONCE
        part = await log.after(last or place, size)
        for one in part:
            if len(found) == limit:
                break
            last, looked_at = one.place, looked_at + 1
            if wanted.fits(one):
                found.append(one)
        if len(part) < size:
            break
    return found, last


async def _before(log: EventLog, place: str, wanted: Wanted, since: int, limit: int) -> tuple[list[Stored], str | None]:
    """The latest events up to a place that are wanted, newest first, and where the rest begins; None at the end."""
    found: list[Stored] = []
    last, looked_at, size = place, 0, min(limit + 1, _AT_ONCE) if wanted.all else _AT_ONCE
    while part := await log.until(last, size):
        for one in reversed(part):
            if one.at_ms < since:
                return found, None
            if len(found) == limit or looked_at == LOOKED_AT:
                return found, last.removeprefix("(")
            last, looked_at = f"({one.place}", looked_at + 1
            if wanted.fits(one):
                found.append(one)
        if len(part) < size:
            break
    return found, None


def _listed(found: Sequence[Stored], following: str | None, place: str | None = None) -> web.Response:
    """The bytes of the events as they were stored."""
    items, rest = b",".join(one.body for one in found), f'"{following}"' if following else "null"
    more = f',"place":"{place}"' if place else ""
    return answer(b'{"items":[' + items + b'],"next":' + rest.encode() + more.encode() + b"}")
