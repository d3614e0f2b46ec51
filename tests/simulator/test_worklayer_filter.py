from __future__ import annotations

import pytest

from monitor.simulator.worklayer import STATUSES
from monitor.simulator.worklayer_filter import BadFilter, compile_filter
from tests.simulator.calls import tax_job

JOBS = [
    tax_job(1, "CLAIMED"),
    tax_job(2, "CLOSED", transmit_time="2025-03-01T10:00:00.1234567Z"),
    tax_job(3, "UNCLAIMED", deadline_time="2025-06-01T00:00:00Z", transmit_time="2025-05-01T00:00:00Z"),
]


def chosen(text: str) -> list[str]:
    """The short ids of the jobs a filter takes."""
    test = compile_filter(text, STATUSES)
    return [job["short_id"] for job in JOBS if test(job)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["S1", "S2", "S3"]),
        ("status = CLAIMED", ["S1"]),
        ('status="CLAIMED"', ["S1"]),
        ('status!="CLOSED"', ["S1", "S3"]),
        ('status="CLAIMED" OR status="CLOSED"', ["S1", "S2"]),
        ('members.user_id:"user-3"', ["S3"]),
        ('create_time >= "2025-01-01T00:02:00Z"', ["S2", "S3"]),
        ('create_time > "2025-01-01T00:02:00+00:00" AND status != CLOSED', ["S3"]),
        ('transmit_time <= "2025-04-01T00:00:00Z"', ["S2"]),
        ('deadline_time < "2026-01-01T00:00:00Z"', ["S3"]),
        ('deadline_time != "2026-01-01T00:00:00Z"', ["S3"]),
        ('status="CLAIMED" OR status="CLOSED" AND members.user_id:"user-2"', ["S2"]),
    ],
)
def test_takes_the_jobs_the_filter_names(text: str, expected: list[str]) -> None:
    """Each documented comparison works, and OR binds tighter than AND."""
    assert chosen(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "status",
        "status =",
        'status > "CLAIMED"',
        'status = "NO_SUCH_STATUS"',
        'name = "x"',
        'update_time > "2025-01-01T00:00:00Z"',
        'members.user_id = "x"',
        'create_time > "yesterday"',
        'transmit_time =< "2025-01-01T00:00:00Z"',
        'status="CLAIMED" status="CLOSED"',
        'status="CLAIMED" AND',
        '(status="CLAIMED")',
        'status="CLAIMED" XOR status="CLOSED"',
        'status="CLAIMED',
    ],
)
def test_refuses_everything_else(text: str) -> None:
    """What is not in the documented grammar is a BadFilter, never a guess."""
    with pytest.raises(BadFilter):
        chosen(text)
