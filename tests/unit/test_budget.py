"""What answers say of a quota, and the name under which a credential is counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.budget import Quota, credential_id, left_alone, made_at, quota_of

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
DATE = "Mon, 05 Jan 2026 09:30:00 GMT"


def headers(left: str = "7", limit: str = "200", reset: int | str = 60, **more: str) -> dict[str, str]:
    """The three headers; `reset` in seconds from now, or as it is written."""
    moment = str(int(NOW.timestamp()) + reset) if isinstance(reset, int) else reset
    return {
        "x-ratelimit-remaining": left,
        "x-ratelimit-limit": limit,
        "x-ratelimit-reset": moment,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


def test_the_three_headers_make_a_quota() -> None:
    """What is left, of how much, and for how long still."""
    assert quota_of(headers(), NOW) == Quota(7, 200, 60.0)
    assert quota_of(headers(limit="") | {}, NOW) == Quota(7, 7, 60.0)


def test_the_end_is_measured_by_the_answers_own_clock() -> None:
    """A host clock that is ten minutes wrong changes nothing where the answer has a Date."""
    for wrong in (timedelta(minutes=10), timedelta(minutes=-10)):
        assert quota_of(headers(date=DATE), NOW + wrong) == Quota(7, 200, 60.0)


@pytest.mark.parametrize(
    "odd",
    [
        {},
        headers(left="many"),
        headers(left="-1"),
        headers(reset="soon"),
        headers(reset=""),
        headers(reset=0),
        headers(reset=-60),
        headers(reset=3_601),
        headers(reset="60"),
        headers(left="9" * 13),
    ],
)
def test_headers_that_make_no_sense_are_no_quota(odd: dict[str, str]) -> None:
    """Nobody is slowed down by garbage, by a window that is over, or by one that ends next week."""
    assert quota_of(odd, NOW) is None


@pytest.mark.parametrize("date", ["", "yesterday", "99", "Mon, 99 Foo 2026 09:30:00 GMT"])
def test_without_a_usable_date_the_given_moment_counts(date: str) -> None:
    """It is never an error."""
    assert made_at({"date": date}, NOW) == NOW
    assert made_at({}, NOW) == NOW


def test_the_same_credentials_have_the_same_name_and_others_another() -> None:
    """Provider, host and every secret count; path, case of the host and user part do not; no secret shows in it."""
    one = credential_id("devrev", "https://api.example.org/v1", ["Authorization: Bearer s3cret"])
    assert one == credential_id("devrev", "https://API.example.org", ["Authorization: Bearer s3cret"])
    others = [
        credential_id("bindbee", "https://api.example.org", ["Authorization: Bearer s3cret"]),
        credential_id("devrev", "https://eu.example.org", ["Authorization: Bearer s3cret"]),
        credential_id("devrev", "https://api.example.org:8443", ["Authorization: Bearer s3cret"]),
        credential_id("devrev", "https://api.example.org", ["Authorization: Bearer other"]),
        credential_id("devrev", "https://api.example.org", ["Authorization: Bearer s3", "cret"]),
        credential_id("devrev", "https://api.example.org", []),
    ]
    assert len({one, *others}) == 7
    assert len(one) == 32
    assert "s3cret" not in one


def test_the_error_says_how_long() -> None:
    """In seconds, for people and for the schedule."""
    error = left_alone(299.6)
    assert "300 s" in str(error)
    assert (error.retry_after, error.reason) == (299.6, "throttled")
