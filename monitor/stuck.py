"""Resources that stay in a state too long: since when, when that is told, and what was told of it. Pure.

The time counts from the provider's own stamp of the state where it has one, else from when the monitor first saw it,
and anew whenever a field that the rule names changes. A stay is told once for each rule; of several rules that a stay
has outlasted only the longest speaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.moments import parse_instant, stamp
from monitor.resources import Known
from monitor.values import format_duration, parse_duration


@dataclass(frozen=True, slots=True)
class StuckRule:
    """A state that may last `limit` seconds in resources of `type` (`worklayer.job`).

    A change of one of the fields `unless_changed` starts the time anew.
    """

    type: str
    state: str
    limit: float
    unless_changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay in a state under one rule: since when it counts, and when it is too long (UTC)."""

    rule: StuckRule
    since: datetime
    due: datetime

    @property
    def name(self) -> str:
        """What this stay is remembered by: another stay, or a change of the fields, is another one."""
        return " ".join((stamp(self.since), *self.rule.unless_changed))

    @property
    def rung(self) -> str:
        """How long it may last, as people write it: `4h`."""
        return format_duration(self.rule.limit)


def event_type(type_: str) -> str:
    """`worklayer.job` in, the type of its event out."""
    return f"{type_}.stuck"


def stays(known: Known, type_: str, rules: Sequence[StuckRule]) -> list[Stay]:
    """The rules that hold for a resource in its present state and were not told of this stay, the shortest first."""
    if known.gone or not rules:
        return []
    spoken = known.spoken.get(event_type(type_), {})
    return sorted(
        (one for one in _stays(known, type_, rules) if _outlasts(one, spoken.get(one.name))),
        key=lambda one: (one.due, one.rule.limit),
    )


def next_stuck(known: Known, type_: str, rules: Sequence[StuckRule]) -> datetime | None:
    """When the ring must look at this resource next, in UTC."""
    waiting = stays(known, type_, rules)
    return waiting[0].due if waiting else None


def speaking_stays(known: Known, type_: str, rules: Sequence[StuckRule], now: datetime) -> list[Stay]:
    """What must be told now: of the rules that count from the same moment only the longest."""
    found: dict[str, Stay] = {}
    for one in stays(known, type_, rules):
        if one.due <= now and (one.name not in found or found[one.name].rule.limit < one.rule.limit):
            found[one.name] = one
    return list(found.values())


def told_stay(known: Known, stay: Stay) -> dict[str, dict[str, str]]:
    """`spoken` of the resource once this stay was told.

    What it replaces is forgotten: earlier states, and the time before the last change of the same fields.
    """
    type_, began = event_type(stay.rule.type), since_of(known)
    kept = {}
    for name, rung in known.spoken.get(type_, {}).items():
        since, *fields = name.split(" ")
        moment = parse_instant(since)
        if moment is not None and began is not None and moment >= began and tuple(fields) != stay.rule.unless_changed:
            kept[name] = rung
    return {**known.spoken, type_: {**kept, stay.name: stay.rung}}


def since_of(known: Known, fields: Sequence[str] = ()) -> datetime | None:
    """Since when the present state has lasted with these fields unchanged, in UTC."""
    entered = parse_instant(known.entered) or parse_instant(known.since)
    changes = [parse_instant(known.moved.get(field)) for field in fields]
    return max((one for one in (entered, *changes) if one is not None), default=None)


def _stays(known: Known, type_: str, rules: Sequence[StuckRule]) -> Iterator[Stay]:
    state = known.resource.state
    for rule in rules:
        if rule.type == type_ and rule.state == (state or "-"):
            since = since_of(known, rule.unless_changed)
            if since is not None:
                yield Stay(rule, since, since + timedelta(seconds=rule.limit))


def _outlasts(stay: Stay, told: str | None) -> bool:
    """Whether a rule is longer than the one that was told of the same stay."""
    # By their names, as both are remembered: those are whole milliseconds.
    return told is None or parse_duration(stay.rung) > parse_duration(told)
