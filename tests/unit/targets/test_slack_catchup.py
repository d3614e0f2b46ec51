"""A catch-up message in Slack: how it reads, and that it fits whatever a provider writes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from monitor.conditions import Status
from monitor.grouping.backlog import CatchUp, Why
from monitor.simulator.slack_rules import check
from monitor.simulator.slack_text import lines_of, mentions
from monitor.targets.slack_catchup import message, text_only
from tests.unit.targets.events import stored
from tests.unit.targets.groups import NOW, member

REASON = (
    "Told late. This channel was behind by 12 minutes: it asked for a pause, because it takes no more messages. "
    "So this one message tells what came since 5 Jan 2026 09:18 UTC: 212 events of 200 groups."
)


def told(**changes: Any) -> CatchUp:
    """A catch-up message about 200 groups."""
    given: dict[str, Any] = {
        "id": "cat_1",
        "groups": 200,
        "events": 212,
        "since": NOW - timedelta(minutes=12),
        "late": 720.0,
        "why": Why.RATE,
        "named": (member(severity="critical"), member(), member(status=Status.RESOLVED)),
        "still_open": 37,
        "critical": 3,
        "open": {"driver_jobs.contract.expiring": 30, "devrev.job.failed": 5},
        "over": {"devrev.job.failed": 4},
        "occurred": {"worklayer.job.claimed": 90},
    }
    return CatchUp(**given | changes)


def test_it_reads_from_how_late_over_what_is_worst_to_what_comes_next() -> None:
    """The line for phones stands alone; nothing in it claims to be new."""
    made = message(told(waiting=60))
    assert made["text"] == "🔴 Catch-up: 37 open (3 critical), 212 events of 200 groups, up to 12 minutes late"
    lines = lines_of(made)
    assert lines[:2] == [made["text"], REASON]
    assert [line[:10] for line in lines[2:5]] == ["🔴 Open: Co", "🟠 Open: Co", "🟢 Resolved"]
    assert "on 20 Dec 2025" in lines[2]
    assert "in 14 days" not in lines[2]
    assert lines[5:] == [
        "More is open: 30 × driver_jobs.contract.expiring, 5 × devrev.job.failed",
        "More is over: 4 × devrev.job.failed",
        "It happened: 90 × worklayer.job.claimed",
        "  60 groups more to follow. What changes from now on is told by itself · cat_1",
    ]


@pytest.mark.parametrize(
    ("why", "error", "words"),
    [
        (
            Why.OUTAGE,
            "timeout: no answer in 15 s",
            "it could not be reached. The last attempt said: timeout: no answer",
        ),
        (Why.UNKNOWN, "", "it was held back, or more came than is sent at its rate."),
    ],
)
def test_it_says_why_as_far_as_that_is_known(why: Why, error: str, words: str) -> None:
    """And what the last attempt said."""
    assert words in lines_of(message(told(why=why, error=error)))[1]


def test_without_anything_open_it_is_no_alarm() -> None:
    """What only happened is counted, in blue."""
    made = message(told(named=(), still_open=0, critical=0, open={}, over={}, events=1, groups=1))
    assert made["text"] == "🔵 Catch-up: 1 event of 1 group, up to 12 minutes late"
    assert "open" not in "\n".join(lines_of(made)).lower()


HOSTILE = st.text(max_size=100).map(lambda text: f"{text}<!channel> @here *x* {text * 9}")
TYPES = st.dictionaries(HOSTILE, st.integers(1, 10**9), max_size=12)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=25)
@given(st.lists(HOSTILE, min_size=1, max_size=10), TYPES, HOSTILE)
def test_it_fits_and_pings_nobody_whatever_providers_write(
    titles: list[str], types: dict[str, int], error: str
) -> None:
    """Inside every limit of Slack, by its own models, with blocks and without."""
    bodies = [stored("devrev.job.failed", title=one, source="dev", state_now="failed", id="evt_1") for one in titles]
    hostile = told(
        named=tuple(map(member, bodies)), open=types, over=types, occurred=types, why=Why.OUTAGE, error=error
    )
    made, plain = message(hostile), text_only(hostile)
    for block in Block.parse_all(made["blocks"]):
        block.validate_json()
    for one in (made, plain):
        assert check(one) is None
        assert mentions(one) == []
    assert len(plain["text"]) < 4000
