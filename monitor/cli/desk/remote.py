"""Questions answered over HTTP by `jobwire web`: the addresses of docs/api.md."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

import msgspec

from monitor.cli.desk.asked import DeliveriesWanted, EventsFound, EventsWanted, Held, Line, Past, What, values
from monitor.cli.desk.http import AGREED, Server, Unreachable, quoted
from monitor.cli.names import known
from monitor.errors import UsageError
from monitor.moments import stamp, to_millis

MOST = 1000
"""How many objects one answer holds at most."""

_EVENTS_AT_ONCE = 500
_LAST = "999999999999999999"
_NOTHING, _GONE = HTTPStatus.NOT_FOUND, HTTPStatus.GONE


class Page(msgspec.Struct, frozen=True):
    """A part of a list; `next` is the cursor of what follows. Other members are there for some lists only."""

    items: list[msgspec.Raw]
    next: str | None = None
    resource: dict[str, Any] | None = None
    place: str | None = None
    decided: str | None = None

    @property
    def lines(self) -> list[Line]:
        """The objects, byte for byte."""
        return [bytes(one) for one in self.items]


class Asked:
    """What is asked and changes nothing."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def now(self) -> datetime:
        """The server's time."""
        return self._server.now()

    async def no_earlier(self) -> datetime:
        """The server's time, and what it may be off by."""
        return self._server.now() + AGREED

    async def known(self, what: What, name: str | None) -> None:
        """Raises UsageError, with the names that the server has, when a name is given that it does not have."""
        if name is not None:
            found = await (self.sources() if what == "source" else self.targets(detail=False))
            known(what, name, [str(values(one)["name"]) for one in found])

    async def sources(self) -> Sequence[Line]:
        """Every source."""
        return (await self._page("/sources")).lines

    async def targets(self, *, detail: bool) -> Sequence[Line]:
        """Every target; with `detail` its address too."""
        return (await self._page("/targets", {"detail": "1" if detail else None})).lines

    async def resources(self, source: str | None, kind: str | None, state: str | None) -> AsyncIterator[Line]:
        """Every resource that is there, each once; a list that changes may show some twice. Memory holds keys only."""
        seen: set[str] = set()
        async for page in self._pages("/resources", {"source": source, "kind": kind, "state": state}):
            for line in page.lines:
                key = str(values(line)["key"])
                if key not in seen:
                    seen.add(key)
                    yield line

    async def history(self, key: str) -> Past | None:
        """The revisions of a resource."""
        found = await self._server.call("GET", f"/resources/{quoted(key, '/')}/history", also={_NOTHING})
        if found.status == _NOTHING:
            return None
        page = self._read(found.body)
        return Past(page.lines, page.resource)

    async def events(self, wanted: EventsWanted, since: datetime | None, most: int | None) -> EventsFound:
        """Stored events; a long log costs little where only the latest are wanted."""
        query = {"type": wanted.type, "source": wanted.source}
        if most is not None:
            return await self._latest(query, since, most)
        end = (await self._page("/events/latest", {"limit": "1"})).place or "0-0"
        begin = f"{to_millis(since) - 1}-{_LAST}" if since is not None and to_millis(since) > 0 else "0-0"
        found = EventsFound(_each([]), max(end, begin, key=_order))
        if _order(begin) < _order(end):
            found.lines = self._since(query, begin, end, found)
        return found

    async def deliveries(self, wanted: DeliveriesWanted) -> Sequence[Line]:
        """Deliveries, the newest last."""
        query = {
            "target": wanted.target,
            "status": wanted.status,
            "event": wanted.event,
            "type": wanted.type,
            "since": stamp(wanted.since) if wanted.since is not None else None,
            "detail": "1" if wanted.detail else None,
        }
        if wanted.event is not None:
            return (await self._page("/deliveries", query)).lines[::-1][: wanted.limit]
        return (await self._first("/deliveries", query, wanted.limit))[::-1]

    async def explain(self, id: str) -> Line | None:
        """Why an event was made and where it went."""
        found = await self._server.call("GET", f"/events/{quoted(id)}/explain", also={_NOTHING})
        return found.body if found.status != _NOTHING else None

    async def conditions(self, *, every: bool, source: str | None) -> Sequence[Line]:
        """What is open, what nobody has first."""
        return await self._first("/conditions", {"all": "1" if every else None, "source": source})

    async def silences(self) -> Sequence[Line]:
        """The silences, those that count now first."""
        return await self._first("/silences", {})

    async def held(self, source: str) -> Held:
        """The removals of a source that are held."""
        found, decided = [], None
        async for page in self._pages(f"/sources/{quoted(source)}/removals", {}):
            found += page.lines
            decided = page.decided
        return Held(found, decided)

    async def disabled(self, target: str) -> int | None:
        """How many wait for a target that is disabled; None where it is not."""
        found = await self._server.call("GET", f"/targets/{quoted(target)}")
        view = values(found.body)
        return int(view["backlog"]) if view["state"] == "disabled" else None

    async def types(self) -> Mapping[str, str]:
        """The type of each target."""
        views = [values(one) for one in await self.targets(detail=False)]
        return {str(one["name"]): str(one["type"]) for one in views}

    async def routes(self) -> Sequence[Line]:
        """The route tree as it works."""
        return (await self._page("/routes")).lines

    async def found_there(self) -> Sequence[Line]:
        """What is wrong around the server's installation."""
        return (await self._page("/doctor")).lines

    async def _latest(self, query: Mapping[str, str | None], since: datetime | None, most: int) -> EventsFound:
        found: list[Line] = []
        place = None
        words = {**query, "since": stamp(since) if since is not None else None}
        async for page in self._pages("/events/latest", words, size=min(max(most, 1), _EVENTS_AT_ONCE)):
            place, found = place or page.place, found + page.lines
            if len(found) >= most:
                break
        return EventsFound(_each(found[:most][::-1]), place or "0-0")

    async def _since(
        self, query: Mapping[str, str | None], place: str, end: str, found: EventsFound
    ) -> AsyncIterator[Line]:
        """Everything after a place up to the end that there was; says in `found` how far it came."""
        words = {**query, "limit": str(_EVENTS_AT_ONCE)}
        while _order(place) < _order(end):
            answer = await self._server.call("GET", "/events", {**words, "after": place}, also={_GONE})
            if answer.status == _GONE:
                # What was forgotten is older than what is asked for, or as old: all that is left is shown.
                place, answer = "0-0", await self._server.call("GET", "/events", {**words, "after": "0-0"})
            page = self._read(answer.body)
            for line in page.lines:
                yield line
            if page.next is None or _order(page.next) <= _order(place):
                break
            place = page.next
        found.place = max(place, end, key=_order)

    async def _page(self, path: str, query: Mapping[str, str | None] | None = None) -> Page:
        """One answer that is a list."""
        return self._read((await self._server.call("GET", path, query)).body)

    async def _pages(self, path: str, query: Mapping[str, str | None], size: int = MOST) -> AsyncIterator[Page]:
        """Every page of a list."""
        after: str | None = None
        while True:
            page = await self._page(path, {**query, "limit": str(size), "after": after})
            yield page
            if page.next is None:
                return
            if page.next == after:
                raise Unreachable(f"{self._server.address.root} shows the same page of {path} again and again")
            after = page.next

    async def _first(self, path: str, query: Mapping[str, str | None], most: int | None = None) -> list[Line]:
        """The first `most` objects of a list, all of them where it is None."""
        found: list[Line] = []
        if most == 0:
            return found
        async for page in self._pages(path, query, MOST if most is None else min(most, MOST)):
            found += page.lines
            if most is not None and len(found) >= most:
                return found[:most]
        return found

    def _read(self, body: bytes) -> Page:
        try:
            return msgspec.json.decode(body, type=Page)
        except msgspec.DecodeError as error:
            raise Unreachable(f"{self._server.address.root} does not answer as jobwire does: {error}") from None


async def _each(found: Sequence[Line]) -> AsyncIterator[Line]:
    for one in found:
        yield one


def _order(place: str) -> tuple[int, int]:
    """A place in the event log as numbers that compare."""
    first, _, second = place.partition("-")
    try:
        return int(first), int(second or 0)
    except ValueError:
        raise UsageError(f"the server's place in its log makes no sense: {place[:50]!r}") from None
