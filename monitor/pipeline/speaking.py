"""What a group says, put together: the message, the deliveries that it stands on, and those that it makes needless."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from monitor.events import id_in
from monitor.grouping.message import Group, Member, News, Reason
from monitor.grouping.plan import Plan
from monitor.pipeline.groupview import GroupView
from monitor.routing import gravest
from monitor.store.groups import Record
from monitor.store.lanes import Waiting, delivery_id
from monitor.targets.base import Message

NOTHING_LEFT, WITH_A_LATER = "nothing left to say", "told with a later message"


@dataclass(frozen=True, slots=True)
class Speech:
    """A message and the deliveries that it is recorded with.

    Where no event waits it stands on a delivery of its own (`alone`): `record` is what that begins with, None where
    none is worth a record. `owed` is its id where it is recorded and its tries have to be found again, else empty.
    """

    message: Message
    waiting: tuple[Waiting, ...]
    alone: bool = False
    record: Record | None = None
    owed: str = ""


def speak(found: Plan, reason: Reason, view: GroupView) -> Speech:
    """A plan that has a reason to send in, what is sent out."""
    told = tuple(one for one in view.lane.waiting if one.id in found.tell)
    if told:
        speech = Speech(_message([one.body for one in told], found, reason, view, told), told)
    else:
        speech = _alone(found, reason, view)
    structlog.get_logger().debug("group.speaks", target=view.runtime.name, lane=view.lane.lane, reason=str(reason))
    return speech


def needless(view: GroupView, speech: Speech | None) -> Mapping[str, str]:
    """What is said now (None: nothing) in; the delivery of an earlier message that is not tried again, and why, out."""
    owed = view.stored.book.owed
    if not owed or (speech and owed in (speech.owed, *(one.id for one in speech.waiting))):
        return {}
    return {owed: WITH_A_LATER if speech else NOTHING_LEFT}


def _alone(found: Plan, reason: Reason, view: GroupView) -> Speech:
    """A message to which no event waits: a reminder, an acknowledgement, an end that no event told."""
    runtime, book = view.runtime, view.stored.book
    about = _about(found, reason)
    first = about[0].condition
    bodies = [one.condition.event_bytes for one in about]
    place = next(place for condition, place in view.standing if condition.id == first.id)
    # What a forgetful receiver is told again and again is no delivery worth a record.
    unrecorded = reason is Reason.REPEAT and view.stance.refresh is not None
    record = None if unrecorded else Record(first.event, first.at, first.type, first.key, place.route, place.severity)
    # A target without groups is owed the event itself, whose delivery is there; a group each message once.
    mark = f"{view.lane.lane} {first.event} {view.now}" if runtime.target.grouped else first.event
    id = book.owed or delivery_id(runtime.name, mark)
    own = (Waiting(id, book.tries, bodies[0], view.now_ms, place.severity),)
    owed = id if runtime.target.grouped and (book.owed or record) else ""
    return Speech(_message(bodies, found, reason, view, own), own, True, record, owed)


def _about(found: Plan, reason: Reason) -> Sequence[Member]:
    """The conditions that a message is about to which no event waits."""
    fresh = [one for one in found.members if one.news is not News.SAME or one.escalated]
    if reason is Reason.REPEAT or not fresh:
        fresh = [one for one in found.members if not one.over] or list(found.members)
    return fresh


def _message(
    bodies: Sequence[bytes], found: Plan, reason: Reason, view: GroupView, waiting: Sequence[Waiting]
) -> Message:
    group = _group(found, reason, view, waiting)
    grades = (*(one.severity for one in waiting), *(one.severity for one in group.members if not one.over))
    return Message(
        id=id_in(bodies[0]),
        events=tuple(bodies),
        attempt=1,
        sent_at=view.now,
        severity=gravest(grades),
        group=group if view.runtime.target.grouped else None,
        severities=tuple(one.severity for one in waiting) if len(waiting) == len(bodies) else (),
    )


def _group(found: Plan, reason: Reason, view: GroupView, waiting: Sequence[Waiting]) -> Group:
    meta, book = view.stored.meta, view.stored.book
    moments = [one for one in (found.sent.repeat_at, found.sent.refresh_at) if one is not None]
    timers = view.router.timers(meta.route)
    due = min((one.made_ms for one in waiting), default=view.now_ms)
    patience = max(timers.group_wait, timers.group_interval)
    return Group(
        key=f"{view.lane.target}/{view.lane.lane}",
        reason=reason,
        route=meta.route,
        labels=meta.labels,
        values=meta.values,
        members=found.members,
        since=book.began_at or book.tried_at or view.now,
        number=book.number,
        late=max(0.0, (view.now_ms - due) / 1000 - patience),
        again_in=(min(moments) - view.now).total_seconds() if moments else None,
        memory=book.memory,
    )
