"""What each page shows, gathered from the store: bounded reads, however much there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import msgspec

from monitor.bootstrap import Services
from monitor.conditions import Status
from monitor.ladders import is_given
from monitor.moments import from_millis, parse_date, parse_instant
from monitor.resources import Document, pick
from monitor.routing import SEVERITIES, rank, type_glob
from monitor.status import (
    ConditionView,
    SourceView,
    TargetView,
    condition_view,
    deliveries_of,
    delivery_view,
    held_removals,
    known_resource,
    resource_view,
    source_view,
    target_view,
)
from monitor.store.deadlines import Armed
from monitor.web.pages.timeline import DAYS, Due

EVENTS, CONDITIONS, DEADLINES, LOOKED_AT, AT_ONCE = 50, 50, 200, 2000, 200
_ORDER = (Status.OPEN, Status.ACKNOWLEDGED, Status.SNOOZED)


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event as a list shows it: its place in the log, and the event."""

    place: str
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which events are wanted; empty texts want all."""

    source: str = ""
    type: str = ""
    state: str = ""
    text: str = ""

    def takes(self, event: dict[str, Any], body: bytes) -> bool:
        """Whether an event is among those that are wanted."""
        data = event.get("data") or {}
        resource = data.get("resource") or {}
        if self.source and data.get("source") != self.source:
            return False
        if self.type and not type_glob(self.type).fullmatch(str(event.get("type"))):
            return False
        if self.state and str(resource.get("state") or "-").casefold() != self.state.casefold():
            return False
        return not self.text or self.text.casefold() in body.decode("utf-8", "replace").casefold()


@dataclass(frozen=True, slots=True)
class OpenConditions:
    """The first of what is open, how much is open in all, what of it nobody has, and how much of each severity."""

    shown: Sequence[ConditionView]
    every: int
    loose: int
    severities: Sequence[tuple[str, int]]


class Views:
    """Reads what pages show from one installation."""

    def __init__(self, running: Services) -> None:
        self._running = running
        self._store = running.store

    async def now(self) -> datetime:
        """The store's time."""
        return from_millis(await self._store.db.now_ms())

    async def sources(self) -> list[SourceView]:
        """Every source as it is now."""
        now_ms = await self._store.db.now_ms()
        watched = self._running.sources.values()
        return [await source_view(self._store.sources, self._store.items, one, now_ms) for one in watched]

    async def targets(self) -> list[TargetView]:
        """Every target as it is now."""
        now_ms, known = await self._store.db.now_ms(), self._running.settings.targets.values()
        return [await target_view(self._store.reading, one.name, one.type, now_ms) for one in known]

    async def conditions(self) -> OpenConditions:
        """What is open: what nobody has first, of that the gravest, of that the oldest; a bounded read of many."""
        now_ms, briefs = await self._store.db.now_ms(), await self._store.conditions.briefs()
        every = [(one, one.status(now_ms), key) for key, some in briefs.items() for one in some]
        every.sort(key=lambda one: (_ORDER.index(one[1]), -rank(one[0].severity), one[0].opened_ms, one[2]))
        first = every[:CONDITIONS]
        ledgers = await self._store.conditions.ledgers(list({key for _, _, key in first}))
        found = [ledgers[key].conditions.get(one.family) for one, _, key in first if key in ledgers]
        shown = [condition_view(one, from_millis(now_ms)) for one in found if one is not None and not one.ended]
        loose = sum(status is Status.OPEN for _, status, _ in every)
        severities = Counter(one.severity for one, _, _ in every)
        return OpenConditions(shown, len(every), loose, [(name, severities[name]) for name in SEVERITIES[::-1]])

    async def deadlines(self) -> list[Due]:
        """The deadlines of the next days that are still to be told, the next rung first."""
        until = await self._store.db.now_ms() + DAYS * 86_400_000
        found: dict[tuple[str, str], Due] = {}
        every = await self._store.deadlines.due(until, DEADLINES)
        documents = await self._documents(every)
        for armed in every:
            source = self._running.sources.get(armed.source)
            if source is None:
                continue
            document = documents.get((armed.source, armed.item))
            known = document.known.get(armed.ref) if document else None
            kind = source.provider.vocabulary.kinds.get(known.resource.kind) if known else None
            for rule in kind.deadlines if known and kind and not known.gone else ():
                value = pick(known.resource.fields, rule.field) if known else None
                at = _moment(value) if is_given(value) else None
                if at is not None and known is not None and rule.type == armed.type:
                    key = f"{armed.source}/{armed.ref}"
                    found[key, rule.type] = Due(at, key, known.resource.title, known.resource.kind, str(value))
        return sorted(found.values(), key=lambda one: one.at)

    async def _documents(self, armed: Sequence[Armed]) -> dict[tuple[str, str], Document]:
        """The documents of the items of deadlines, by source and item: one read a source."""
        found: dict[tuple[str, str], Document] = {}
        for source in {one.source for one in armed} & self._running.sources.keys():
            ids = sorted({one.item for one in armed if one.source == source})
            for id, document in zip(ids, await self._store.items.documents(source, ids), strict=True):
                if document is not None:
                    found[source, id] = document
        return found

    async def events(self, filters: Filters, before: str | None = None, limit: int = EVENTS) -> list[EventRow]:
        """The latest events that fit, the newest first; older than a place where one is given."""
        rows: list[EventRow] = []
        place, looked_at = before, 0
        while len(rows) < limit and looked_at < LOOKED_AT:
            chunk = await (self._store.log.until(f"({place}", AT_ONCE) if place else self._store.log.last(AT_ONCE))
            if not chunk:
                break
            for one in reversed(chunk):
                event = msgspec.json.decode(one.body)
                if filters.takes(event, one.body):
                    rows.append(EventRow(one.place, event))
            looked_at += len(chunk)
            place = chunk[0].place
        return rows[:limit]

    async def event(self, id: str) -> EventRow | None:
        """One event by its id."""
        stored = await self._store.log.get(id)
        return EventRow(stored.place, msgspec.json.decode(stored.body)) if stored else None

    async def sent(self, event: str) -> list[Any]:
        """The deliveries of an event with their attempts."""
        names = list(self._running.settings.targets)
        return [delivery_view(one) for one in await deliveries_of(self._store.reading, names, event)]

    async def resource(self, key: str) -> tuple[Any, Sequence[Any], bool] | None:
        """A resource's view, its history the newest first, and whether it is gone; None where it is not known."""
        name, _, ref = key.partition("/")
        source = self._running.sources.get(name)
        known = await known_resource(self._store.items, source, ref) if source else None
        if source is None or known is None:
            return None
        lines = await self._store.reading.history(key)
        return resource_view(source, known), lines[::-1], known.gone

    async def source(self, name: str) -> dict[str, Any] | None:
        """One source with its last scan and what is held."""
        found = next((one for one in await self.sources() if one.name == name), None)
        if found is None:
            return None
        state = await self._store.sources.state(name)
        scan = msgspec.json.decode(state["scan"]) if "scan" in state else {}
        held = await held_removals(self._store.sources, self._store.items, name)
        counts = await self._store.sources.counts(name)
        return {"source": found, "scan": scan, "held": held, "counts": counts}


def _moment(value: object) -> datetime | None:
    """A date's end or an instant, as a moment; the drawing needs no zone."""
    day = parse_date(value)
    if day is not None:
        return datetime.combine(day, time.min, UTC) + timedelta(days=1)
    return parse_instant(str(value))
