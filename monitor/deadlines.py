"""When dates and instants are due to be told, and which rung of a ladder speaks. Pure: the clock is an argument.

A ladder is the list of moments before a deadline (30d 14d 7d 3d 1d) and the one after it. Of several
rungs that have passed only the tightest speaks, and says how late it is. Dates count in calendar days of
the source's own zone: a rung is due at local midnight, a date is over at the end of that local day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.moments import parse_date, parse_instant, stamp
from monitor.resources import Known, pick
from monitor.values import format_duration, parse_duration
from monitor.vocabulary import DeadlineRule, Kind

FORGET_AFTER = timedelta(days=7)
"""At first sight a deadline that passed longer ago than this stays silent."""

ON_TIME = timedelta(seconds=2)
"""Within this much of being due an event counts as on time."""

_REMEMBERED_VALUES = 5
_LATE_STEPS = ((600, 1), (7_200, 60), (172_800, 3600), (float("inf"), 86400))
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rung:
    """One moment of a ladder: its name (`30d`, `24h`, `overdue`), the event type, and when it is due (UTC)."""

    name: str
    type: str
    due: datetime


@dataclass(frozen=True, slots=True)
class Clockwork:
    """What turns deadline rules into moments for one source: its zone and the ladders of the config by event type."""

    zone: ZoneInfo
    ladders: Mapping[str, Sequence[float]]

    def before(self, rule: DeadlineRule) -> Sequence[float]:
        """The rungs before this deadline, in seconds: the config's, else the provider's default."""
        return self.ladders.get(rule.type, rule.before)


def ladder(rule: DeadlineRule, value: Any, clockwork: Clockwork) -> list[Rung]:
    """A deadline rule and its value in, its rungs in the order they fall due out; none when it is no date."""
    if rule.unit == "date":
        day = parse_date(value)
        if day is None:
            return []
        # Wall clock arithmetic on local midnight: a day is a day across clock changes.
        start, lasts = datetime.combine(day, time.min, clockwork.zone), 86400.0
    else:
        moment = parse_instant(value)
        if moment is None:
            return []
        start, lasts = moment, 0.0
    name = "overdue" if rule.unit == "date" else rule.after.rsplit(".", 1)[-1]
    rungs = [Rung(_rung_name(one, rule.unit), rule.type, _earlier(start, one)) for one in clockwork.before(rule)]
    return [*sorted(rungs, key=lambda rung: rung.due), Rung(name, rule.after, _earlier(start, -lasts))]


def rules_of(known: Known, kind: Kind | None) -> Sequence[DeadlineRule]:
    """The deadline rules that are alive for a resource in its present state."""
    if kind is None or known.gone:
        return ()
    return [rule for rule in kind.deadlines if rule.alive(known.resource.state)]


def next_due(known: Known, rule: DeadlineRule, clockwork: Clockwork) -> datetime | None:
    """When the ring must look at this deadline next: the earliest rung not yet told or passed over, in UTC."""
    value = pick(known.resource.fields, rule.field)
    rungs = ladder(rule, value, clockwork)
    waiting = rungs[_told(known, rule, value, rungs) + 1 :]
    return waiting[0].due if waiting else None


def speaking(known: Known, rule: DeadlineRule, clockwork: Clockwork, now: datetime) -> Rung | None:
    """The one rung that must be told now: the tightest that is due and was not told; None when none is."""
    value = pick(known.resource.fields, rule.field)
    rungs = ladder(rule, value, clockwork)
    return tightest(rungs[_told(known, rule, value, rungs) + 1 :], now)


def tightest(rungs: Sequence[Rung], now: datetime) -> Rung | None:
    """Rungs in the order they fall due in, the last one that is due out; None when none is."""
    due = [rung for rung in rungs if rung.due <= now]
    return due[-1] if due else None


def told(known: Known, rule: DeadlineRule, rung: Rung) -> dict[str, dict[str, str]]:
    """`spoken` of the resource once this rung was told for its present value; older values are forgotten in time."""
    value = value_name(rule, pick(known.resource.fields, rule.field))
    values = {key: name for key, name in known.spoken.get(rule.type, {}).items() if key != value}
    kept = dict(list(values.items())[-(_REMEMBERED_VALUES - 1) :])
    return {**known.spoken, rule.type: {**kept, value: rung.name}}


def passed_over(known: Known, kind: Kind | None, clockwork: Clockwork, now: datetime) -> dict[str, dict[str, str]]:
    """`spoken` of a resource at first sight: deadlines that are long past are taken as told."""
    spoken = known.spoken
    for rule in rules_of(known, kind):
        rung = speaking(known, rule, clockwork, now)
        if rung is not None and rung.type == rule.after and now - rung.due > FORGET_AFTER:
            spoken = {**spoken, **told(known, rule, rung)}
    return spoken


def describe(rule: DeadlineRule, rung: Rung, value: Any, clockwork: Clockwork, now: datetime) -> dict[str, Any]:
    """The `deadline` member of an event: the date or instant, the rung, what is left and how late this is."""
    late = _late(now - rung.due)
    day = parse_date(value) if rule.unit == "date" else None
    if day is not None:
        return {
            "date": value,
            "rung": rung.name,
            "days_left": (day - now.astimezone(clockwork.zone).date()).days,
            "late": late,
        }
    moment = parse_instant(value)
    left = round((moment - now).total_seconds()) if moment else 0
    if late == "0s" and rung.type == rule.type and moment:
        left = round((moment - rung.due).total_seconds())
    return {"at": stamp(moment) if moment else value, "rung": rung.name, "seconds_left": left, "late": late}


def value_name(rule: DeadlineRule, value: Any) -> str:
    """A deadline's value in, the one name of that moment out, however the provider writes it this time."""
    moment = parse_instant(value) if rule.unit == "instant" else None
    return stamp(moment) if moment else str(value)


def _told(known: Known, rule: DeadlineRule, value: Any, rungs: Sequence[Rung]) -> int:
    """The place of the last rung that was told or is wider than that; -1 for none.

    Compared by span, not by name: another ladder in the config must not tell the wider rungs again.
    """
    name = known.spoken.get(rule.type, {}).get(value_name(rule, value))
    if name is None:
        return -1
    return max((index for index, rung in enumerate(rungs) if _span(rung.name) >= _span(name)), default=-1)


def _span(name: str) -> float:
    """Seconds before the deadline by a rung's name; the one after it comes last."""
    try:
        return parse_duration(name)
    except ValueError:
        return -1.0


def _earlier(moment: datetime, seconds: float) -> datetime:
    """A moment so many seconds earlier on its own wall clock, in UTC; the ends of the calendar hold what lies beyond.

    Providers write 0001-01-01 and 9999-12-31 where they have no date.
    """
    try:
        return (moment - timedelta(seconds=seconds)).astimezone(UTC)
    except OverflowError:
        return _LAST if seconds < 0 else _FIRST


def _rung_name(seconds: float, unit: str) -> str:
    if unit == "instant" and seconds % 3600 == 0:
        return f"{int(seconds // 3600)}h"
    return format_duration(seconds)


def _late(late: timedelta) -> str:
    if late <= ON_TIME:
        return "0s"
    seconds = int(late.total_seconds())
    step = next(size for limit, size in _LATE_STEPS if seconds < limit)
    return format_duration(seconds // step * step)
