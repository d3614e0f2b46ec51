"""Times of a calendar: on the wall clock of their zone, starts included, ends not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.intervals import MONTHS, WEEKDAYS, Calendar, Interval, minutes, numbers

LONDON = ZoneInfo("Europe/London")
NIGHTS = Interval("nights", LONDON, times=((minutes("22:00"), minutes("24:00")), (0, minutes("06:00"))))
WEEKENDS = Interval("weekends", LONDON, weekdays=(numbers("saturday:sunday", WEEKDAYS),))


def at(text: str, zone: ZoneInfo = LONDON) -> datetime:
    """Local text as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("interval", "moment", "holds"),
    [
        (NIGHTS, "2026-01-05T21:59:59", False),
        (NIGHTS, "2026-01-05T22:00", True),
        (NIGHTS, "2026-01-05T23:59:59", True),
        (NIGHTS, "2026-01-06T05:59:59", True),
        (NIGHTS, "2026-01-06T06:00", False),
        (NIGHTS, "2026-07-06T05:59", True),
        (WEEKENDS, "2026-01-09T23:59", False),
        (WEEKENDS, "2026-01-10T00:00", True),
        (WEEKENDS, "2026-01-11T23:59", True),
        (WEEKENDS, "2026-01-12T00:00", False),
        (Interval("wraps", LONDON, weekdays=(numbers("sunday:monday", WEEKDAYS),)), "2026-01-12T09:00", True),
        (Interval("last", LONDON, days_of_month=(numbers("-1"),)), "2026-02-28T09:00", True),
        (Interval("last", LONDON, days_of_month=(numbers("-1"),)), "2028-02-28T09:00", False),
        (Interval("last three", LONDON, days_of_month=(numbers("-3:-1"),)), "2026-04-28T09:00", True),
        (Interval("last three", LONDON, days_of_month=(numbers("-3:-1"),)), "2026-04-27T09:00", False),
        (Interval("long before", LONDON, days_of_month=(numbers("-31:-30"),)), "2026-02-01T09:00", True),
        (Interval("31st", LONDON, days_of_month=(numbers("31"),)), "2026-02-28T09:00", False),
        (Interval("summer", LONDON, months=(numbers("june:august", MONTHS, first=1),)), "2026-08-31T23:59", True),
        (Interval("winter", LONDON, months=(numbers("11:2", MONTHS, first=1),)), "2026-01-01T00:00", True),
        (Interval("then", LONDON, years=(numbers("2026:2027"),)), "2028-01-01T00:00", False),
    ],
)
def test_an_interval_holds_from_its_start_until_before_its_end(interval: Interval, moment: str, holds: bool) -> None:
    """All parts that are given must agree, negative days count from the end of the month."""
    assert interval.holds(at(moment)) is holds


def test_a_route_is_quiet_in_its_mute_times_and_outside_its_active_ones() -> None:
    """The name of what keeps it quiet is told."""
    office = Interval("office", LONDON, times=((minutes("09:00"), minutes("17:00")),))
    calendar = Calendar(mute=(WEEKENDS,), active=(office,))
    assert calendar.quiet(at("2026-01-05T10:00")) is None
    assert calendar.quiet(at("2026-01-05T08:00")) == "outside office"
    assert calendar.quiet(at("2026-01-10T10:00")) == "weekends"
    assert Calendar().quiet(at("2026-01-05T10:00")) is None


@pytest.mark.parametrize(
    ("now", "change"),
    [
        ("2026-01-05T12:00", "2026-01-05T22:00"),
        ("2026-01-05T22:00", "2026-01-06T06:00"),
        ("2026-03-29T00:30", "2026-03-29T06:00"),
        ("2026-10-25T00:30", "2026-10-25T06:00"),
    ],
)
def test_the_next_change_is_known_to_the_second_across_clock_changes(now: str, change: str) -> None:
    """The night in which clocks go forward is an hour shorter, the one in which they go back an hour longer."""
    assert Calendar(mute=(NIGHTS,)).changes(at(now)) == at(change)


def test_an_hour_that_is_skipped_never_comes_and_one_that_is_repeated_counts_twice() -> None:
    """On 29 March 2026 there is no 01:30 in London, on 25 October there are two."""
    early = Calendar(mute=(Interval("early", LONDON, times=((minutes("01:15"), minutes("01:45")),)),))
    begins, now = [], datetime(2026, 3, 28, 23, tzinfo=UTC)
    while now < datetime(2026, 3, 29, 23, tzinfo=UTC):
        now = early.changes(now)
        begins.append(now)
    assert begins[0] > datetime(2026, 3, 29, 23, tzinfo=UTC)
    changes, now = [], datetime(2026, 10, 24, 23, tzinfo=UTC)
    for _ in range(4):
        now = early.changes(now)
        changes.append(now.strftime("%H:%M"))
    assert changes == ["00:15", "00:45", "01:15", "01:45"]


@given(
    start=st.integers(0, 1438),
    length=st.integers(1, 600),
    days=st.sets(st.integers(0, 6), min_size=1),
    offset=st.integers(0, 366 * 24 * 60),
)
def test_nothing_changes_between_now_and_the_next_change(start: int, length: int, days: set[int], offset: int) -> None:
    """Asked at any minute before it the answer is that of now; at it, the other one."""
    interval = Interval(
        "some", LONDON, times=((start, min(1440, start + length)),), weekdays=tuple((day, day) for day in days)
    )
    calendar, now = Calendar(mute=(interval,)), datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=offset)
    change, quiet = calendar.changes(now), calendar.quiet(now)
    for part in range(1, 24):
        moment = now + (change - now) * part / 24
        assert calendar.quiet(moment) == quiet, moment
    assert calendar.quiet(change) != quiet
