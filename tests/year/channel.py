"""What a config would send of a year: the product's own routes, conditions, groups and Slack messages; no store.

Lanes are kept here in the plainest way, with the timers of relay.lua; what happens in them is decided by the product.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, cast

import msgspec

from monitor.conditions.condition import Condition, Place, condition_id
from monitor.conditions.families import MERELY_ENDS, family_of
from monitor.conditions.ledger import Ledger
from monitor.events import Event, decode, encode, monitor_event
from monitor.exchange import Request, Response
from monitor.grouping.book import Book
from monitor.grouping.look import Hush, Quiet, Stance
from monitor.grouping.message import Group, Reason
from monitor.grouping.plan import Arrival, Plan, plan
from monitor.moments import stamp
from monitor.pipeline.allowance import Allowance
from monitor.pipeline.draft import Draft
from monitor.pipeline.hushing import Hushing
from monitor.pipeline.source import Source
from monitor.pipeline.standing import StandingBySources
from monitor.pipeline.target import Sends, TargetRuntime
from monitor.routing import Router
from monitor.silences import Silences, Subject
from monitor.store.eventlog import Stored
from monitor.store.groups import ESCALATED, Entry, Meta
from monitor.store.queued import Assignment
from monitor.targets import TARGETS
from monitor.targets.base import Message
from tests.drive import drive, reply
from tests.year.clock import Told

FOREVER = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sent:
    """One message: to whom, by which requests (`posted`, `edited, reply`, `sent`), why, and the words on the phone."""

    at: datetime
    target: str
    how: str
    reason: str
    text: str


@dataclass(slots=True)
class _Lane:
    """One group: what waits in it, what stands in it, its book and its timers."""

    waiting: list[tuple[Assignment, bytes]] = field(default_factory=list)
    members: set[tuple[str, str]] = field(default_factory=set)
    meta: Meta = field(default_factory=Meta)
    book: Book = field(default_factory=Book)
    due: datetime | None = None
    flushed: datetime | None = None

    def enter(self, entry: Entry, now: datetime) -> None:
        """As relay.lua: on the next tick while something is open, else after its wait and its interval."""
        self.members |= {entry.member} if entry.member else set()
        self.meta = entry.meta or self.meta
        interval = timedelta(seconds=entry.interval)
        due = now + timedelta(seconds=entry.wait)
        if self.flushed is not None:
            due = max(due, self.flushed + interval)
        began = self.book.began_at
        if began is not None:
            due = began + ((now - began) // interval + 1) * interval if interval else now
        self.due = due if self.due is None else min(self.due, due)


@dataclass(slots=True)
class Channels:
    """Targets on a virtual clock: `play` what is told of lives in, what is sent out."""

    router: Router
    targets: Mapping[str, TargetRuntime]
    standing: StandingBySources
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    lanes: dict[tuple[str, str], _Lane] = field(default_factory=dict)
    events: int = 0
    posts: int = 0

    def play(self, told: Iterable[tuple[str, Told]], end: datetime) -> Iterator[Sent]:
        """Everything that is told, with its source, in order of time in; every request until the end out."""
        for name, one in told:
            yield from self._until(one.at)
            yield from self._relay(one.event or _news(name, one), one.at)
        yield from self._until(end)

    def _until(self, moment: datetime) -> Iterator[Sent]:
        """Let every group that is due before a moment take its turn."""
        while True:
            due, key = min(((lane.due or FOREVER, key) for key, lane in self.lanes.items()), default=(FOREVER, None))
            if key is None or due >= moment:
                return
            yield from self._turn(*key, due)

    def _relay(self, event: Event, now: datetime) -> Iterator[Sent]:
        """One event through the routes into the lanes."""
        self.events += 1
        body = encode(event)
        stored = Stored(f"{int(now.timestamp() * 1000)}-{self.events}", event.id, event.type, body)
        hushing = Hushing(self.router, Silences(()), self.ledgers, now)
        draft = Draft(self.router, self.targets, self.standing, hushing, self.ledgers)
        draft.add(stored, decode(body))
        for one in draft.assignments:
            if self.targets[one.target].target.grouped:
                self.lanes.setdefault((one.target, one.lane), _Lane()).waiting.append((one, body))
            else:
                yield Sent(now, one.target, "sent", "event", event.type)
        for entry in draft.entries:
            self.lanes.setdefault((entry.target, entry.lane), _Lane()).enter(entry, now)
        draft.taken()

    def _turn(self, target: str, name: str, now: datetime) -> Iterator[Sent]:
        """One group speaks, or has nothing to say."""
        lane, runtime = self.lanes[target, name], self.targets[target]
        known = [
            one for key, family in sorted(lane.members) if (one := self.ledgers[key].conditions.get(family)) is not None
        ]
        standing = [
            (condition, place)
            for condition in known
            for place in condition.places
            if (place.target, place.lane) == (target, name)
        ]
        hushing = Hushing(self.router, Silences(()), self.ledgers, now)
        arrivals = [_arrival(one, standing) for one, _ in lane.waiting]
        found = plan(lane.book, standing, arrivals, self._stance(target, name, lane), _hush(hushing), now)
        bodies = [body for one, body in lane.waiting if one.delivery in found.tell]
        gone = {condition.id for condition in known if condition.id in found.gone}
        lane.members = {
            one for one in lane.members if condition_id(*one) not in gone and condition_id(*one) in _ids(known)
        }
        lane.waiting, lane.due, lane.book = [], found.next_at, found.unsent
        if found.reason is None:
            return
        message = _message(f"{target}/{name}", lane, found, bodies, now)
        made: list[tuple[str, str]] = []
        driven = drive(runtime.target.send(message), lambda request: self._answer(request, made))
        assert driven.result is not None
        remembered = driven.result.remember
        memory = dict(remembered) if remembered is not None else lane.book.memory
        lane.book, lane.flushed = msgspec.structs.replace(found.sent, memory=memory), now
        # What pings is in the reply: an escalation is heard by that, everything else is read above it.
        text = made[-1 if found.reason is Reason.ESCALATION else 0][1]
        yield Sent(now, target, " and ".join(how for how, _ in made), str(found.reason), text)

    def _stance(self, target: str, name: str, lane: _Lane) -> Stance:
        """How a Slack target with a token wants to be told by this group's route."""
        timers = self.router.timers(lane.meta.route)
        escalate = timers.escalate
        return Stance(
            target=target,
            attends=True,
            narrates=True,
            repeat=timers.repeat_interval,
            interval=timers.group_interval,
            escalate_after=escalate.after if escalate and target in escalate.to else None,
            escalation_only=name.startswith(ESCALATED),
        )

    def _answer(self, request: Request, made: list[tuple[str, str]]) -> Response:
        """Slack takes everything."""
        body = json.loads(request.body or b"{}")
        how = "edited" if "ts" in body else "replied" if "thread_ts" in body else "posted"
        made.append((how, str(body["text"])))
        self.posts += 1
        return reply({"ok": True, "ts": body.get("ts") or f"{self.posts}.0", "channel": body["channel"]})


def channels(router: Router, targets: Mapping[str, Mapping[str, Any]], sources: Mapping[str, Source]) -> Channels:
    """Routes, options of targets by name and sources in, the channels out."""
    built = {}
    for name, given in targets.items():
        plugin = TARGETS[str(given["type"])]
        options = plugin.options.model_validate(given)
        never = cast("Allowance", None)
        built[name] = TargetRuntime(name, options, plugin.build(name, options), cast("Sends", None), never)
    return Channels(router, built, StandingBySources(sources))


def _news(source: str, told: Told) -> Event:
    """News of a date that cannot be read, as the event that the monitor makes of it."""
    count = int(told.at.timestamp())
    mark = str(told.news.get("value", ""))
    time = stamp(told.at)
    return monitor_event(
        "source", source, "schema_drift", count=count, time=time, details=told.news, provider=None, mark=mark
    )


def _arrival(one: Assignment, standing: list[tuple[Condition, Place]]) -> Arrival:
    """What waits, as what it is in this group."""
    family = family_of(one.type)
    if family is not None:
        return Arrival(one.delivery, one.event, one.type, condition_id(one.key, family.name), moves=True)
    ended = next((condition.id for condition, _ in standing if condition.ended_event == one.event), None)
    if ended is not None and (one.type in MERELY_ENDS or one.wait == 0.0):
        return Arrival(one.delivery, one.event, one.type, ended, moves=True)
    return Arrival(one.delivery, one.event, one.type)


def _hush(hushing: Hushing) -> Hush:
    """Nothing is silenced; intervals of routes count."""

    def hush(condition: Condition, place: Place) -> Quiet | None:
        subject = Subject(decode(condition.event_bytes), condition.changed_at, place.target, place.severity)
        return hushing.quiet(subject, place.route)

    return hush


def _ids(known: Iterable[Condition]) -> set[str]:
    return set(map(attrgetter("id"), known))


def _message(key: str, lane: _Lane, found: Plan, bodies: list[bytes], now: datetime) -> Message:
    """As a turn of a group makes it."""
    assert found.reason is not None
    events = tuple(bodies) or tuple(one.condition.event_bytes for one in found.members)
    group = Group(
        key=key,
        reason=found.reason,
        route=lane.meta.route,
        labels=lane.meta.labels,
        values=lane.meta.values,
        members=found.members,
        since=lane.book.began_at or now,
        number=lane.book.number,
        memory=lane.book.memory,
    )
    severities = [one.severity for one in found.members if not one.over]
    return Message(str(decode(events[0])["id"]), events, 1, now, severities[0] if severities else "info", group)
