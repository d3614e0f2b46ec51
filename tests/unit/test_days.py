"""Days of a zone: when a local time comes in a year with clock changes, and on which days people work."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.days import at_local, business_day, close_of, days_before, is_business_day
from tests.unit.acme import ZONES, utc

CHRISTMAS = frozenset({date(2026, 12, 25), date(2026, 12, 28)})


@pytest.mark.parametrize(
    ("zone", "day", "at", "instant"),
    [
        ("Europe/London", "2026-03-29", "01:30", "2026-03-29 01:30"),  # 01:00 to 02:00 does not exist: 02:30 BST
        ("Europe/London", "2026-10-25", "01:30", "2026-10-25 00:30"),  # exists twice: the first, still BST
        ("America/New_York", "2026-03-08", "02:30", "2026-03-08 07:30"),
        ("America/New_York", "2026-11-01", "01:15", "2026-11-01 05:15"),
        ("America/Santiago", "2026-09-06", "00:00", "2026-09-06 04:00"),  # the day begins at 01:00
        ("America/Havana", "2026-11-01", "00:00", "2026-11-01 04:00"),  # two midnights: the first
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03 15:45"),  # half an hour
        ("Pacific/Apia", "2011-12-30", "00:00", "2011-12-30 10:00"),  # a day that never was: as the next begins
    ],
)
def test_a_local_time_that_clocks_skip_comes_after_the_gap_and_one_they_repeat_comes_first(
    zone: str, day: str, at: str, instant: str
) -> None:
    """What is defined for both, in zones with odd changes."""
    assert at_local(date.fromisoformat(day), time.fromisoformat(at), ZoneInfo(zone)) == utc(instant)


@given(st.sampled_from(ZONES), st.dates(date(2024, 1, 1), date(2037, 12, 31)))
def test_a_day_is_over_when_the_next_one_begins(zone: str, day: date) -> None:
    """However long it is."""
    over = close_of(day, ZoneInfo(zone))
    assert over.astimezone(ZoneInfo(zone)).date() > day
    assert (over - datetime.resolution).astimezone(ZoneInfo(zone)).date() <= day


def test_the_ends_of_the_calendar_hold() -> None:
    """Dates that stand for none break nothing."""
    assert days_before(date.min, 1) == date.min
    assert days_before(date.max, -1) == date.max
    assert close_of(date.max, ZoneInfo("UTC")) == datetime.max.replace(tzinfo=UTC)
    assert business_day(date.max, {date.max}, date.max) == date.max
    assert business_day(date.min, {date.min}, date.max) > date.min


@pytest.mark.parametrize(
    ("day", "latest", "told"),
    [
        ("2026-12-18", "2026-12-31", "2026-12-18"),  # a Friday
        ("2026-12-19", "2026-12-31", "2026-12-21"),
        ("2026-12-25", "2026-12-31", "2026-12-29"),  # holiday, weekend, holiday
        ("2026-12-26", "2026-12-27", "2026-12-24"),  # the next one would be too late
        ("2026-12-27", "2026-12-29", "2026-12-29"),
    ],
)
def test_what_falls_on_a_free_day_moves_to_the_next_business_day_unless_that_is_too_late(
    day: str, latest: str, told: str
) -> None:
    """Then to the last one before."""
    assert business_day(date.fromisoformat(day), CHRISTMAS, date.fromisoformat(latest)) == date.fromisoformat(told)


@given(st.dates(date(2026, 11, 1), date(2027, 1, 31)), st.dates(date(2026, 11, 1), date(2027, 1, 31)), st.data())
def test_moving_to_business_days_keeps_the_order(first: date, second: date, data: st.DataObject) -> None:
    """A wider rung never comes after a tighter one."""
    first, second = min(first, second), max(first, second)
    latest = data.draw(st.dates(second, date(2027, 3, 1)))
    moved = [business_day(day, CHRISTMAS, latest) for day in (first, second)]
    assert moved == sorted(moved)
    assert all(is_business_day(day, CHRISTMAS) for day in moved)
