"""What the config says of a ladder: time of day, business days, notice; and values of another kind than expected."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest

from monitor.ladders import Timing, describe, ladder, notice_by
from monitor.vocabulary import DeadlineRule
from tests.unit.acme import DAY, DUE_AT, END_DATE, clockwork, utc

TYPE = END_DATE.type


def dues(end: str, timing: Timing, zone: str = "UTC") -> dict[str, str]:
    """Names and due times of a date's ladder."""
    return {rung.name: f"{rung.due:%a %m-%d %H:%M}" for rung in ladder(END_DATE, end, clockwork(zone, {TYPE: timing}))}


def test_rungs_of_a_date_are_told_at_the_time_of_day_that_the_config_says() -> None:
    """The one after it too; the days do not move."""
    timing = Timing(before=(7 * DAY, 1 * DAY), send_at=time(9, 30))
    assert dues("2026-04-02", timing, "Europe/London") == {
        "7d": "Thu 03-26 09:30",
        "1d": "Wed 04-01 08:30",
        "overdue": "Fri 04-03 08:30",
    }


def test_a_ladder_that_says_nothing_of_rungs_keeps_the_providers_own() -> None:
    """`send_at` alone."""
    timing = Timing(send_at=time(9))
    assert list(dues("2026-04-02", timing)) == ["30d", "14d", "7d", "3d", "1d", "overdue"]


def test_rungs_on_weekends_and_holidays_are_told_on_the_next_business_day() -> None:
    """And where the date would be over by then, on the last one before: a day's warning is not lost on a weekend."""
    timing = Timing(before=(7 * DAY, 3 * DAY, 1 * DAY), business_days=True, holidays=frozenset({date(2026, 4, 6)}))
    assert dues("2026-04-05", timing) == {  # a Sunday, Easter Monday after it
        "7d": "Mon 03-30 00:00",
        "3d": "Thu 04-02 00:00",
        "1d": "Fri 04-03 00:00",
        "overdue": "Tue 04-07 00:00",
    }


def test_notice_is_a_rung_of_its_own_on_its_last_business_day_at_the_latest() -> None:
    """After it notice cannot be given any more."""
    timing = Timing(before=(30 * DAY, 7 * DAY), notice=28 * DAY, business_days=True)
    assert dues("2026-05-31", timing) == {
        "30d": "Fri 05-01 00:00",
        "notice": "Fri 05-01 00:00",
        "7d": "Mon 05-25 00:00",
        "overdue": "Mon 06-01 00:00",
    }
    assert notice_by(END_DATE, "2026-05-31", clockwork(ladders={TYPE: timing})) == date(2026, 5, 3)
    assert notice_by(END_DATE, "2026-05-31", clockwork()) is None
    assert notice_by(END_DATE, "soon", clockwork(ladders={TYPE: timing})) is None


def test_the_day_itself_may_be_a_rung() -> None:
    """`0d`: it ends today."""
    (today, _) = ladder(END_DATE, "2026-04-05", clockwork(ladders={TYPE: (0.0,)}))
    assert (today.name, today.due) == ("0d", utc("2026-04-05 00:00"))
    assert describe(END_DATE, today, "2026-04-05", clockwork(), today.due)["days_left"] == 0


@pytest.mark.parametrize(
    ("rule", "value", "zone", "over"),
    [
        (DUE_AT, "2026-02-04", "UTC", "2026-02-05 00:00"),
        (DUE_AT, "2026-02-04", "America/New_York", "2026-02-05 05:00"),
        (END_DATE, "2026-02-04T00:00:00Z", "UTC", "2026-02-05 00:00"),
        (END_DATE, "2026-07-04T23:00:00Z", "Europe/London", "2026-07-05 23:00"),  # the 5th in London
        (END_DATE, "2026-07-04T23:00:00+01:00", "Europe/London", "2026-07-04 23:00"),
    ],
)
def test_a_date_where_an_instant_was_due_ends_with_its_local_day_and_the_other_way_round(
    rule: DeadlineRule, value: Any, zone: str, over: str
) -> None:
    """Providers mix them; neither is silence."""
    assert ladder(rule, value, clockwork(zone))[-1].due == utc(over)


def test_events_say_the_moment_that_was_counted() -> None:
    """The date of the zone, or the instant at which the day is over."""
    (*_, rung) = ladder(END_DATE, "2026-07-04T23:00:00Z", clockwork("Europe/London"))
    said = describe(END_DATE, rung, "2026-07-04T23:00:00Z", clockwork("Europe/London"), rung.due)
    assert said == {"date": "2026-07-05", "rung": "overdue", "days_left": -1, "late": "0s"}
    (*_, rung) = ladder(DUE_AT, "2026-02-04", clockwork())
    said = describe(DUE_AT, rung, "2026-02-04", clockwork(), rung.due)
    assert said == {"at": "2026-02-05T00:00:00.000Z", "rung": "deadline_missed", "seconds_left": 0, "late": "0s"}
