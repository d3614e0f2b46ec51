"""How digests read, and that anything in them makes a message that Slack takes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from monitor.simulator.slack_rules import check
from monitor.simulator.slack_text import lines_of, live_in, mentions
from monitor.targets.slack_digest import message
from monitor.targets.telling import plain_text, read, tell
from tests.unit.targets.events import CLAIMED, stored

NOW = datetime(2026, 1, 5, 9, 30, 5, tzinfo=UTC)


def digest(**details: Any) -> bytes:
    """A digest's event with these details."""
    return stored("jobwire.digest", "target/ops", details={"day": "2026-01-05", "days": 7, **details})


FULL = digest(
    deadlines=[
        {"day": "2026-01-07", "days_left": 2, "title": "Contract of Tony", "field": "end_date", "source": "uk"},
        {"day": "2026-01-05", "days_left": 0, "at": "2026-01-05T15:00:00Z", "title": "Interview", "field": "at"},
    ],
    deadlines_total=3,
    events={"a.b.claimed": 5, "a.b.failed": 1},
    events_total=6,
    important=[{"text": "Job 7 failed.", "severity": "critical", "url": None}],
    since="2026-01-04T09:00:00Z",
)


def test_a_digest_reads_from_deadlines_to_events() -> None:
    """Days first, what has happened after, the gravest by name."""
    made = message([read(FULL)], NOW)
    assert made is not None
    assert lines_of(made)[:-1] == [
        "🗓 Digest of 5 Jan 2026: 3 deadlines, 6 events",
        "Deadlines of the next 7 days",
        "• in 2 days, 7 Jan 2026: Contract of Tony (end date, uk)",
        "• today, 5 Jan 2026 15:00 UTC: Interview (at)",
        "… and 1 more",
        "What has happened since 4 Jan 2026 09:00 UTC",
        "5 × a.b.claimed, 1 × a.b.failed",
        "🔴 Job 7 failed.",
    ]


def test_instants_are_the_readers_and_what_is_over_is_not_told_as_open() -> None:
    """Date tokens with the target's zone beside them; what has ended comes last, and says so."""
    failed = {
        "severity": "critical",
        "text": "Job 7 failed at 5 Jan 2026 05:34 UTC.",
        "moments": ["2026-01-05T05:34:00Z"],
    }
    body = digest(
        events={"a.b.failed": 3},
        events_total=3,
        since="2026-01-04T09:00:00Z",
        important=[{**failed, "state": "resolved"}, {**failed, "state": "expired"}, {**failed, "state": "open"}],
    )
    made = message([read(body)], NOW, ZoneInfo("America/New_York"))
    assert made is not None
    told = made["blocks"][2]["text"]["text"].splitlines()
    token = "<!date^1767591240^{date_short_pretty} {time}|5 Jan 2026 00:34 EST>"
    assert told == [
        f"🔴 Job 7 failed at {token}.",
        f"🟢 Since resolved: Job 7 failed at {token}.",
        f"🟢 Since expired: Job 7 failed at {token}.",
    ]
    assert made["text"].endswith("3 events · 🔴 Job 7 failed at 5 Jan 2026 00:34 EST.")


def test_the_line_for_phones_names_the_first_deadline_or_the_gravest_event() -> None:
    """Two numbers alone would make everybody open the app."""
    made = message([read(FULL)], NOW)
    assert made is not None
    assert made["text"] == (
        "🗓 Digest of 5 Jan 2026: 3 deadlines, 6 events · first in 2 days, 7 Jan 2026: Contract of Tony (end date, uk) "
        "and 2 more"
    )
    quiet = digest(
        events={"a.b.failed": 1}, events_total=1, important=[{"text": "Job 7 failed.", "severity": "critical"}]
    )
    told = message([read(quiet)], NOW)
    assert told is not None
    assert told["text"] == "🗓 Digest of 5 Jan 2026: 1 event · 🔴 Job 7 failed."


def test_elsewhere_a_digest_is_one_sentence() -> None:
    """What templates and other targets get as text."""
    assert plain_text(tell(read(FULL)).sentence) == (
        "Digest of 5 Jan 2026: 3 deadlines, 6 events. Deadlines within 7 days: in 2 days, 7 Jan 2026: Contract of Tony "
        "(end date, uk); today, 5 Jan 2026 15:00 UTC: Interview (at); and 1 more. "
        "Since 4 Jan 2026 09:00 UTC: 5 × a.b.claimed, 1 × a.b.failed."
    )


def test_other_events_are_no_digest() -> None:
    """They are rendered as they always were."""
    assert message([read(CLAIMED)], NOW) is None
    assert message([read(FULL), read(CLAIMED)], NOW) is None


words = st.one_of(st.text(max_size=400), st.just("<!channel> <@U012> *x* &" * 200), st.just("🗓" * 500), st.none())
lines = st.fixed_dictionaries(
    {
        "title": words,
        "text": words,
        "field": words,
        "day": words,
        "state": st.one_of(words, st.sampled_from(["open", "resolved", 7])),
        "severity": words,
        "at": words,
    },
    optional={
        "moments": st.one_of(st.lists(words, max_size=3), words),
        "url": st.sampled_from(["https://x.example/1", "javascript:1", 7]),
        "days_left": st.integers(),
    },
)


@given(st.lists(lines, max_size=60), st.lists(lines, max_size=12), st.dictionaries(st.text(max_size=80), st.integers()))
def test_any_digest_stays_within_every_limit_and_pings_nobody(
    deadlines: list[Any], important: list[Any], events: dict[str, int]
) -> None:
    """Whatever providers called their things."""
    body = digest(
        deadlines=deadlines, deadlines_total=10**6, important=important[:10], events=events, events_total=10**9
    )
    made = message([read(body)], NOW)
    assert made is not None
    assert check(made) is None
    assert mentions(made) == []
    assert [one for one in live_in(made) if not (one[0] == one[-1] == "*")] == []
    assert sum(len(str(one)) for one in made["blocks"]) < 40_000
