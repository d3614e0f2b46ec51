"""A group and everything around it at one moment: what stands in it, what waits, what keeps what quiet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from monitor.conditions.condition import Condition, Place, condition_id
from monitor.conditions.families import MERELY_ENDS, family_of
from monitor.conditions.ledger import Ledger
from monitor.grouping.book import Book, unsure
from monitor.grouping.look import Quiet, Stance
from monitor.grouping.plan import Arrival, Plan
from monitor.pipeline.hushing import Hushing
from monitor.pipeline.target import TargetRuntime
from monitor.routing import Router, group_hash
from monitor.silences import Subject
from monitor.store.groups import ESCALATED, StoredGroup, Turn
from monitor.store.lanes import ClaimedLane, Waiting
from monitor.targets.base import GroupedOptions, InPlace, Narrates, OneAlert, Refreshed

_CLOCKS = timedelta(seconds=5)
"""So far the times of events may be from those of the store."""


@dataclass(slots=True)
class GroupView:
    """A group and everything around it, at one moment."""

    runtime: TargetRuntime
    lane: ClaimedLane
    now: datetime
    now_ms: int
    router: Router
    standing: Sequence[tuple[Condition, Place]]
    facts: Mapping[str, Mapping[str, Any]]
    hushing: Hushing
    stored: StoredGroup
    arrivals: Sequence[Arrival] = ()

    @property
    def book(self) -> Book:
        """What the target knows; of a message that was sent and not recorded, what it may have told counts as that."""
        lost = self.stored.lost_ms
        if lost is None:
            return self.stored.book
        at = self.now + timedelta(milliseconds=lost - self.now_ms) + _CLOCKS
        return unsure(self.stored.book, [one.id for one, _ in self.standing if one.opened_at <= at])

    @property
    def stance(self) -> Stance:
        """How this target wants to be told by this group's route."""
        target, timers, own = self.runtime.target, self.router.timers(self.stored.meta.route), self.lane.lane
        options, escalate = self.runtime.options, timers.escalate
        after = escalate.after if escalate and (self.runtime.name in escalate.to) else None
        if not target.grouped:
            after = after if own.startswith(ESCALATED) else None
            return Stance(
                target=self.runtime.name,
                send_resolved=False,
                interval=0.0,
                escalate_after=after,
                escalation_only=after is not None,
                once=True,
            )
        return Stance(
            target=self.runtime.name,
            send_resolved=not isinstance(options, GroupedOptions) or options.send_resolved,
            attends=isinstance(target, InPlace) and target.attends,
            narrates=isinstance(target, Narrates) and target.narrates,
            one_alert=isinstance(target, OneAlert) and target.one_alert,
            refresh=target.refresh if isinstance(target, Refreshed) else None,
            repeat=timers.repeat_interval,
            wait=timers.group_wait,
            interval=timers.group_interval,
            escalate_after=after,
            escalation_only=own.startswith(ESCALATED),
        )

    def hush(self, condition: Condition, place: Place) -> Quiet | None:
        """What keeps a condition quiet here now."""
        subject = Subject(self.facts[condition.id], condition.changed_at, place.target, place.severity)
        return self.hushing.quiet(subject, place.route)

    def arrival(self, one: Waiting, event: Mapping[str, Any]) -> Arrival:
        """A delivery that waits, as what it is here."""
        id, type_, key = str(event["id"]), str(event["type"]), str(event["data"]["key"])
        if one.replays:
            return Arrival(one.id, id, type_)
        family = family_of(type_)
        if family is not None:
            return Arrival(one.id, id, type_, condition_id(key, family.name), moves=True)
        ended = next((condition.id for condition, _ in self.standing if condition.ended_event == id), None)
        if ended is not None and (type_ in MERELY_ENDS or not self._routed(event)):
            return Arrival(one.id, id, type_, ended, moves=True)
        quiet = self.hushing.quiet(Subject(event, self.now, self.lane.target, one.severity), self.stored.meta.route)
        return Arrival(one.id, id, type_, quiet=quiet.by if quiet else None)

    def _routed(self, event: Mapping[str, Any]) -> bool:
        """Whether an event came here by a route of its own, and not only because it ended a condition."""
        return any(
            one.target == self.lane.target and group_hash(one.group) == self.lane.lane
            for one in self.router.decide(event)
        )

    def gone(self, found: Plan) -> tuple[tuple[str, str], ...]:
        """Members that are done with here: told that they are over, or not known any more."""
        known = {(condition.key, condition.family): condition.id for condition, _ in self.standing}
        return tuple(one for one in self.stored.members if one not in known or known[one] in found.gone)

    def gone_unsent(self, turn: Turn, found: Plan) -> tuple[tuple[str, str], ...]:
        """Of those the ones that are done with though nothing arrived."""
        owed = {
            (condition.key, condition.family) for condition, _ in self.standing if condition.id in found.unsent.told
        }
        return tuple(one for one in turn.gone if one not in owed)

    def timed(self, turn: Turn, next_at: datetime | None, book: Book) -> Turn:
        """The turn with its timers by the store's clock."""
        return replace(
            turn,
            next_ms=self._ms(next_at),
            anchor_ms=self._ms(book.began_at),
            live=book.began_at is not None,
        )

    def _ms(self, moment: datetime | None) -> int | None:
        return None if moment is None else self.now_ms + round((moment - self.now) / timedelta(milliseconds=1))


def standing_in(ledgers: Mapping[str, Ledger], stored: StoredGroup, lane: ClaimedLane) -> list[tuple[Condition, Place]]:
    """The conditions of a group with their places in it."""
    known = [ledgers[key].conditions.get(family) for key, family in stored.members if key in ledgers]
    return [
        (condition, place)
        for condition in known
        if condition is not None
        for place in condition.places
        if (place.target, place.lane) == (lane.target, lane.lane)
    ]
