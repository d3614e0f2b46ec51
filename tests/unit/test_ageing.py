"""What time alone brings about a source: staleness after a limit, and the ladder before credentials end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.ageing import credentials_expiring, gone_stale, stale_limit
from monitor.moments import stamp

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def end(left: timedelta) -> tuple[str, int] | None:
    """What is told of credentials that have so much time left: rung and days."""
    told = credentials_expiring("tax", "acme", {"epoch": "7"}, NOW + left, NOW)
    return (told[1].data["details"]["rung"], told[1].data["details"]["days_left"]) if told else None


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (15 * DAY, None),
        (14 * DAY + timedelta(seconds=1), None),
        (14 * DAY, ("14d", 14)),
        (14 * DAY - timedelta(seconds=40), ("14d", 14)),
        (8 * DAY, ("14d", 8)),
        (7 * DAY, ("7d", 7)),
        (2 * DAY + timedelta(hours=5), ("3d", 2)),
        (DAY, ("1d", 1)),
        (timedelta(minutes=5), ("1d", 0)),
        (timedelta(0), ("expired", 0)),
        (-timedelta(hours=2), ("expired", 0)),
        (-3 * DAY, ("expired", -3)),
    ],
)
def test_of_the_ladder_before_the_end_the_tightest_rung_speaks(left: timedelta, told: tuple[str, int] | None) -> None:
    """14, 7, 3 and 1 days before, and once they have ended; the days left are whole days."""
    assert end(left) == told


def test_the_mark_of_a_rung_names_the_end_and_never_the_token() -> None:
    """The same end and rung have one mark, another end has another."""
    marks = [credentials_expiring("tax", "acme", {}, NOW + left * DAY, NOW) for left in (2, 2, 2.5, 5)]
    names = [mark[0] for mark in marks if mark]

    assert names[0] == names[1]
    assert len(set(names)) == 3
    assert all(name.endswith(rung) for name, rung in zip(names, ("3d", "3d", "3d", "7d"), strict=True))


def test_the_news_of_credentials_says_when_they_end() -> None:
    """As news about the source, with the count of its scans as revision."""
    told = credentials_expiring("tax", "acme", {"epoch": "7"}, NOW + 2 * DAY, NOW)
    assert told is not None
    event = told[1]

    assert (event.type, event.subject) == ("jobwire.source.credentials_expiring", "source/tax")
    assert event.data["details"] == {"expires_at": stamp(NOW + 2 * DAY), "rung": "3d", "days_left": 2}
    assert (event.data["revision"], event.data["provider"], event.time) == (7, "acme", stamp(NOW))


@pytest.mark.parametrize(
    ("every", "own", "limit"), [(15.0, None, 120.0), (60.0, None, 180.0), (60.0, 5.0, 5.0), (1.0, 0.0, 0.0)]
)
def test_a_source_is_stale_after_its_option_or_three_intervals(every: float, own: float | None, limit: float) -> None:
    """At least two minutes, unless the option says less."""
    assert stale_limit(every, own) == limit


def test_a_source_is_stale_when_its_last_complete_scan_is_too_long_ago() -> None:
    """Or its first attempt where none was complete; nothing is stale that was never tried, or was told."""
    old, young = stamp(NOW - timedelta(seconds=181)), stamp(NOW - timedelta(seconds=180))

    def since(**state: str) -> str | None:
        told = gone_stale("tax", "acme", state, 180.0, NOW)
        return told[0] if told else None

    assert since(fresh_at=old) == old
    assert since(fresh_at=young) is None
    assert since(failing_since=old) == old
    assert since(fresh_at=young, failing_since=old) is None
    assert since() is None
    assert since(fresh_at=old, stale=old) is None


def test_the_news_of_staleness_says_since_when_and_why() -> None:
    """With what went wrong last, if anything did."""
    state = {"epoch": "3", "fresh_at": stamp(NOW - DAY), "reason": "unavailable", "error": "answered 503"}
    told = gone_stale("tax", "acme", state, 180.0, NOW)

    assert told is not None
    assert told[1].type == "jobwire.source.stale"
    assert told[1].data["details"] == {"since": stamp(NOW - DAY), "reason": "unavailable", "error": "answered 503"}
