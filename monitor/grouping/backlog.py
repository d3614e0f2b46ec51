"""The backlog of a channel: which of the groups that wait are told in one catch-up message, and what that says. Pure.

A channel that was paused or could not be reached has as many messages waiting as it has groups, and takes one a
second. Above `FOLD_ABOVE` of them one message tells all, says how late it is and why, and names what is worst.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from monitor.conditions.condition import Status
from monitor.grouping.message import Group, Member, News, Reason
from monitor.routing.severity import rank

FOLD_ABOVE = 20
"""Groups of a target that wait late: so many are told one by one, more in one message."""

AT_MOST = 2_000
"""Groups that one catch-up message tells; those behind them are counted in it, and told in the next."""

NAMED = 10
"""Conditions that it names; the others are counted by type."""

_BY_THEMSELVES = frozenset({Reason.ESCALATION, Reason.ACKNOWLEDGED})


class Why(StrEnum):
    """Why a backlog came about."""

    RATE = "rate"
    OUTAGE = "outage"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What a catch-up message says.

    `groups` and `events` are how many it tells of, seen since `since`. `named` are the conditions that it names: open
    before over, what nobody has seen to before what somebody has, the gravest first, the oldest of those first.
    `open`, `over` and `occurred` count what it does not name by type of event; `still_open` and `critical` count
    all open ones. `error` is what the last attempt failed with, in words, empty where that is not known. `waiting`
    are groups that are told after it.
    """

    id: str
    groups: int
    events: int
    since: datetime
    late: float
    why: Why = Why.UNKNOWN
    error: str = ""
    named: tuple[Member, ...] = ()
    still_open: int = 0
    critical: int = 0
    open: Mapping[str, int] = field(default_factory=dict)
    over: Mapping[str, int] = field(default_factory=dict)
    occurred: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0


def folds(group: Group) -> bool:
    """Whether what a group would say now may be told in a catch-up message.

    Not what exists to be noticed by itself (an escalation) and not the answer to somebody's click.
    """
    return group.reason not in _BY_THEMSELVES and not any(member.escalated for member in group.members)


@dataclass(slots=True)
class Tally:
    """Sums up groups one by one, and holds no more of them than it will name."""

    groups: int = 0
    events: int = 0
    still_open: int = 0
    critical: int = 0
    grades: set[str] = field(default_factory=set)
    _named: list[Member] = field(default_factory=list)
    _open: Counter[str] = field(default_factory=Counter)
    _over: Counter[str] = field(default_factory=Counter)
    _occurred: Counter[str] = field(default_factory=Counter)

    def add(self, group: Group, severity: str, events: int, occurred: Iterable[str]) -> None:
        """One group: what it would say, how loud, how many events waited, and the types of its occurrences."""
        told = [member for member in group.members if _is_told(member, group.reason)]
        self.groups += 1
        self.events += events
        self.grades.add(severity)
        self._occurred.update(occurred)
        for member in told:
            (self._over if member.over else self._open)[member.condition.type] += 1
            self.still_open += not member.over
            self.critical += not member.over and member.severity == "critical"
        self._named = sorted([*self._named, *told], key=_order)[:NAMED]

    def catch_up(
        self, id: str, since: datetime, late: float, why: Why = Why.UNKNOWN, error: str = "", waiting: int = 0
    ) -> CatchUp:
        """The sum of what was added."""
        named = Counter(member.condition.type for member in self._named if not member.over)
        over = Counter(member.condition.type for member in self._named if member.over)
        return CatchUp(
            id=id,
            groups=self.groups,
            events=self.events,
            since=since,
            late=late,
            why=why,
            error=error,
            named=tuple(self._named),
            still_open=self.still_open,
            critical=self.critical,
            open=dict((self._open - named).most_common()),
            over=dict((self._over - over).most_common()),
            occurred=dict(self._occurred.most_common()),
            waiting=waiting,
        )


def _is_told(member: Member, reason: Reason) -> bool:
    """Whether a message tells this condition anew, and does not just show it again beside another."""
    reminds = reason in (Reason.REPEAT, Reason.SILENCE_ENDED) and member.status is Status.OPEN
    return member.news is not News.SAME or (reminds and not member.over)


def _order(member: Member) -> tuple[bool, bool, int, datetime]:
    return member.over, member.status is not Status.OPEN, -rank(member.severity), member.condition.opened_at
