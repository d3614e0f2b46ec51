"""Days and times of day on the wall clocks of a zone, to instants. Pure.

Two rules hold everywhere: a local time that does not exist, because clocks go forward over it, is as far after the
gap as it would lie in it (02:30 becomes 03:30, and a day without a midnight begins at 01:00); of one that exists
twice, because clocks go back, it is the first. https://peps.python.org/pep-0495/ calls that `fold=0`, and
https://www.rfc-editor.org/rfc/rfc5545#section-3.3.5 asks the same of calendars.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SATURDAY = 5
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
"""The ends of the calendar. Providers write 0001-01-01 and 9999-12-31 where they have no date."""


def at_local(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A day and a time of day in a zone in, the instant in UTC out; the ends of the calendar hold what lies beyond."""
    try:
        return datetime.combine(day, at, zone).astimezone(UTC)
    except OverflowError:
        return LAST if day.year > 1 else FIRST


def close_of(day: date, zone: ZoneInfo) -> datetime:
    """A day in a zone in, the instant out at which it is over: the next one begins."""
    return LAST if day == date.max else at_local(day + timedelta(days=1), time.min, zone)


def days_before(day: date, count: int) -> date:
    """The day so many days before another (after it, if negative), held by the ends of the calendar."""
    try:
        return day - timedelta(days=count)
    except OverflowError:
        return date.min if count > 0 else date.max


def is_business_day(day: date, holidays: Collection[date]) -> bool:
    """Whether a day is neither Saturday nor Sunday nor one of these holidays."""
    return day.weekday() < SATURDAY and day not in holidays


def business_day(day: date, holidays: Collection[date], latest: date) -> date:
    """The day itself if people work on it, else the next on which they do.

    Where that would be after `latest`, it is the last business day before: a warning that comes too late is none.
    """
    after = _towards(day, 1, holidays)
    return after if after <= latest else _towards(day, -1, holidays)


def _towards(day: date, step: int, holidays: Collection[date]) -> date:
    while not is_business_day(day, holidays):
        moved = days_before(day, -step)
        if moved == day:  # the end of the calendar
            return day
        day = moved
    return day
