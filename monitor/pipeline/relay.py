"""From the outbox into lanes: each event is matched against the routes and put into the lanes of its targets.

The relay's place in the event log moves in the same script that fills the lanes, so events are relayed once
and in order, whoever runs the relay and however often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import structlog

from monitor.events import decode
from monitor.pipeline.target import TargetRuntime
from monitor.routing import Decision, Router, group_hash
from monitor.store.eventlog import EventLog, Stored
from monitor.store.lanes import Assignment, Lanes

BATCH = 500
AT_ONCE = 1000
"""Deliveries one script call makes, about: it blocks the server for milliseconds, however many targets there are."""


Filled: TypeAlias = Callable[[Sequence[Assignment], int], None]
"""Hears of deliveries that are in their lanes now, and how many of them are new."""


@dataclass(frozen=True, slots=True)
class _Share:
    """Deliveries of a run of events, and the place of its last event."""

    place: str
    assignments: Sequence[Assignment]


@dataclass(frozen=True, slots=True)
class Relay:
    """Relays committed events to the given targets."""

    log: EventLog
    lanes: Lanes
    router: Router
    targets: Mapping[str, TargetRuntime]

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
            for share in self._shares(events):
                new = await self.lanes.relay(place, share.place, share.assignments)
                if new < 0:
                    place = await self.lanes.cursor()
                    break
                place = share.place
                filled(share.assignments, new)
                structlog.get_logger().debug("events.relayed", place=place, deliveries=new)
            else:
                if len(events) < BATCH:
                    return place

    def _shares(self, events: Sequence[Stored]) -> Iterator[_Share]:
        """Events in, what one script call takes after the other out: whole events, about as many deliveries each."""
        assignments: list[Assignment] = []
        for stored in events:
            assignments += self.assign(stored)
            if len(assignments) >= AT_ONCE or stored is events[-1]:
                yield _Share(stored.place, assignments)
                assignments = []

    def assign(self, stored: Stored) -> list[Assignment]:
        """One event in, a delivery for each target that its routes choose out."""
        event = decode(stored.body)
        return [
            self._assignment(stored, event, decision)
            for decision in self.router.decide(event)
            if decision.target in self.targets and not own_news(event, decision.target)
        ]

    def _assignment(self, stored: Stored, event: Mapping[str, Any], decision: Decision) -> Assignment:
        target = self.targets[decision.target]
        key = str(event["data"]["key"])
        if target.target.grouped:
            lane, wait, interval = group_hash(decision.group), decision.group_wait, decision.group_interval
        else:
            lane, wait, interval = key if target.options.ordered == "resource" else stored.id, 0.0, 0.0
        return Assignment(
            target=decision.target,
            lane=lane,
            wait=wait,
            interval=interval,
            event=stored.id,
            place=stored.place,
            type=stored.type,
            key=key,
            route=decision.route,
            severity=decision.severity,
        )


def own_news(event: Mapping[str, Any], target: str) -> bool:
    """Whether the event is news about this very target, which would not reach it or only feed its trouble."""
    return str(event["type"]).startswith("jobwire.target.") and event["subject"] == f"target/{target}"
