"""Whether a source is well, and what is told of it: failing after a while, recovered at once, each told once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.events import Event
from monitor.health import REJECTED_PAUSE, Ending, Health, after_bad_scan, after_good_scan, removals_held
from monitor.moments import to_millis

START = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
COUNTS = {"job": {"OPEN": 2, "CLAIMED": 1}, "post": {"open": 4}}


def names(events: Sequence[Event]) -> list[str]:
    """The last segments of the events' types."""
    return [event.type.rsplit(".", 1)[-1] for event in events]


@dataclass(slots=True)
class Story:
    """A source through its scans: its stored state, and everything told of it."""

    state: dict[str, str] = field(default_factory=lambda: {"baselined": "2026-01-01T00:00:00.000Z"})
    epoch: int = 0
    events: list[Event] = field(default_factory=list)

    def keep(self, health: Health) -> list[str]:
        """Store what a scan's end asks for, as `finish_scan.lua` does; what it told."""
        self.state |= {name: str(value) for name, value in health.set.items()}
        for name in health.forget:
            self.state.pop(name, None)
        self.events += health.events
        return names(health.events)

    def ending(self, at: timedelta, **how: Any) -> Ending:
        """The end of the next scan, five seconds long, so long after the start."""
        self.epoch += 1
        return Ending(START + at, START + at + timedelta(seconds=5), self.epoch, **how)

    def good(self, at: timedelta, held: int = 0) -> list[str]:
        """A complete scan."""
        ending = self.ending(at)
        health = after_good_scan("tax", "acme", self.state, ending, COUNTS)
        return self.keep(removals_held("tax", "acme", self.state, ending, held, health))

    def bad(self, at: timedelta, reason: str = "unavailable", wait: float | None = None) -> list[str]:
        """A failed scan."""
        ending = self.ending(at, reason=reason, text=f"it is {reason}", wait=wait)
        return self.keep(after_bad_scan("tax", "acme", self.state, ending))


def details(event: Event) -> Mapping[str, Any]:
    """What an event about a source says."""
    found: Mapping[str, Any] = event.data["details"]
    return found


def test_p9_the_first_complete_scan_is_the_baseline_with_counts() -> None:
    """By kind and state, once; failed scans before it are none."""
    story = Story(state={})
    assert story.bad(0 * MINUTE) == []
    assert story.good(1 * MINUTE) == ["baselined"]
    assert story.good(2 * MINUTE) == []
    (event,) = story.events
    assert (event.type, event.subject) == ("jobwire.source.baselined", "source/tax")
    assert details(event) == {"counts": COUNTS, "total": 7}
    assert event.data["revision"] == 2
    assert story.state["baselined"] == "2026-01-05T09:31:05.000Z"


def test_a_complete_scan_makes_the_source_fresh_as_of_its_start() -> None:
    """What changes while it runs is not yet seen."""
    story = Story()
    story.good(1 * MINUTE)
    assert story.state["fresh_from"] == "2026-01-05T09:31:00.000Z"
    assert story.state["fresh_at"] == "2026-01-05T09:31:05.000Z"


def test_a_source_is_failing_after_three_failed_scans_in_a_row() -> None:
    """Told once, with reason, count and since when; a good scan in between starts anew."""
    story = Story()
    told = [story.bad(n * MINUTE / 2) for n in range(2)] + [story.good(MINUTE)]
    assert told == [[], [], []]
    told = [story.bad(2 * MINUTE + n * MINUTE / 2) for n in range(5)]
    assert told == [[], [], ["failing"], [], []]
    assert details(story.events[0]) == {
        "reason": "unavailable",
        "error": "it is unavailable",
        "since": "2026-01-05T09:32:00.000Z",
        "failed_scans": 3,
    }


@pytest.mark.parametrize(
    ("second", "told"), [(timedelta(minutes=4, seconds=54), []), (timedelta(minutes=4, seconds=55), ["failing"])]
)
def test_a_source_is_failing_after_five_minutes_of_failed_scans(second: timedelta, told: list[str]) -> None:
    """Counted from the start of the first failed scan to the end of this one."""
    story = Story()
    assert story.bad(timedelta(0)) == []
    assert story.bad(second) == told


def test_a_failing_source_recovers_with_the_next_good_scan() -> None:
    """Told once, with what it was and since when; a source that never failed out loud does not recover."""
    story = Story()
    for n in range(3):
        story.bad(n * MINUTE)
    assert story.good(4 * MINUTE) == ["recovered"]
    assert story.good(5 * MINUTE) == []
    was = {"was": "failing", "since": "2026-01-05T09:30:00.000Z", "reason": "unavailable"}
    assert details(story.events[-1]) == was
    assert set(story.state) == {"baselined", "fresh_from", "fresh_at"}


def test_a_stale_source_recovers_with_the_next_good_scan() -> None:
    """Also when nothing but its staleness was told; what is told while a scan ends is closed by the next one."""
    story = Story()
    story.state["stale"] = "2026-01-05T09:00:00.000Z"
    assert story.good(0 * MINUTE) == ["recovered"]
    assert details(story.events[-1]) == {"was": "stale", "since": "2026-01-05T09:00:00.000Z", "reason": None}
    assert "stale" not in story.state

    health = after_good_scan("tax", "acme", story.state, story.ending(1 * MINUTE), COUNTS)
    story.state["stale"] = "2026-01-05T09:30:05.000Z"
    assert story.keep(health) == []
    assert story.good(2 * MINUTE) == ["recovered"]


def test_rejected_credentials_are_told_at_once_and_pause_the_source() -> None:
    """For fifteen minutes; told once, also when the source was failing before; recovered when they work again."""
    story = Story()
    assert story.bad(0 * MINUTE, "credentials_rejected") == ["credentials_rejected"]
    until = START + timedelta(seconds=5) + REJECTED_PAUSE
    assert int(story.state["paused_until"]) == to_millis(until)
    assert timedelta(minutes=15) == REJECTED_PAUSE
    assert story.bad(16 * MINUTE, "credentials_rejected") == []
    assert story.bad(32 * MINUTE) == []
    assert story.good(33 * MINUTE) == ["recovered"]
    assert "paused_until" not in story.state

    story = Story()
    told = [story.bad(n * MINUTE, "credentials_rejected" if n == 3 else "unavailable") for n in range(4)]
    assert told == [[], [], ["failing"], ["credentials_rejected"]]


def test_p29_a_provider_that_asks_to_wait_is_left_alone_for_as_long() -> None:
    """The pause is in the store, so every worker keeps it; a later failure without a wish does not lengthen it."""
    story = Story()
    story.bad(0 * MINUTE, "throttled", wait=90.0)
    until = START + timedelta(seconds=95)
    assert int(story.state["paused_until"]) == to_millis(until)
    story.bad(1 * MINUTE)
    assert int(story.state["paused_until"]) == to_millis(until)


def test_p29_rejected_credentials_never_undercut_a_longer_wish() -> None:
    """A 403 that asks for an hour gets it."""
    story = Story()
    story.bad(0 * MINUTE, "credentials_rejected", wait=3600.0)
    assert int(story.state["paused_until"]) == to_millis(START + timedelta(seconds=3605))


def test_p4_held_removals_are_told_once_as_long_as_they_are_held() -> None:
    """With how many are missing; when none are held any more, the next time is news again."""
    story = Story()
    assert story.good(0 * MINUTE, held=40) == ["removals_held"]
    assert story.good(1 * MINUTE, held=41) == []
    assert story.state["held"] == "41"
    assert details(story.events[0]) == {"missing": 40, "since": "2026-01-05T09:30:05.000Z"}
    assert story.good(2 * MINUTE) == []
    assert "held" not in story.state
    assert "held_since" not in story.state
    assert story.good(3 * MINUTE, held=9) == ["removals_held"]


def test_p20_the_end_of_one_scan_told_twice_is_the_same_events() -> None:
    """The epoch counts scans, so it is part of the id, and no two events of one scan share one."""
    state: dict[str, str] = {"announced": "failing"}
    ending = Ending(START, START + MINUTE, 7)
    once, twice = (
        removals_held("tax", "acme", state, ending, 5, after_good_scan("tax", "acme", state, ending, COUNTS))
        for _ in range(2)
    )
    assert names(once.events) == ["baselined", "recovered", "removals_held"]
    assert [event.id for event in once.events] == [event.id for event in twice.events]
    assert len({event.id for event in once.events}) == 3
