"""Times of a calendar in which a route is mute or active, as Alertmanager has them. Pure: the clock is an argument.

https://prometheus.io/docs/alerting/latest/configuration/#time_interval-0. Starts count, ends do not; all parts that
are given must agree; everything is read on the wall clock of the interval's zone, so an hour that a clock change
repeats counts twice and one that it skips never comes.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

Range: TypeAlias = tuple[int, int]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_DAY_MINUTES = 24 * 60
_AHEAD = timedelta(days=40)


@dataclass(frozen=True, slots=True)
class Interval:
    """Times of a calendar: `name` is for people, ranges include their end but for `times` (minutes of the day).

    Weekdays count from monday = 0 and may wrap (friday:monday); days of the month may be negative, from its end.
    """

    name: str
    zone: ZoneInfo
    times: tuple[Range, ...] = ()
    weekdays: tuple[Range, ...] = ()
    days_of_month: tuple[Range, ...] = ()
    months: tuple[Range, ...] = ()
    years: tuple[Range, ...] = ()

    def holds(self, now: datetime) -> bool:
        """Whether a moment lies inside."""
        local = now.astimezone(self.zone)
        return (
            _within(self.times, local.hour * 60 + local.minute, exclusive=True)
            and _within(self.weekdays, local.weekday())
            and self._on_day(local)
            and _within(self.months, local.month)
            and _within(self.years, local.year)
        )

    def _on_day(self, local: datetime) -> bool:
        length = monthrange(local.year, local.month)[1]
        return not self.days_of_month or any(
            _clamped(first, length) <= local.day <= _clamped(last, length) for first, last in self.days_of_month
        )


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a route sends: never inside `mute`, and only inside `active` where that is given."""

    mute: tuple[Interval, ...] = ()
    active: tuple[Interval, ...] = ()

    def quiet(self, now: datetime) -> str | None:
        """The name of the interval that keeps the route quiet at this moment, None when it sends."""
        muted = next((one.name for one in self.mute if one.holds(now)), None)
        if muted is not None or not self.active or any(one.holds(now) for one in self.active):
            return muted
        return f"outside {', '.join(one.name for one in self.active)}"

    def changes(self, now: datetime) -> datetime:
        """When to look again: the next moment at which the route falls quiet or speaks again, at most 40 days ahead."""
        quiet, before = self.quiet(now) is not None, now
        for moment in self._edges(now):
            if (self.quiet(moment) is not None) != quiet:
                return self._flip(before, moment, quiet=quiet)
            before = moment
        return now + _AHEAD

    def _edges(self, now: datetime) -> Iterator[datetime]:
        """Every moment soon at which something may begin or end, in order."""
        found: set[datetime] = set()
        for one in (*self.mute, *self.active):
            today = now.astimezone(one.zone).date()
            minutes = {0, *(edge % _DAY_MINUTES for pair in one.times for edge in pair)}
            for ahead in range(_AHEAD.days + 1):
                for minute in minutes:
                    wall = datetime.combine(today + timedelta(days=ahead), time(minute // 60, minute % 60), one.zone)
                    found |= {wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
        return iter(sorted(moment for moment in found if moment > now))

    def _flip(self, before: datetime, after: datetime, *, quiet: bool) -> datetime:
        """The very second between two moments at which it changes: a clock change may lie between them."""
        while after - before > timedelta(seconds=1):
            middle = before + (after - before) / 2
            if (self.quiet(middle) is not None) == quiet:
                before = middle
            else:
                after = middle
        return after.replace(microsecond=0)


def numbers(text: str, names: Sequence[str] = (), first: int = 0) -> Range:
    """`monday:friday`, `december`, `-3:-1` or `2026` in, the range as numbers out; names count from `first`."""
    begin, _, end = text.partition(":")

    def number(word: str) -> int:
        return names.index(word) + first if word in names else int(word)

    return number(begin), number(end or begin)


def minutes(text: str) -> int:
    """`17:30` in, minutes of the day out; 24:00 is its end."""
    hours, _, rest = text.partition(":")
    return int(hours) * 60 + int(rest)


def _within(ranges: Sequence[Range], value: int, *, exclusive: bool = False) -> bool:
    """Whether a value lies in one of the ranges, or none is given; a range that ends before it begins wraps."""
    if not ranges:
        return True
    value = value * 2 + exclusive
    return any(
        (first * 2 <= value <= last * 2) if first <= last else (value >= first * 2 or value <= last * 2)
        for first, last in ranges
    )


def _clamped(day: int, length: int) -> int:
    """A day of the month, a negative one counted from its end; never before the first."""
    return day if day > 0 else max(1, length + 1 + day)
