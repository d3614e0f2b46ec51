"""Ladders: when a date or an instant is told, as a list of moments before it and one after it. Pure.

A date counts in calendar days of the source's own zone: a rung of 30 days falls due on the day that is 30 days before
it, at `send_at` (midnight), and the date is over when that local day is. An instant counts in hours of the clock.
A date without a time where an instant is due ends at the close of that local day; an instant where a date is due
counts as the local day it falls on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.days import FIRST, LAST, at_local, business_day, close_of, days_before
from monitor.moments import parse_date, parse_instant, stamp
from monitor.stuck import StuckRule
from monitor.values import format_duration, parse_duration
from monitor.vocabulary import DeadlineRule

DAY = 86_400.0
NOTICE = "notice"
PASSED = "passed"

ON_TIME = timedelta(seconds=2)
"""Within this much of being due an event counts as on time."""

_LATE_STEPS = ((600, 1), (7_200, 60), (172_800, 3600), (float("inf"), 86400))
_AFTER = -1.0


@dataclass(frozen=True, slots=True)
class Rung:
    """One moment of a ladder: its name (`30d`, `24h`, `notice`, `overdue`), the event type, and when it is due (UTC).

    `span` is how many seconds before the deadline it stands, below 0 after it. A `silent` one is passed without a
    word: an interview that was agreed on is over, and nothing is left to tell of it.
    """

    name: str
    type: str
    due: datetime
    span: float = field(default=0.0, compare=False)
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """How one deadline is told where the config says it: the rungs in seconds (None: the provider's own).

    `send_at` is the local time at which rungs of a date are told, `business_days` moves those of weekends and
    `holidays` to the next business day, `notice` is how long before a date notice must have been given (seconds).
    """

    before: tuple[float, ...] | None = None
    send_at: time = time.min
    business_days: bool = False
    holidays: frozenset[date] = frozenset()
    notice: float | None = None


_PLAIN = Timing()


@dataclass(frozen=True, slots=True)
class Clockwork:
    """What turns the clock into events for one source: its zone, timings by event type, its stuck rules."""

    zone: ZoneInfo
    ladders: Mapping[str, Timing] = field(default_factory=dict)
    stuck: tuple[StuckRule, ...] = ()

    def timing(self, rule: DeadlineRule) -> Timing:
        """How this deadline is told."""
        return self.ladders.get(rule.type, _PLAIN)

    def before(self, rule: DeadlineRule) -> Sequence[float]:
        """The rungs before this deadline, in seconds: the config's, else the provider's default."""
        given = self.timing(rule).before
        return rule.before if given is None else given


def deadline_of(rule: DeadlineRule, value: Any, zone: ZoneInfo) -> date | datetime | None:
    """A provider's value in, the date or the instant in UTC that it means out; None when it is neither."""
    day, moment = parse_date(value), None
    if day is None:
        moment = parse_instant(value)
    if rule.unit == "date":
        return moment.astimezone(zone).date() if moment is not None else day
    return close_of(day, zone) if day is not None else moment


def is_given(value: Any) -> bool:
    """Whether a provider gave a value at all: null and blank text are none."""
    return value is not None and not (isinstance(value, str) and not value.strip())


def ladder(rule: DeadlineRule, value: Any, clockwork: Clockwork, *, state: str | None = None) -> list[Rung]:
    """A deadline rule and its value in, its rungs in the order they fall due out; none when it is no date.

    `state` is that of the resource: where the rule tells nothing after the deadline in it, the last rung is silent.
    """
    found = deadline_of(rule, value, clockwork.zone)
    if found is None:
        return []
    spans = {span: _rung_name(span, rule.unit) for span in clockwork.before(rule)}
    timing = clockwork.timing(rule)
    if timing.notice is not None and rule.unit == "date":
        spans[timing.notice] = NOTICE
    if rule.missed is None or rule.missed(state):
        name = "overdue" if rule.unit == "date" else _what(rule.after)
        last = Rung(name, rule.after, _over(found, clockwork, timing), _AFTER)
    else:
        last = Rung(PASSED, rule.type, _over(found, clockwork, _PLAIN), silent=True)
    before = [Rung(name, rule.type, _due(found, span, clockwork, timing), span) for span, name in spans.items()]
    return [*sorted(before, key=lambda rung: -rung.span), last]


def notice_by(rule: DeadlineRule, value: Any, clockwork: Clockwork) -> date | None:
    """The last day on which notice can be given; None where the config names no notice."""
    notice, found = clockwork.timing(rule).notice, deadline_of(rule, value, clockwork.zone)
    if notice is None or rule.unit != "date" or found is None:
        return None
    return days_before(found, int(notice // DAY))


def tightest(rungs: Sequence[Rung], now: datetime) -> Rung | None:
    """Rungs in the order they fall due in, the last one that is due out; None when none is."""
    due = [rung for rung in rungs if rung.due <= now]
    return due[-1] if due else None


def span_of(name: str) -> float:
    """Seconds before the deadline by a rung's name as it is remembered; the one after it comes last."""
    if name == PASSED:
        return 0.0
    try:
        return parse_duration(name)
    except ValueError:
        return _AFTER


def kept_name(rung: Rung) -> str:
    """The name under which a rung is remembered, so that it can be placed in any other ladder."""
    return format_duration(rung.span) if rung.name == NOTICE else rung.name


def describe(rule: DeadlineRule, rung: Rung, value: Any, clockwork: Clockwork, now: datetime) -> dict[str, Any]:
    """The `deadline` member of an event: the date or instant, the rung, what is left and how late this is."""
    late = lateness(now - rung.due)
    found = deadline_of(rule, value, clockwork.zone)
    if found is not None and not isinstance(found, datetime):
        left = (found - now.astimezone(clockwork.zone).date()).days
        return {"date": found.isoformat(), "rung": rung.name, "days_left": left, "late": late}
    seconds = round((found - now).total_seconds()) if found else 0
    if late == "0s" and rung.type == rule.type and found:
        seconds = round((found - rung.due).total_seconds())
    return {"at": stamp(found) if found else value, "rung": rung.name, "seconds_left": seconds, "late": late}


def lateness(late: timedelta) -> str:
    """How much later than due in, a duration in whole seconds, minutes, hours or days out; `0s` when on time."""
    if late <= ON_TIME:
        return "0s"
    seconds = int(late.total_seconds())
    step = next(size for limit, size in _LATE_STEPS if seconds < limit)
    return format_duration(seconds // step * step)


def value_name(value: Any) -> str:
    """A deadline's value in, the one name of that moment out, however the provider writes it this time."""
    moment = None if parse_date(value) else parse_instant(value)
    return stamp(moment) if moment else str(value)


def _due(deadline: date | datetime, span: float, clockwork: Clockwork, timing: Timing) -> datetime:
    """When a rung before the deadline falls due, in UTC."""
    if isinstance(deadline, datetime):
        return _earlier(deadline, span)
    if span % DAY:
        # Part of a day, on the wall clock. The config takes whole days only, a provider's own ladder may differ.
        return _earlier(datetime.combine(deadline, time.min, clockwork.zone), span)
    day = days_before(deadline, int(span // DAY))
    if timing.business_days:
        # On the next business day after it, notice could not be given any more.
        day = business_day(day, timing.holidays, day if span == timing.notice else deadline)
    return at_local(day, timing.send_at, clockwork.zone)


def _over(deadline: date | datetime, clockwork: Clockwork, timing: Timing) -> datetime:
    """When the rung after the deadline falls due, in UTC."""
    if isinstance(deadline, datetime):
        return deadline
    if deadline == date.max:
        return LAST
    day = days_before(deadline, -1)
    if timing.business_days:
        day = business_day(day, timing.holidays, date.max)
    return at_local(day, timing.send_at, clockwork.zone)


def _earlier(moment: datetime, seconds: float) -> datetime:
    try:
        return (moment - timedelta(seconds=seconds)).astimezone(UTC)
    except OverflowError:
        return FIRST


def _rung_name(seconds: float, unit: str) -> str:
    if unit == "instant" and seconds % 3600 == 0:
        return f"{int(seconds // 3600)}h"
    return "0d" if unit == "date" and not seconds else format_duration(seconds)


def _what(type_: str) -> str:
    return type_.rsplit(".", 1)[-1]
