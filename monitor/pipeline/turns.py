"""A group's turn: look at what stands in it, say what is to be said in one message, and note what the target knows.

What is decided here is decided anew at each turn from what the store holds, so a worker may die at any moment: the
next turn finds what was not told. The book is written by the same step that records the attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog

from monitor.conditions.condition import Condition, Place, condition_id
from monitor.conditions.families import MERELY_ENDS, family_of
from monitor.conditions.ledger import Ledger
from monitor.events import decode, id_in
from monitor.grouping.book import Book
from monitor.grouping.look import Quiet, Stance
from monitor.grouping.message import Group, Member, News, Reason
from monitor.grouping.plan import Arrival, Plan, plan
from monitor.pipeline.attempt import Attempts, Made
from monitor.pipeline.hushing import Hushing, explaining_keys
from monitor.pipeline.target import TargetRuntime
from monitor.routing import Router, gravest, group_hash
from monitor.silences import Silences, Subject
from monitor.store.conditions import Conditions
from monitor.store.groups import ESCALATED, HELD, Groups, Record, StoredGroup, Turn
from monitor.store.lanes import ClaimedLane, Settled, Waiting, delivery_id
from monitor.store.silences import SilenceStore
from monitor.targets.base import GroupedOptions, InPlace, Message, Refreshed

GIVEN_UP = timedelta(hours=4)
"""So long after its message was given up a group that is open is told again."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Takes turns of groups; `clock` is the store's, with zone."""

    attempts: Attempts
    groups: Groups
    conditions: Conditions
    silences: SilenceStore
    router: Router
    clock: Callable[[], datetime]

    async def take(self, runtime: TargetRuntime, lane: ClaimedLane) -> Made:
        """One turn of a claimed group: a message that was sent or not, or nothing to say; what to record."""
        now = self.clock()
        stored = await self.groups.load(lane.target, lane.lane)
        view = await self._view(runtime, lane, stored, now)
        found = plan(stored.book, view.standing, view.arrivals, view.stance, view.hush, now)
        gone = view.gone(stored, found)
        turn = Turn(stored.dirty, found.unsent, gone=gone, full=lane.more)
        if found.reason is None:
            made = Made(Settled(lane, "quiet", 0.0, ()))
            return _with(made, found.drop, view.timed(turn, found.next_at, found.unsent))
        message, waiting, record = _message(runtime, lane, stored, found, found.reason, view)
        made = await self.attempts.make(runtime, replace(lane, waiting=waiting), message)
        turn = replace(turn, reason=str(found.reason), record=record)
        memory = dict(made.remember) if made.remember is not None else stored.book.memory
        return _with(made, found.drop, self._after(made, found, memory, turn, view))

    def _after(self, made: Made, found: Plan, memory: dict[str, Any], turn: Turn, view: _View) -> Turn:
        """What became of the group after an attempt."""
        if made.settled.verdict == "delivered":
            book = msgspec.structs.replace(found.sent, memory=memory)
            return view.timed(replace(turn, book=book, flushed_ms=view.now_ms), found.next_at, book)
        again = made.settled.verdict == "retry"
        tries, tried = (found.unsent.tries + 1, found.unsent.tried_at or view.now) if again else (0, None)
        book = msgspec.structs.replace(found.unsent, memory=memory, tries=tries, tried_at=tried)
        later = view.now + GIVEN_UP if view.standing else None
        kept = replace(turn, book=book, gone=view.gone_unsent(turn, found))
        return view.timed(kept, later, book)

    async def _view(self, runtime: TargetRuntime, lane: ClaimedLane, stored: StoredGroup, now: datetime) -> _View:
        """Everything that is known about a group at its turn."""
        events = [decode(one.body) for one in lane.waiting]
        keys = {key: None for key, _ in stored.members}
        for event in events:
            keys |= dict.fromkeys(explaining_keys(event))
        ledgers = await self.conditions.ledgers(list(keys))
        standing = _standing(ledgers, stored, lane)
        facts = {condition.id: decode(condition.event_bytes) for condition, _ in standing}
        sources = {key: None for event in facts.values() for key in explaining_keys(event) if key not in ledgers}
        ledgers |= await self.conditions.ledgers(list(sources))
        hushing = Hushing(self.router, Silences(await self.silences.all()), ledgers, now)
        view = _View(runtime, lane, now, lane.health.now_ms, self.router, standing, facts, hushing, stored)
        view.arrivals = [view.arrival(one, event) for one, event in zip(lane.waiting, events, strict=True)]
        return view


@dataclass(slots=True)
class _View:
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
            refresh=target.refresh if isinstance(target, Refreshed) else None,
            repeat=timers.repeat_interval,
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

    def gone(self, stored: StoredGroup, found: Plan) -> tuple[tuple[str, str], ...]:
        """Members that are done with here: told that they are over, or not known any more."""
        known = {(condition.key, condition.family): condition.id for condition, _ in self.standing}
        return tuple(one for one in stored.members if one not in known or known[one] in found.gone)

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


def _standing(ledgers: Mapping[str, Ledger], stored: StoredGroup, lane: ClaimedLane) -> list[tuple[Condition, Place]]:
    """The conditions of a group with their places in it."""
    known = [ledgers[key].conditions.get(family) for key, family in stored.members if key in ledgers]
    return [
        (condition, place)
        for condition in known
        if condition is not None
        for place in condition.places
        if (place.target, place.lane) == (lane.target, lane.lane)
    ]


def _message(
    runtime: TargetRuntime, lane: ClaimedLane, stored: StoredGroup, found: Plan, reason: Reason, view: _View
) -> tuple[Message, tuple[Waiting, ...], Record | None]:
    """A plan in; the message, the deliveries it is recorded with, and what a delivery of its own stands on out."""
    waiting = tuple(one for one in lane.waiting if one.id in found.tell)
    bodies: tuple[bytes, ...] = tuple(one.body for one in waiting)
    record = None
    if not waiting:
        about = _about(found, reason)
        bodies = tuple(one.condition.event_bytes for one in about)
        first = about[0]
        # The same at each try of the message that is owed, so that all of them are one delivery.
        owed = stored.book.tried_at or view.now
        mark = first.condition.event if not runtime.target.grouped else f"{lane.lane} {first.condition.event} {owed}"
        place = next(place for condition, place in view.standing if condition.id == first.condition.id)
        # What a forgetful receiver is told again and again is no delivery worth a record.
        record = (
            None
            if reason is Reason.REPEAT and view.stance.refresh is not None
            else Record(
                event=first.condition.event,
                place=first.condition.at,
                type=first.condition.type,
                key=first.condition.key,
                route=place.route,
                severity=place.severity,
            )
        )
        waiting = (
            Waiting(delivery_id(runtime.name, mark), stored.book.tries, bodies[0], lane.health.now_ms, place.severity),
        )
    group = _group(lane, stored, found, reason, view, waiting)
    grades = (*(one.severity for one in waiting), *(one.severity for one in group.members if not one.over))
    message = Message(
        id=id_in(bodies[0]),
        events=bodies,
        attempt=1,
        sent_at=view.now,
        severity=gravest(grades),
        group=group if runtime.target.grouped else None,
    )
    structlog.get_logger().debug("group.speaks", target=runtime.name, lane=lane.lane, reason=str(reason))
    return message, waiting, record


def _about(found: Plan, reason: Reason) -> Sequence[Member]:
    """The conditions that a message is about to which no event waits."""
    fresh = [one for one in found.members if one.news is not News.SAME or one.escalated]
    if reason is Reason.REPEAT or not fresh:
        fresh = [one for one in found.members if not one.over] or list(found.members)
    return fresh


def _group(
    lane: ClaimedLane, stored: StoredGroup, found: Plan, reason: Reason, view: _View, waiting: Sequence[Waiting]
) -> Group:
    moments = [one for one in (found.sent.repeat_at, found.sent.refresh_at) if one is not None]
    timers = view.router.timers(stored.meta.route)
    due = min((one.made_ms for one in waiting), default=view.now_ms)
    patience = max(timers.group_wait, timers.group_interval)
    return Group(
        key=f"{lane.target}/{lane.lane}",
        reason=reason,
        route=stored.meta.route,
        labels=stored.meta.labels,
        values=stored.meta.values,
        members=found.members,
        since=stored.book.began_at or stored.book.tried_at or view.now,
        number=stored.book.number,
        late=max(0.0, (view.now_ms - due) / 1000 - patience),
        again_in=(min(moments) - view.now).total_seconds() if moments else None,
        memory=stored.book.memory,
    )


def _with(made: Made, drop: Mapping[str, str], turn: Turn) -> Made:
    return replace(made, settled=replace(made.settled, quiet=drop, turn=turn))


def takes_turns(runtime: TargetRuntime, lane: ClaimedLane) -> bool:
    """Whether a claimed lane is a group's."""
    return runtime.target.grouped or lane.lane.startswith((ESCALATED, HELD))
