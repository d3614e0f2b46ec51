"""Ladders of deadlines: when each rung falls due in the source's own zone, and what an event says of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ladders import Rung, describe, ladder
from monitor.moments import to_millis
from monitor.vocabulary import DeadlineRule
from tests.unit.acme import DAY, DUE_AT, END_DATE, HOUR, ZONES, clockwork, utc


def rungs(zone: str, end: Any) -> dict[str, str]:
    """Names and due times of a date's ladder."""
    return {rung.name: f"{rung.due:%Y-%m-%d %H:%M}" for rung in ladder(END_DATE, end, clockwork(zone))}


@pytest.mark.parametrize(
    ("zone", "end", "due"),
    [
        # British clocks go forward on 2026-03-29.
        (
            "Europe/London",
            "2026-04-05",
            {
                "30d": "2026-03-06 00:00",
                "14d": "2026-03-22 00:00",
                "7d": "2026-03-29 00:00",
                "3d": "2026-04-01 23:00",
                "1d": "2026-04-03 23:00",
                "overdue": "2026-04-05 23:00",
            },
        ),
        # Chilean midnight of 2026-09-06 is 01:00: the day begins there.
        (
            "America/Santiago",
            "2026-09-07",
            {
                "30d": "2026-08-08 04:00",
                "14d": "2026-08-24 04:00",
                "7d": "2026-08-31 04:00",
                "3d": "2026-09-04 04:00",
                "1d": "2026-09-06 04:00",
                "overdue": "2026-09-08 03:00",
            },
        ),
        # And the end of a date may be the midnight that does not exist.
        (
            "America/Santiago",
            "2026-09-05",
            {
                "30d": "2026-08-06 04:00",
                "14d": "2026-08-22 04:00",
                "7d": "2026-08-29 04:00",
                "3d": "2026-09-02 04:00",
                "1d": "2026-09-04 04:00",
                "overdue": "2026-09-06 04:00",
            },
        ),
    ],
)
def test_dates_fall_due_at_local_midnight_across_clock_changes(zone: str, end: str, due: dict[str, str]) -> None:
    """A day is a calendar day of the zone, whether it has 23, 24 or 25 hours."""
    assert rungs(zone, end) == due


@given(st.sampled_from(ZONES), st.dates(date(2024, 1, 1), date(2037, 12, 31)))
def test_a_rung_of_n_days_falls_due_as_the_day_n_days_before_begins(zone: str, end: date) -> None:
    """Exactly then, in every zone: a second earlier it is still the day before."""
    for rung in ladder(END_DATE, end.isoformat(), clockwork(zone)):
        days = -1 if rung.name == "overdue" else int(rung.name[:-1])
        local = rung.due.astimezone(ZoneInfo(zone))
        earlier = (rung.due - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
        assert (end - local.date()).days == days
        assert (end - earlier.date()).days == days + 1
        said = describe(END_DATE, rung, end.isoformat(), clockwork(zone), rung.due)
        assert (said["days_left"], said["rung"], said["late"]) == (days, rung.name, "0s")


def test_instants_fall_due_by_the_clock() -> None:
    """Hours before an instant are hours, wherever it is."""
    found = ladder(DUE_AT, "2026-03-29T12:00:00.5+01:00", clockwork("Europe/London"))
    assert [(rung.name, rung.type) for rung in found] == [
        ("72h", "acme.job.deadline_approaching"),
        ("24h", "acme.job.deadline_approaching"),
        ("4h", "acme.job.deadline_approaching"),
        ("deadline_missed", "acme.job.deadline_missed"),
    ]
    assert [rung.due for rung in found] == [
        datetime(2026, 3, day, hour, 0, 0, 500_000, tzinfo=UTC) for day, hour in ((26, 11), (28, 11), (29, 7), (29, 11))
    ]


def test_the_ladder_of_the_config_comes_first_in_the_order_it_falls_due() -> None:
    """Written in any order, days or hours."""
    ladders = {"acme.contract.expiring": (1 * DAY, 90 * DAY, 36 * HOUR), "acme.job.deadline_approaching": (900.0,)}
    dates = ladder(END_DATE, "2026-02-04", clockwork(ladders=ladders))
    assert [rung.name for rung in dates] == ["90d", "36h", "1d", "overdue"]
    instants = ladder(DUE_AT, "2026-02-04T00:00:00Z", clockwork(ladders=ladders))
    assert [(rung.name, rung.due) for rung in instants][:1] == [("15m", utc("2026-02-03 23:45"))]


@pytest.mark.parametrize("rule", [END_DATE, DUE_AT])
@given(st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()))
def test_what_is_no_date_has_no_ladder(rule: DeadlineRule, value: Any) -> None:
    """And is no error, for any value a provider may send."""
    assert ladder(rule, value, clockwork()) == []


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/Santiago"])
@pytest.mark.parametrize(("rule", "time"), [(END_DATE, ""), (DUE_AT, "T00:00:00Z")])
def test_the_first_and_the_last_date_there_is_are_dates(zone: str, rule: DeadlineRule, time: str) -> None:
    """Providers write them where they have none: the one is long past, the other waits, neither breaks."""
    first = ladder(rule, f"0001-01-01{time}", clockwork(zone))
    last = ladder(rule, f"9999-12-31{time}", clockwork(zone))
    assert all(rung.due.year <= 1 for rung in first)
    assert all(rung.due.year >= 9999 for rung in last)
    for rungs_ in (first, last):
        assert [rung.due for rung in rungs_] == sorted(rung.due for rung in rungs_)
        assert all(to_millis(rung.due) for rung in rungs_)


def test_a_rung_wider_than_the_calendar_is_due_since_its_beginning() -> None:
    """A mistyped ladder breaks no scan."""
    work = clockwork(ladders={END_DATE.type: (10_000_000 * DAY, 1e15)})
    assert [rung.due.year for rung in ladder(END_DATE, "2026-02-04", work)] == [1, 1, 2026]


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (-1.0, "0s"),
        (0.0, "0s"),
        (2.0, "0s"),
        (3.0, "3s"),
        (119.0, "119s"),
        (5_430.0, "90m"),
        (86_400.0, "1d"),
        (97_300.0, "27h"),
    ],
)
def test_lateness_is_told_in_whole_seconds_minutes_or_hours(after: float, said: str) -> None:
    """Within two seconds a worker is on time."""
    value, due = "2026-02-04T10:00:00Z", utc("2026-02-03 10:00")
    rung = Rung("24h", DUE_AT.type, due)
    found = describe(DUE_AT, rung, value, clockwork(), due + timedelta(seconds=after))
    left = 86_400 if said == "0s" else round(86_400 - after)
    assert found == {"at": "2026-02-04T10:00:00.000Z", "rung": "24h", "seconds_left": left, "late": said}


def test_a_missed_instant_has_nothing_left() -> None:
    """Seconds left count on below zero."""
    rung = Rung("deadline_missed", DUE_AT.after, utc("2026-02-04 10:00"))
    found = describe(DUE_AT, rung, "2026-02-04T10:00:00Z", clockwork(), utc("2026-02-04 11:00"))
    assert (found["seconds_left"], found["late"]) == (-3600, "1h")
