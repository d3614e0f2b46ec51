"""Times as providers write them: one moment has many writings, and what is no time is none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.moments import from_millis, parse_date, parse_instant, stamp, to_millis

MOMENT = datetime(2022, 5, 18, 18, 35, 29, 131_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2022-05-18T18:35:29.131Z",
        "2022-05-18T18:35:29.131+00:00",
        "2022-05-18T18:35:29.131000Z",
        "2022-05-18T18:35:29.1310000Z",
        "2022-05-18T18:35:29.131000000Z",
        "2022-05-18t18:35:29.131z",
        "2022-05-18 18:35:29.131Z",
        "2022-05-18T19:35:29.131+01:00",
        "2022-05-18T19:35:29.131+0100",
        "2022-05-18T13:05:29.131-05:30",
        " 2022-05-18T18:35:29.131Z ",
        "2022-05-18T18:35:29.131",
    ],
)
def test_p15_every_writing_of_a_moment_is_the_same_moment(text: str) -> None:
    """Zone, fraction digits and case are form; without a zone it is UTC."""
    assert parse_instant(text) == MOMENT


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "-",
        "soon",
        "2022-05-18",
        "2022-13-18T18:35:29Z",
        "2022-02-30T18:35:29Z",
        "2022-05-18T25:35:29Z",
        "2022-05-18T18:35:29+99:00",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-05:00",
        "２０２２-05-18T18:35:29Z",
        1_652_898_929,
        True,
        ["2022-05-18T18:35:29Z"],
    ],
)
def test_what_is_no_moment_is_none_and_never_an_error(value: object) -> None:
    """Wrong months, wrong zones, moments beyond the calendar, other types: None."""
    assert parse_instant(value) is None


def test_a_moment_without_seconds_is_read() -> None:
    """Minutes are enough."""
    assert parse_instant("2022-05-18T18:35Z") == datetime(2022, 5, 18, 18, 35, tzinfo=UTC)


@given(st.text(max_size=40))
def test_no_text_breaks_the_readers(text: str) -> None:
    """Whatever a provider sends gives a value or None."""
    assert isinstance(parse_instant(text), datetime | None)
    assert isinstance(parse_date(text), date | None)


@given(
    st.datetimes(),
    st.integers(-14 * 60, 14 * 60),
    st.integers(0, 9),
)
def test_a_moment_written_in_any_zone_and_precision_comes_back(moment: datetime, minutes: int, digits: int) -> None:
    """What is written with n fraction digits is read back to n digits, six at the most."""
    there = moment.replace(
        year=2001 + moment.year % 100, day=min(moment.day, 28), tzinfo=timezone(timedelta(minutes=minutes))
    )
    whole, fraction = there.strftime("%Y-%m-%dT%H:%M:%S"), f"{there.microsecond:06d}000"[:digits]
    sign, away = "-" if minutes < 0 else "+", abs(minutes)
    text = f"{whole}{'.' if digits else ''}{fraction}{sign}{away // 60:02d}:{away % 60:02d}"
    lost = timedelta(microseconds=there.microsecond % 10 ** max(0, 6 - digits))
    assert parse_instant(text) == there - lost


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2025-12-20", date(2025, 12, 20)),
        ("2024-02-29", date(2024, 2, 29)),
        ("0001-01-01", date(1, 1, 1)),
        ("9999-12-31", date(9999, 12, 31)),
        ("2025-02-29", None),
        ("2025-W51-6", None),
        ("20251220", None),
        ("2025-12-20T00:00:00Z", None),
        (" 2025-12-20", None),
        ("２０２５-12-20", None),
        ("", None),
        (None, None),
        (20251220, None),
    ],
)
def test_dates_are_year_month_day_and_nothing_else(value: object, day: date | None) -> None:
    """A date that does not exist, an ISO week or an instant is no date."""
    assert parse_date(value) == day


def test_stamps_are_utc_with_milliseconds() -> None:
    """The form of every time that jobwire writes."""
    assert stamp(datetime(2026, 1, 5, 9, 30, 2, 114_999, tzinfo=UTC)) == "2026-01-05T09:30:02.114Z"
    assert stamp(datetime(2026, 7, 5, 9, 30, tzinfo=timezone(timedelta(hours=1)))) == "2026-07-05T08:30:00.000Z"


@given(st.integers(0, 253_402_300_799_999))
def test_milliseconds_and_moments_are_each_others_inverse(millis: int) -> None:
    """Nothing is lost between the store's clock and ours, until the year 9999."""
    assert to_millis(from_millis(millis)) == millis
    assert parse_instant(stamp(from_millis(millis))) == from_millis(millis)
