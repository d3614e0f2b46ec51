"""What a run of events makes of lanes, groups and conditions, gathered until the store takes it in one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from monitor.conditions.condition import Condition, Place, condition_id
from monitor.conditions.ending import Standing, keys_of
from monitor.conditions.families import MERELY_ENDS, family_of
from monitor.conditions.ledger import Ledger, Move, move
from monitor.conditions.life import Told
from monitor.grouping.look import Quiet
from monitor.moments import from_millis, parse_instant
from monitor.pipeline.digest_content import KEPT
from monitor.pipeline.hushing import Hushing
from monitor.pipeline.target import TargetRuntime
from monitor.routing import DEFAULT_SEVERITY, Decision, Router, group_hash, own_news
from monitor.silences import Subject
from monitor.store.conditions import Write
from monitor.store.eventlog import Stored
from monitor.store.groups import ESCALATED, HELD, Entry, Meta
from monitor.store.lanes import Assignment
from monitor.targets.digest import DIGEST


@dataclass(slots=True)
class Draft:
    """Gathers what events bring about; `ledgers` are the stored ones, and grow with the events."""

    router: Router
    targets: Mapping[str, TargetRuntime]
    standing: Standing
    hushing: Hushing
    ledgers: dict[str, Ledger]
    assignments: list[Assignment] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    _stored: dict[str, Ledger | None] = field(default_factory=dict)

    def writes(self) -> list[Write]:
        """The ledgers that have changed."""
        return [Write(key, before, self.ledgers[key]) for key, before in self._stored.items()]

    def taken(self) -> None:
        """The store has it: begin anew."""
        for key, before in self._stored.items():
            self.ledgers[key] = Ledger((before.version if before else 0) + 1, self.ledgers[key].conditions)
        self.assignments, self.entries, self._stored = [], [], {}

    def add(self, stored: Stored, event: Mapping[str, Any]) -> None:
        """One event: a delivery for each target that its routes choose, and what it does to conditions."""
        if stored.type == DIGEST:
            self._digest(stored, event)
            return
        told = Told(stored.place, stored.body, event)
        now = parse_instant(event["time"]) or from_millis(stored.at_ms)
        moves = [
            one
            for key in dict.fromkeys(keys_of(event))
            for one in move(self.ledgers.get(key, Ledger()), key, told, self.standing, now)
        ]
        ends = str(event["type"]) in MERELY_ENDS or any(one.after.ended for one in moves)
        decisions = [one for one in self.router.decide(event) if one.target in self.targets]
        opened = next((one for one in moves if not one.after.ended), None)
        places = [place for one in decisions for place in self._route(stored, event, one, opened, ends=ends)]
        if opened is not None:
            self._keep(_placed(opened, (*places, *self._escalations(stored, event, decisions, opened))))
            self._leave(opened, places)
        for one in moves:
            if one.after.ended:
                self._keep(one.after)
                self._end(stored, event, one.after)

    def _route(
        self, stored: Stored, event: Mapping[str, Any], decision: Decision, opened: Move | None, *, ends: bool
    ) -> list[Place]:
        """One decision: the delivery, and where the condition that is opened stands by it."""
        target, member = self.targets[decision.target], None
        if opened is not None:
            member = (opened.after.key, opened.after.family)
        if target.digest is not None:
            silence = self.hushing.silences.quiet(self._subject(event, decision), self.hushing.now)
            why = f"silence {silence.id}" if silence else KEPT
            place = _place(decision, decision.target, group_hash(decision.group))
            self.assignments.append(_assignment(stored, event, place, quiet=why))
            return []
        if target.target.grouped:
            place, timers = _place(decision, decision.target, group_hash(decision.group)), decision.timers
            wait, interval = timers.group_wait, timers.group_interval
            self.entries.append(Entry(place.target, place.lane, wait, interval, member, _meta(decision)))
            self.assignments.append(_assignment(stored, event, place, wait=decision.group_wait, grouped=True))
            return [place] if member else []
        key = str(event["data"]["key"])
        lane = key if target.options.ordered == "resource" else stored.id
        quiet = None if ends else self._quiet(event, decision)
        by = quiet.by if quiet else None
        self.assignments.append(_assignment(stored, event, _place(decision, decision.target, lane), quiet=by))
        if quiet is None or opened is None:
            return []
        held = _place(decision, decision.target, f"{HELD}{opened.after.id}")
        self.entries.append(Entry(held.target, held.lane, 0.0, 0.0, member, _meta(decision)))
        return [held]

    def _digest(self, stored: Stored, event: Mapping[str, Any]) -> None:
        """A digest goes to the target it was written for, past all routes, in a lane of its own."""
        name = str(event["subject"]).partition("/")[2]
        if name in self.targets and self.targets[name].target.grouped:
            decision = Decision(name, "digest", "digest", 0.0, 0.0, DEFAULT_SEVERITY, {})
            self.entries.append(Entry(name, "digest", 0.0, 0.0, None, _meta(decision)))
            self.assignments.append(_assignment(stored, event, _place(decision, name, "digest"), grouped=True))

    def _quiet(self, event: Mapping[str, Any], decision: Decision) -> Quiet | None:
        return self.hushing.quiet(self._subject(event, decision), decision.route)

    def _subject(self, event: Mapping[str, Any], decision: Decision) -> Subject:
        return Subject(event, self.hushing.now, decision.target, decision.severity)

    def _escalations(
        self, stored: Stored, event: Mapping[str, Any], decisions: Sequence[Decision], opened: Move
    ) -> list[Place]:
        """Where the condition is told as well if nobody sees to it."""
        told, places = {one.target for one in decisions}, dict[str, Place]()
        for decision in decisions:
            escalate = decision.timers.escalate
            for name in escalate.to if escalate else ():
                if escalate is None or name in told or name in places or name not in self.targets:
                    continue
                if own_news(event, name):
                    continue
                own = opened.after.id if not self.targets[name].target.grouped else group_hash(decision.group)
                place = places[name] = _place(decision, name, f"{ESCALATED}{own}")
                interval = decision.timers.group_interval if self._grouped(place) else 0.0
                member = (opened.after.key, opened.after.family)
                self.entries.append(Entry(name, place.lane, escalate.after, interval, member, _meta(decision)))
                self.assignments.append(_assignment(stored, event, place, wait=decision.group_wait, grouped=True))
        return list(places.values())

    def _leave(self, opened: Move, places: Sequence[Place]) -> None:
        """Groups where the condition stood and does not any more have to say so."""
        here = {(one.target, one.lane) for one in places}
        for place in opened.after.places:
            if (place.target, place.lane) not in here:
                self.entries.append(self._touch(place))

    def _end(self, stored: Stored, event: Mapping[str, Any], ended: Condition) -> None:
        """Every group where an ended condition stands has to say so, by the event that ended it."""
        sent = {(one.target, one.lane) for one in self.assignments if one.event == stored.id}
        for place in ended.places:
            self.entries.append(self._touch(place))
            if self._grouped(place) and (place.target, place.lane) not in sent:
                self.assignments.append(_assignment(stored, event, place, grouped=True))

    def _touch(self, place: Place) -> Entry:
        timers = self.router.timers(place.route)
        wait, interval = (timers.group_wait, timers.group_interval) if self._grouped(place) else (0.0, 0.0)
        return Entry(place.target, place.lane, wait, interval)

    def _grouped(self, place: Place) -> bool:
        return place.target in self.targets and self.targets[place.target].target.grouped

    def _keep(self, condition: Condition) -> None:
        ledger = self.ledgers.get(condition.key)
        self._stored.setdefault(condition.key, ledger)
        self.ledgers[condition.key] = (ledger or Ledger()).with_(condition)


def opens(event: Mapping[str, Any]) -> str | None:
    """The id of the condition that an event opens or moves, None for an occurrence."""
    family = family_of(str(event["type"]))
    return condition_id(str(event["data"]["key"]), family.name) if family else None


def _placed(opened: Move, places: Sequence[Place]) -> Condition:
    """The condition with its places: the new ones, and older ones that it has left."""
    here = {(one.target, one.lane) for one in places}
    left = [
        msgspec.structs.replace(one, left=True) for one in opened.after.places if (one.target, one.lane) not in here
    ]
    return msgspec.structs.replace(opened.after, places=(*places, *left))


def _meta(decision: Decision) -> Meta:
    return Meta(decision.route, dict(decision.labels), dict(decision.values))


def _place(decision: Decision, target: str, lane: str) -> Place:
    return Place(target, lane, decision.severity, decision.route)


def _assignment(
    stored: Stored,
    event: Mapping[str, Any],
    place: Place,
    *,
    wait: float = 0.0,
    grouped: bool = False,
    quiet: str | None = None,
) -> Assignment:
    return Assignment(
        target=place.target,
        lane=place.lane,
        wait=wait,
        event=stored.id,
        place=stored.place,
        type=stored.type,
        key=str(event["data"]["key"]),
        route=place.route,
        severity=place.severity,
        grouped=grouped,
        quiet=quiet,
    )
