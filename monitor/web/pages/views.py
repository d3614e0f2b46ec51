"""What each page shows, gathered from the store: bounded reads, however much there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import msgspec

from monitor.answers.preview import MessageView, preview_stored
from monitor.answers.readiness import Readiness
from monitor.bootstrap import Services
from monitor.conditions import Status
from monitor.errors import UsageError
from monitor.ladders import is_given
from monitor.moments import from_millis, parse_date, parse_instant
from monitor.resources import Document, pick
from monitor.routing import SEVERITIES, rank, type_glob
from monitor.settings.tree import routes_of
from monitor.status import (
    ConditionView,
    DeliveryView,
    SourceView,
    TargetView,
    condition_view,
    delivery_view,
    held_decision,
    held_page,
    known_resource,
    resource_view,
    source_view,
    target_view,
)
from monitor.status.explain import Explanation, explain
from monitor.store.deadlines import Armed
from monitor.store.reading import StoredDelivery
from monitor.web.pages.timeline import DAYS, Due

EVENTS, CONDITIONS, HELD, DEADLINES, LOOKED_AT, AT_ONCE = 50, 50, 100, 200, 2000, 200
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
class SourceRow:
    """One source as a list shows it: how it is, what its last scan did (None: none is kept), failed scans in a row."""

    view: SourceView
    scan: Mapping[str, Any] | None
    failures: int


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One delivery as a list shows it: as it is stored, and the event it sends (None: it is not kept any more)."""

    stored: StoredDelivery
    event: dict[str, Any] | None

    @property
    def view(self) -> DeliveryView:
        """What people see of it."""
        return delivery_view(self.stored)


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
        self._readiness = Readiness(running)

    async def late(self) -> dict[str, list[str]]:
        """What nobody takes up, as /readyz names it; `workers` at once where none is alive."""
        now_ms = await self._store.db.now_ms()
        found = await self._readiness.late(now_ms)
        if "workers" not in found["steps"] and not await self._store.fleet.alive(now_ms):
            found["steps"].append("workers")
        return found

    async def now(self) -> datetime:
        """The store's time."""
        return from_millis(await self._store.db.now_ms())

    async def sources(self) -> list[SourceRow]:
        """Every source as it is now, with its last scan."""
        now_ms, sources = await self._store.db.now_ms(), self._store.sources
        rows = []
        for one in self._running.sources.values():
            last = await sources.recent(one.name, 1)
            view = await source_view(sources, self._store.items, one, now_ms)
            failures = int((await sources.state(one.name)).get("failures", "0"))
            rows.append(SourceRow(view, last[0] if last else None, failures))
        return rows

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

    async def explained(self, id: str) -> Explanation | None:
        """Why an event was made, which routes took it, and what became of it at each target."""
        settings, store = self._running.settings, self._store
        vocabularies = [one.provider.vocabulary for one in self._running.sources.values()]
        wanted = (id, routes_of(settings), list(settings.targets), vocabularies, await store.lanes.cursor())
        return await explain(store.log, store.reading, *wanted)

    async def rows(self, found: Sequence[StoredDelivery]) -> list[DeliveryRow]:
        """Deliveries with their events."""
        events = await self._store.log.at(list({one.place for one in found}))
        bodies = {place: msgspec.json.decode(one.body) for place, one in events.items()}
        return [DeliveryRow(one, bodies.get(one.place)) for one in found]

    async def delivery(self, id: str) -> tuple[DeliveryRow, MessageView | str] | None:
        """One delivery, and what it sends, or why that cannot be shown; None where it is not kept."""
        stored = await self._store.reading.delivery(id)
        if stored is None:
            return None
        kept, target = await self._store.log.get(stored.event), self._running.targets.get(stored.target)
        if kept is None or target is None:
            return DeliveryRow(stored, None), "its event is not kept any more" if target else "its target is gone"
        row = DeliveryRow(stored, msgspec.json.decode(kept.body))
        try:
            now = self._running.clock.now()
            return row, await preview_stored(self._running, target.target, stored.target, kept.body, now)
        except UsageError as error:
            return row, str(error)

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
        watched, sources, items = self._running.sources.get(name), self._store.sources, self._store.items
        if watched is None:
            return None
        held, _ = await held_page(sources, items, name, None, HELD)
        return {
            "source": await source_view(sources, items, watched, await self._store.db.now_ms()),
            "scans": await sources.recent(name),
            "held": held,
            "decided": await held_decision(sources, name),
            "counts": await sources.counts(name),
        }


def _moment(value: object) -> datetime | None:
    """A date's end or an instant, as a moment; the drawing needs no zone."""
    day = parse_date(value)
    if day is not None:
        return datetime.combine(day, time.min, UTC) + timedelta(days=1)
    return parse_instant(str(value))
