"""Two route trees over the same events on a virtual clock: which messages appear, vanish and move. Pure.

A target without groups gets a message for each event. One with groups gets a message when its wait is over and its
interval since the last one, with everything that came until then, a hundred events at most. What is open, silenced or
acknowledged is not played: the comparison is of routes, and reminders are the same for both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any

from monitor.grouping.message import GROUP_LIMIT
from monitor.routing import Decision, Router

EXAMPLES = 3
"""Events that are named for each type of a difference."""


@dataclass(slots=True)
class Tally:
    """What one target gets: events and messages before and after, and the events that make the difference, by type.

    `moved` counts what comes from other targets, by (type, those targets).
    """

    messages: list[int] = field(default_factory=lambda: [0, 0])
    events: list[int] = field(default_factory=lambda: [0, 0])
    appear: Counter[str] = field(default_factory=Counter)
    vanish: Counter[str] = field(default_factory=Counter)
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)
    severity: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class _Group:
    """An open group: when its message is due, the least time to its next (s), and how many events wait for it."""

    due: datetime
    interval: float
    waiting: int


@dataclass(slots=True)
class _Side:
    """One config at work: its routes, the targets with groups, the groups that are open."""

    router: Router
    targets: Mapping[str, bool]
    open: dict[tuple[str, str], _Group] = field(default_factory=dict)
    not_before: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _due: list[tuple[datetime, tuple[str, str]]] = field(default_factory=list)
    _sweep_at: int = 1000

    def decide(self, event: Mapping[str, Any]) -> dict[str, Decision]:
        """Who gets the event."""
        return {one.target: one for one in self.router.decide(event) if one.target in self.targets}

    def send(self, decision: Decision, now: datetime) -> int:
        """An event comes for a target; how many messages leave because of it."""
        if not self.targets[decision.target]:
            return 1
        key = (decision.target, decision.group)
        group = self.open.get(key)
        if group is None:
            due = max(now + timedelta(seconds=decision.group_wait), self.not_before.get(key, now))
            group = self.open[key] = _Group(due, decision.group_interval, 0)
            heappush(self._due, (due, key))
        group.waiting += 1
        return 0

    def tick(self, now: datetime | None) -> Counter[str]:
        """Messages of groups that are due by now (None: all that are left), by target."""
        left: Counter[str] = Counter()
        while self._due and (now is None or self._due[0][0] <= now):
            due, key = heappop(self._due)
            group = self.open.pop(key)
            self.not_before[key] = due + timedelta(seconds=group.interval)
            left[key[0]] += -(-group.waiting // GROUP_LIMIT)
        if now is not None and len(self.not_before) >= self._sweep_at:
            self.not_before = {key: until for key, until in self.not_before.items() if until > now}
            self._sweep_at = max(1000, 2 * len(self.not_before))
        return left


@dataclass(slots=True)
class Backtest:
    """Plays events, in their order, through the routes as they are and as they would be."""

    before: _Side
    after: _Side
    tallies: dict[str, Tally] = field(default_factory=dict)
    count: int = 0

    def play(self, event: Mapping[str, Any], at: datetime) -> None:
        """One event that was committed at a time; memory grows with targets, types and open groups, not with events."""
        self.count += 1
        self._settle(at)
        sides = (self.before, self.after)
        old, new = (side.decide(event) for side in sides)
        for index, (side, decisions) in enumerate(zip(sides, (old, new), strict=True)):
            for target, decision in decisions.items():
                tally = self._tally(target)
                tally.events[index] += 1
                tally.messages[index] += side.send(decision, at)
        self._compare(str(event["type"]), str(event["id"]), old, new)

    def end(self) -> None:
        """The last message of every group."""
        self._settle(None)

    def _settle(self, at: datetime | None) -> None:
        for index, side in enumerate((self.before, self.after)):
            for target, messages in side.tick(at).items():
                self._tally(target).messages[index] += messages

    def _compare(self, type_: str, id: str, old: Mapping[str, Decision], new: Mapping[str, Decision]) -> None:
        gone, come = [one for one in old if one not in new], [one for one in new if one not in old]
        for target in gone:
            if not come:
                self._tally(target).vanish[type_] += 1
        for target in come:
            tally = self._tally(target)
            if gone:
                tally.moved[type_, ", ".join(gone)] += 1
            else:
                tally.appear[type_] += 1
        for target in (*gone, *come):
            self._example(target, type_, id)
        for target in old.keys() & new.keys():
            was, becomes = old[target].severity, new[target].severity
            if was != becomes:
                self._tally(target).severity[type_, was, becomes] += 1
                self._example(target, type_, id)

    def _example(self, target: str, type_: str, id: str) -> None:
        known = self._tally(target).examples.setdefault(type_, [])
        if len(known) < EXAMPLES:
            known.append(id)

    def _tally(self, target: str) -> Tally:
        return self.tallies.setdefault(target, Tally())


def backtest(before: Router, targets: Mapping[str, bool], after: Router, targets_after: Mapping[str, bool]) -> Backtest:
    """Two routers in, what plays events through both out; targets by name, with whether they have groups."""
    return Backtest(_Side(before, targets), _Side(after, targets_after))


def ordered(tallies: Mapping[str, Tally], names: Sequence[str]) -> Collection[tuple[str, Tally]]:
    """Tallies in the order of these names, of all of them; those that got nothing are empty."""
    return [(name, tallies.get(name, Tally())) for name in names]
