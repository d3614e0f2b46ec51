from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.backoff import LONGEST_WAIT, exponential, next_delay, retry_after

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("1209600", LONGEST_WAIT),
        ("Mon, 05 Jan 2026 09:31:00 GMT", 60.0),
        ("Mon, 05 Jan 2026 10:31:00 +0100", 60.0),
        ("Monday, 05-Jan-26 09:31:00 GMT", 60.0),
        ("Mon Jan  5 09:31:00 2026", 60.0),
        ("Mon, 05 Jan 2026 09:29:00 GMT", 0.0),
        ("Mon, 19 Jan 2026 09:30:00 GMT", LONGEST_WAIT),
    ],
)
def test_w22_retry_after_is_read_as_integer_fraction_or_date(value: str, seconds: float) -> None:
    """Every documented form gives seconds, the past gives 0."""
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    "value",
    [None, "", "soon", "1e3", "nan", "inf", "10 minutes", "٣", "0x10", "2026-01-05T09:31:00Z", "1" * 65],
)
def test_w22_garbage_in_retry_after_is_ignored(value: str | None) -> None:
    """What is no number and no HTTP date counts as not said."""
    assert retry_after(value, NOW) is None


@pytest.mark.parametrize("value", ["1209601", "1767605400", "1767605400000", "9" * 60, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_w22_a_wait_that_nobody_means_is_ignored(value: str) -> None:
    """A time where seconds belong, as in X-RateLimit-Reset, would silence a target until its events are forgotten."""
    assert retry_after(value, NOW) is None


@given(st.text(max_size=80))
def test_no_retry_after_can_hurt(value: str) -> None:
    """Any header text gives None or a wait between nothing and 14 days."""
    seconds = retry_after(value, NOW)
    assert seconds is None or 0 <= seconds <= LONGEST_WAIT


def test_a_schedule_of_n_delays_allows_n_plus_one_attempts() -> None:
    """After attempts 1 and 2 there is a next one, after attempt 3 there is none."""
    delays = [next_delay([5.0, 30.0], attempt, None, lambda: 0.5) for attempt in (1, 2, 3)]
    assert delays == [5.0, 30.0, None]
    assert next_delay([], 1, None, lambda: 0.5) is None


@given(random=st.floats(0, 1), asked=st.none() | st.floats(0, LONGEST_WAIT))
def test_jitter_stays_within_a_fifth_and_never_undercuts_what_was_asked(random: float, asked: float | None) -> None:
    """The wait is the schedule's ±20 %, or longer because the receiver asked for longer."""
    delay = next_delay([100.0], 1, asked, lambda: random)
    assert delay is not None
    assert delay >= (asked or 0.0)
    assert delay >= 79.999
    assert delay <= max(120.001, asked or 0.0)


def test_retries_within_a_scan_double_up_to_their_cap() -> None:
    """1, 2, 4 seconds, then the cap, whatever the attempt number."""
    delays = [exponential(attempt, 1.0, 5.0, lambda: 0.5) for attempt in (1, 2, 3, 4, 10_000)]
    assert delays == [1, 2, 4, 5, 5]
    assert exponential(1, 1.0, 5.0, lambda: 0.0) == pytest.approx(0.8)


def test_a_date_is_judged_by_the_clock_it_is_given() -> None:
    """The clock is an argument: a minute later the same date is a minute nearer."""
    value = "Mon, 05 Jan 2026 09:35:00 GMT"
    assert retry_after(value, NOW + timedelta(minutes=1)) == 240.0
