"""What is printed for people: cells that stay in sight."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from monitor.cli.conditions import conditions_row
from monitor.cli.output import CELL, table
from monitor.cli.phrases import event_line
from tests.unit.targets.events import stored

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
LONG = "A title without an end " * 5_000


def test_no_cell_of_a_table_is_longer_than_people_read(capsys: pytest.CaptureFixture[str]) -> None:
    """Nor is another row padded to it; what is cut says so."""
    table(("key", "title", "state"), [("tax/job/1", LONG, "NEW"), ("tax/job/2", "short", "NEW")])
    _, first, second = capsys.readouterr().out.splitlines()
    assert max(len(first), len(second)) < CELL + 30
    assert (first.count("…"), first.endswith("NEW"), "…" in second) == (1, True, False)


def test_no_line_of_events_is_longer_than_people_read(capsys: pytest.CaptureFixture[str]) -> None:
    """Whichever of its parts a provider, or an error, made long."""
    change = {"field": "name", "before": LONG, "after": LONG}
    for body in (
        stored("worklayer.job.changed", title=LONG, changes=[change]),
        stored("jobwire.source.failing", details={"error": LONG}),
    ):
        event_line(msgspec.json.decode(body))
        assert len(capsys.readouterr().out) < 400


def test_a_long_title_of_a_condition_leaves_its_key_whole() -> None:
    """Which `ack` takes."""
    one: dict[str, Any] = {"state": "open", "severity": "critical", "type": "a.b.failed", "id": "cnd_a", "times": 1}
    one |= {"key": "tax/job/1", "title": LONG, "opened_at": "2026-01-05T09:30:00Z", "snoozed_until": None}
    about = conditions_row({**one, "acknowledged_by": None}, NOW)[3]
    assert len(about) == CELL
    assert about.endswith("… (tax/job/1)")
