from __future__ import annotations

from typing import Any

import pytest

from monitor.demo import words
from monitor.targets.telling import read
from tests.unit.targets.events import stored


def told(type_: str, *words_: Any, **more: Any) -> str:
    """A whole line about an event."""
    facts = read(stored(type_, *words_, **more))
    return f"{words.subject(facts)} {words.happened(facts)}"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            told("worklayer.job.claimed", title="A | 1040", state={"before": "UNCLAIMED", "after": "CLAIMED"}),
            'job "A | 1040" was claimed (UNCLAIMED → CLAIMED)',
        ),
        (
            told("devrev.job.rolled_back", title="Export", state={"before": "failed", "after": "rolled_back"}),
            'job "Export" is now rolled_back (failed → rolled_back)',
        ),
        (told("bindbee.job.open", title="SRE", state={"before": None, "after": "OPEN"}), 'job "SRE" is now OPEN'),
        (told("worklayer.job.created", title="A", state_now="UNCLAIMED"), 'job "A" is new (UNCLAIMED)'),
        (
            told(
                "driver_jobs.job_driver.removed",
                "job_driver/3",
                "Van at X",
                state={"before": "rejected", "after": None},
            ),
            "Driver 3 (Van at X) is gone (it was rejected)",
        ),
        (
            told(
                "driver_jobs.contract.expiring",
                "contract/4",
                "Contract 4: Van at X",
                deadline={"date": "2026-01-08", "rung": "3d", "days_left": 3, "late": "0s"},
            ),
            "Contract 4 (Van at X) ends in 3 days",
        ),
        (
            told(
                "worklayer.job.updated",
                title="A",
                changes=[
                    {"field": "deadline_time", "before": None, "after": "2026-01-08T10:30:00Z"},
                    *({"field": name, "before": 1, "after": 2} for name in ("name", "members", "total_amount")),
                ],
            ),
            'job "A" has changed: deadline time – → 08 Jan 10:30 UTC, name, members and 1 more',
        ),
        (
            told("bindbee.job.updated", title="A", changes=[{"field": "offices", "before": ["a"], "after": ["b"]}]),
            'job "A" has changed: offices',
        ),
        (
            told(
                "driver_jobs.interview.rescheduled",
                "interview/5",
                "Interview 5: Van at X",
                changes=[{"field": "start_at", "before": "2026-01-06T09:30:00Z", "after": "2026-01-07T10:00:00Z"}],
            ),
            "Interview 5 (Van at X) was moved: start at 06 Jan 09:30 UTC → 07 Jan 10:00 UTC",
        ),
        (
            told(
                "worklayer.job.deadline_approaching",
                title="A",
                deadline={"at": "2026-01-06T09:30:00Z", "rung": "24h", "seconds_left": 86400, "late": "0s"},
            ),
            'job "A" is due in 24 hours',
        ),
    ],
)
def test_an_event_reads_as_a_sentence(line: str, said: str) -> None:
    """A subject, and what happened to it; states that nobody foresaw are told as they are."""
    assert line == said


def test_a_first_look_counts_by_kind() -> None:
    """The largest first, without the states."""
    counts = {"contract": {"active": 2}, "job_driver": {"accepted": 2, "rejected": 1}}
    facts = read(stored("jobwire.source.baselined", "source/fleet", details={"counts": counts}))
    assert words.counts(facts) == "3 drivers, 2 contracts"


def test_a_source_that_is_called_like_its_provider_is_named_once() -> None:
    """Else both are."""
    assert [words.place("devrev", "devrev"), words.place("tax", "worklayer"), words.place("x", "acme")] == [
        "DevRev",
        "tax · Worklayer",
        "x · acme",
    ]


def test_times_are_as_exact_as_a_reader_needs() -> None:
    """Two digits, no more."""
    spans = [words.span(seconds) for seconds in (0, 0.0042, 0.0996, 0.149, 1.25, 12.4, 119, 300)]
    assert spans == ["under 1 ms", "4 ms", "100 ms", "0.1 s", "1.2 s", "12 s", "119 s", "5 min"]
