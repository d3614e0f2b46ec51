"""From the outbox into lanes: each event is matched against the routes and put into the lanes of its targets.

The relay's place in the event log moves in the same script that fills the lanes and writes what has become of
conditions, so events are relayed once and in order, whoever runs the relay and however often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

import structlog

from monitor.conditions.ending import Standing, keys_of
from monitor.events import decode
from monitor.pipeline.draft import Draft
from monitor.pipeline.hushing import Hushing, explaining_keys
from monitor.pipeline.target import TargetRuntime
from monitor.pipeline.traces import Traces
from monitor.routing import Router
from monitor.silences import Silences
from monitor.store.conditions import Conditions
from monitor.store.eventlog import EventLog, Stored
from monitor.store.lanes import Assignment, Lanes
from monitor.store.minutes import NO_SOURCE, Happened
from monitor.store.silences import SilenceStore

BATCH = 500
AT_ONCE = 1000
"""Deliveries one script call makes, about: it blocks the server for milliseconds, however many targets there are."""

_REFUSED_LEDGER = -2

Filled: TypeAlias = Callable[[Sequence[Assignment], int], None]
"""Hears of deliveries that are in their lanes now, and how many of them are new."""


@dataclass(frozen=True, slots=True)
class Relay:
    """Relays committed events to the given targets; `clock` gives now with zone."""

    log: EventLog
    lanes: Lanes
    router: Router
    targets: Mapping[str, TargetRuntime]
    conditions: Conditions
    silences: SilenceStore
    standing: Standing
    clock: Callable[[], datetime]
    traces: Traces = field(default=Traces())

    async def relay(self) -> int:
        """Relay everything that is committed and not yet in lanes; how many deliveries were made."""
        made = 0

        def count(_: Sequence[Assignment], new: int) -> None:
            nonlocal made
            made += new

        await self.follow(await self.lanes.cursor(), count)
        return made

    async def follow(self, place: str, filled: Filled) -> str:
        """Relay what is committed after a place, the relay's own or what was so a while ago; the place reached.

        `filled` hears of deliveries as soon as they are in their lanes: which, and how many of them are new.
        """
        while True:
            events = await self.log.after(place, BATCH)
            reached = await self._relay(place, events, filled)
            if reached is None:
                place = await self.lanes.cursor()
                continue
            place = reached
            if len(events) < BATCH:
                return place

    async def _relay(self, place: str, events: Sequence[Stored], filled: Filled) -> str | None:
        """Relay these events, about as many deliveries a script call; the place reached, None when to begin anew."""
        decoded = [decode(one.body) for one in events]
        draft = await self._draft(decoded)
        happened: Counter[Happened] = Counter()
        relayed: list[tuple[Stored, Mapping[str, Any]]] = []
        for stored, event in zip(events, decoded, strict=True):
            draft.add(stored, event)
            relayed.append((stored, event))
            happened[Happened(stored.at_ms // 60_000, event["data"].get("source") or NO_SOURCE)] += 1
            if len(draft.assignments) < AT_ONCE and stored is not events[-1]:
                continue
            assignments = draft.assignments
            writes = draft.writes()
            new = await self.lanes.relay(place, stored.place, assignments, draft.entries, writes, happened)
            if new < 0:
                if new == _REFUSED_LEDGER:
                    structlog.get_logger().debug("relay.ledger_moved", place=place)
                return None
            draft.taken()
            happened.clear()
            place = stored.place
            filled(assignments, new)
            self.traces.relayed(relayed, self.clock())
            relayed = []
            structlog.get_logger().debug("events.relayed", place=place, deliveries=new)
        return place

    async def _draft(self, events: Sequence[Mapping[str, Any]]) -> Draft:
        """What is known of conditions and silences before these events."""
        wanted = {key: None for event in events for key in (*keys_of(event), *explaining_keys(event))}
        ledgers = await self.conditions.ledgers(list(wanted)) if events else {}
        silences = Silences(await self.silences.all()) if events else Silences(())
        hushing = Hushing(self.router, silences, ledgers, self.clock())
        return Draft(self.router, self.targets, self.standing, hushing, ledgers)
