"""Questions answered from the store, by the config file. The store is connected to when it is first needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

import msgspec

from monitor.bootstrap import Services, services
from monitor.cli import session
from monitor.cli.desk.asked import DeliveriesWanted, EventsFound, EventsWanted, Held, Line, Past, What
from monitor.cli.names import known
from monitor.cli.output import note
from monitor.embedded import running_url
from monitor.errors import StoreUnavailable
from monitor.events import decode
from monitor.moments import from_millis, to_millis
from monitor.routing import type_glob
from monitor.settings import EMBEDDED, Settings
from monitor.settings.tree import routes_of
from monitor.status import (
    addressed,
    condition_views,
    deliveries_of,
    delivery_view,
    held_removals,
    known_resource,
    latest_deliveries,
    resources,
    silence_views,
    source_view,
    target_view,
)
from monitor.status.explain import explain
from monitor.status.history import brief, revisions
from monitor.store.eventlog import EventLog, Stored, place_order
from monitor.store.reading import Wanted

_BATCH = 500
_WAIT_MS = 1000
_RETRY_S = 0.3


class Asked:
    """What is asked and changes nothing."""

    def __init__(self, settings: Settings, stack: AsyncExitStack) -> None:
        self.settings = settings
        self._stack = stack
        self._running: Services | None = None

    async def running(self) -> Services:
        """Everything wired, on a store that answers."""
        if self._running is None:
            self._running = await self._stack.enter_async_context(session.wired(self.settings))
        return self._running

    async def now(self) -> datetime:
        """The store's time."""
        return from_millis(await (await self.running()).store.db.now_ms())

    async def no_earlier(self) -> datetime:
        """The store's time: it stamps all that is there."""
        return await self.now()

    async def known(self, what: What, name: str | None) -> None:
        """Raises UsageError, with the names of the config, when a name is given that it does not have."""
        known(what, name, self.settings.sources if what == "source" else self.settings.targets)

    async def sources(self) -> Sequence[Line]:
        """Every source, in the order of the config."""
        running = await self.running()
        now_ms, store = await running.store.db.now_ms(), running.store
        return lines([await source_view(store.sources, store.items, one, now_ms) for one in running.sources.values()])

    async def targets(self, *, detail: bool) -> Sequence[Line]:
        """Every target, in the order of the config."""
        running = await self.running()
        now_ms, reading = await running.store.db.now_ms(), running.store.reading
        found = [await target_view(reading, one.name, one.type, now_ms) for one in self.settings.targets.values()]
        if detail:
            found = [addressed(one, running.targets[one.name].target.address()) for one in found]
        return lines(found)

    async def resources(self, source: str | None, kind: str | None, state: str | None) -> AsyncIterator[Line]:
        """Every resource that is there, by source and id."""
        running = await self.running()
        watched = [one for name, one in sorted(running.sources.items()) if source in {None, name}]
        async for one in resources(running.store.items, watched, kind=kind, state=state):
            yield msgspec.json.encode(one)

    async def history(self, key: str) -> Past | None:
        """The revisions of a resource."""
        name, _, ref = key.partition("/")
        running = await self.running()
        known = await known_resource(running.store.items, running.sources[name], ref)
        found = revisions(await running.store.reading.history(key), known)
        return Past(lines(found), brief(known)) if found or known else None

    async def events(self, wanted: EventsWanted, since: datetime | None, most: int | None) -> EventsFound:
        """Stored events; a long log costs little where only the latest are wanted."""
        log, fits = (await self.running()).store.log, _fits(wanted)
        since_ms, end = to_millis(since) if since is not None else None, await log.end()
        if most is not None:
            latest = await _latest(log, fits, end, since_ms or 0, most)
            return EventsFound(_each(latest), end)
        found = EventsFound(_each([]), end)
        place = f"{max(0, (since_ms or 0) - 1)}-18446744073709551615" if since_ms else "0-0"
        found.lines = _since(log, fits, place, found)
        return found

    async def deliveries(self, wanted: DeliveriesWanted) -> Sequence[Line]:
        """Deliveries, the newest last."""
        since_ms = to_millis(wanted.since) if wanted.since is not None else None
        chosen = Wanted(wanted.status, wanted.event, type_glob(wanted.type) if wanted.type else None, since_ms)
        names = [wanted.target] if wanted.target else list(self.settings.targets)
        reading = (await self.running()).store.reading
        if wanted.event is None:
            found = await latest_deliveries(reading, names, chosen, limit=wanted.limit)
        else:
            of_event = await deliveries_of(reading, names, wanted.event)
            found = [one for one in of_event if chosen.fits(one)][: wanted.limit]
        return lines(delivery_view(one, detail=wanted.detail) for one in found)

    async def explain(self, id: str) -> Line | None:
        """Why an event was made and where it went, by the routes of the config now."""
        running, settings = await self.running(), self.settings
        vocabularies = [one.provider.vocabulary for one in running.sources.values()]
        store, cursor = running.store, await running.store.lanes.cursor()
        routes, names = routes_of(settings), list(settings.targets)
        found = await explain(store.log, store.reading, id, routes, names, vocabularies, cursor)
        return msgspec.json.encode(found) if found is not None else None

    async def conditions(self, *, every: bool, source: str | None) -> Sequence[Line]:
        """What is open, what nobody has first."""
        running = await self.running()
        ledgers = await running.store.conditions.all()
        return lines(condition_views(ledgers, running.clock.now(), every=every, source=source))

    async def silences(self) -> Sequence[Line]:
        """The silences, those that count now first."""
        running = await self.running()
        return lines(silence_views(await running.store.silences.all(), running.clock.now()))

    async def held(self, source: str) -> Held:
        """The removals of a source that are held."""
        store = (await self.running()).store
        found = await held_removals(store.sources, store.items, source)
        return Held(lines(found), (await store.sources.state(source)).get("release"))


def lines(found: Iterable[object]) -> list[Line]:
    """Objects in, their JSON out."""
    return [msgspec.json.encode(one) for one in found]


async def follow_stored(
    config: Path, place: str, wanted: EventsWanted, show: Callable[[Line], None], flush: Callable[[], None]
) -> None:
    """Show events after a place as they come, through restarts of the store, until cancelled."""
    settings, fits, told = session.read(config), _fits(wanted), False
    while True:
        url = session.given_url(settings)
        if url == EMBEDDED:
            found = await asyncio.to_thread(running_url, settings.store.data_dir)
            if found is None:
                if not told:
                    note(f"nothing runs with {config} now: waiting for `jobwire up`")
                told = True
                await asyncio.sleep(_RETRY_S)
                continue
            url = found
        told = False
        try:
            async with services(settings, url) as running:
                while True:
                    for stored in await running.store.log.after(place, _BATCH):
                        if fits(stored):
                            show(stored.body)
                        place = stored.place
                    flush()
                    await running.store.log.wait(place, _WAIT_MS)
        except StoreUnavailable:
            await asyncio.sleep(_RETRY_S)


def _fits(wanted: EventsWanted) -> Callable[[Stored], bool]:
    pattern = type_glob(wanted.type) if wanted.type else None

    def fits(one: Stored) -> bool:
        if pattern is not None and not pattern.fullmatch(one.type):
            return False
        return wanted.source is None or decode(one.body)["data"].get("source") == wanted.source

    return fits


async def _each(found: Iterable[Stored]) -> AsyncIterator[Line]:
    for one in found:
        yield one.body


async def _since(log: EventLog, fits: Callable[[Stored], bool], place: str, found: EventsFound) -> AsyncIterator[Line]:
    """Everything after a place, a batch at a time; says in `found` how far it came."""
    full = True
    while full:
        batch = await log.after(place, _BATCH)
        for one in batch:
            if fits(one):
                yield one.body
        place, full = batch[-1].place if batch else place, len(batch) == _BATCH
    found.place = max(place, found.place, key=place_order)


async def _latest(
    log: EventLog, fits: Callable[[Stored], bool], end: str, since_ms: int, most: int
) -> Sequence[Stored]:
    """The latest `most` events up to a place that fit, oldest first; read backwards."""
    found: list[Stored] = []
    batch = await log.until(end, _BATCH) if most > 0 else []
    while batch:
        for one in reversed(batch):
            if one.at_ms < since_ms or len(found) == most:
                return found[::-1]
            if fits(one):
                found.append(one)
        batch = await log.until(f"({batch[0].place}", _BATCH)
    return found[::-1]
