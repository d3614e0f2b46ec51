"""A simulated year: every event of some forty lives as a page to read, and what must hold in a thousand others."""

from __future__ import annotations

from collections import Counter

import pytest

from monitor.events import Event
from monitor.ladders import PASSED, span_of
from monitor.moments import parse_instant
from tests.year.clock import Life, play
from tests.year.lives import crowd, sources
from tests.year.page import GOLDEN, MESSAGES, SEED, SIZE, messages, page

CLOCK = ("expiring", "overdue", "upcoming", "deadline_approaching", "deadline_missed", "stuck")


def test_a25_the_year_is_as_it_is_written_down() -> None:
    """A25: read tests/samples/year.txt; after a change run `python -m tests.year` and read the difference."""
    assert page() == GOLDEN.read_text(encoding="utf-8")


def test_every_message_of_the_year_is_as_it_is_written_down() -> None:
    """A thousand lives through routes, groups, reminders and escalations to Slack: tests/samples/year-messages.txt."""
    assert messages() == MESSAGES.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def told() -> list[tuple[Life, list[Event]]]:
    """The crowd of another seed, with the events of each."""
    known = sources()
    lives = crowd(SEED + 1, SIZE // 2)
    return [(life, [one.event for one in play(life, known[life.source]) if one.event]) for life in lives]


def test_no_two_events_of_a_year_have_one_id(told: list[tuple[Life, list[Event]]]) -> None:
    """And each resource counts its own without a gap."""
    for _, events in told:
        assert len({event.id for event in events}) == len(events)
        for ref in {event.subject for event in events}:
            counted = [int(event.sequence) for event in events if event.subject == ref]
            assert counted == list(range(1, len(counted) + 1))


def test_a25_no_rung_of_a_year_speaks_twice_for_a_date_and_none_wider_than_one_that_spoke(
    told: list[tuple[Life, list[Event]]],
) -> None:
    """A25: unless a renewal fell through meanwhile."""
    heard = 0
    for life, events in told:
        spans: dict[tuple[str, str, str], list[float]] = {}
        for event in (one for one in events if one.type.endswith(CLOCK) and not one.type.endswith("stuck")):
            deadline = event.data["deadline"]
            again = event.data.get("details", {}).get("renewal")
            family = event.type.rsplit(".", 1)[0]
            named = (event.subject, family, str(deadline.get("date") or deadline["at"]))
            span = span_of(PASSED if deadline["rung"] == "notice" else deadline["rung"])
            span = 28 * 86_400.0 if deadline["rung"] == "notice" else span
            before = spans.setdefault(named, [])
            assert again or all(span < one for one in before), (life.story, event)
            before.append(span)
            heard += 1
    assert heard > SIZE


def test_nothing_of_a_year_is_told_before_its_time(told: list[tuple[Life, list[Event]]]) -> None:
    """Days and seconds that are left are never more than the rung says; nor is anybody told late without a reason."""
    late = Counter[bool]()
    for _, events in told:
        for event in (one for one in events if one.type.endswith(CLOCK)):
            deadline, details = event.data["deadline"], event.data.get("details", {})
            late[deadline["late"] != "0s"] += 1
            assert (deadline["late"] == "0s") or "known_at" in details, event
            if "seconds_left" in deadline and not event.type.endswith("stuck"):
                assert deadline["seconds_left"] <= max(span_of(deadline["rung"]), 0)
            assert parse_instant(event.time) is not None
    assert set(late) == {True, False}
