"""From the outbox into lanes: each event is matched against the routes and put into the lanes of its targets.

The relay's place in the event log moves in the same script that fills the lanes, so events are relayed once
and in order, whoever runs the relay and however often.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from monitor.events import decode
from monitor.pipeline.target import TargetRuntime
from monitor.routing import Decision, Router, group_hash
from monitor.store.eventlog import EventLog, Stored
from monitor.store.lanes import Assignment, Lanes

BATCH = 500
AT_ONCE = 1000
"""Deliveries one script call makes, about: it blocks the server for milliseconds, however many targets there are."""


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
        while events := await self.log.after(cursor := await self.lanes.cursor(), BATCH):
            for share in self._shares(events):
                new = await self.lanes.relay(cursor, share.place, share.assignments)
                if new < 0:
                    break
                made, cursor = made + new, share.place
            structlog.get_logger().debug("events.relayed", events=len(events), deliveries=made)
        return made

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
