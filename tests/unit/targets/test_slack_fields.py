"""What a Slack message shows of each kind of thing, beside its sentence."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from monitor.simulator.slack_text import lines_of
from monitor.targets.slack_blocks import message
from monitor.targets.telling import Facts, read
from tests.unit.targets.events import stored

NOW = datetime(2026, 1, 5, 9, 30, 5, tzinfo=UTC)


def monitor_event(type_: str, subject: str, **details: object) -> bytes:
    """An event about a source or target, as it is stored."""
    event = msgspec.json.decode(stored(type_, subject, details=details))
    event["data"] |= {"key": subject, "source": None, "provider": None}
    return msgspec.json.encode(event)


def fields(body: bytes) -> list[str]:
    """The fields of the message about an event, as people read them."""
    facts: Facts = read(body)
    return [line.strip() for line in lines_of(message([facts], NOW))[2:-1]]


CONTRACT = stored(
    "driver_jobs.contract.expiring",
    "contract/298",
    source="uk",
    state_now="active",
    deadline={"date": "2026-01-20", "rung": "14d", "days_left": 14},
    details={"renewal": "pending", "notice_by": "2026-01-10"},
)
INTERVIEW = stored(
    "driver_jobs.interview.rescheduled",
    "interview/5",
    source="uk",
    state_now="scheduled",
    changes=[{"field": "start_at", "before": "2026-01-06T10:00:00Z", "after": "2026-01-07T10:00:00Z"}],
    fields={"kind": "on_site", "location": "London", "start_at": "2026-01-07T10:00:00Z"},
)
JOB = stored(
    "worklayer.job.claimed",
    state_now="CLAIMED",
    state={"before": "UNCLAIMED", "after": "CLAIMED"},
    changes=[
        {"field": "status", "before": "UNCLAIMED", "after": "CLAIMED"},
        {"field": "members", "before": [], "after": [{"user": "ann", "role": "preparer"}, {"user": "ben"}]},
    ],
    fields={"deadline_time": "2026-01-06T17:00:00Z"},
)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (
            CONTRACT,
            [
                "State: active",
                "Ends: 20 Jan 2026",
                "Notice by: 10 Jan 2026",
                "Renewal: pending",
                "Source: driver_jobs / uk",
            ],
        ),
        (
            INTERVIEW,
            [
                "State: scheduled",
                "Where: on site, London",
                "Start at: 6 Jan 2026 10:00 UTC → 7 Jan 2026 10:00 UTC",
                "Source: driver_jobs / uk",
            ],
        ),
        (JOB, ["Due: 6 Jan 2026 17:00 UTC", "Members: – → ann preparer, ben", "Source: worklayer / tax"]),
        (
            monitor_event("jobwire.source.failing", "source/tax", failed_scans=3, since="2026-01-05T09:20:00Z"),
            ["Since: 5 Jan 2026 09:20 UTC", "Scans failed: 3", "Source: tax"],
        ),
        (
            monitor_event("jobwire.target.failing", "target/hook", failures=3, status=503, events=["evt_a", "evt_b"]),
            ["Attempts failed: 3", "Last answer: 503", "Not told yet: evt_a and 1 other", "Target: hook"],
        ),
        (
            monitor_event("jobwire.target.failing", "target/chat", failures=3, status=200, reason="channel_not_found"),
            ["Attempts failed: 3", "Target: chat"],
        ),
    ],
    ids=["contract", "interview", "job", "source", "target", "refused with 200"],
)
def test_each_family_shows_what_matters_of_it(body: bytes, shown: list[str]) -> None:
    """Dates by what they mean, members by name, and not what the headline has said; six at the most."""
    assert fields(body) == shown


def test_lists_and_objects_are_bounded() -> None:
    """Five entries are named, the others counted; no JSON."""
    change = {"field": "members", "before": None, "after": [{"user": f"u{n}", "role": None} for n in range(9)]}
    assert fields(stored("worklayer.job.updated", changes=[change]))[0] == "Members: – → u0, u1, u2, u3, u4 and 4 more"
