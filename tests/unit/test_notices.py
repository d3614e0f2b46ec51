"""A source that can be read although something is wrong with it: told when it begins, when it changes, when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.exchange import Notice
from monitor.health import Ending, Health, after_bad_scan
from monitor.pipeline.notices import after_read_scan

START = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
RELINK = Notice("relink_needed", "The customer has to link it again.", "2026-01-01T00:00:00.000Z")
LATE = Notice("sync_late", "It should have synced.")


@dataclass(slots=True)
class Story:
    """A source through its scans, one a minute."""

    state: dict[str, str] = field(default_factory=lambda: {"baselined": "2026-01-01T00:00:00.000Z"})
    epoch: int = 0

    def keep(self, health: Health) -> list[tuple[str, Any]]:
        """Store what a scan's end asks for, as the store does; what it told, and why."""
        self.state |= {name: str(value) for name, value in health.set.items()}
        for name in health.forget:
            self.state.pop(name, None)
        return [(event.type.rpartition(".")[2], event.data["details"].get("reason")) for event in health.events]

    def ending(self, **how: Any) -> Ending:
        """The end of the next scan."""
        self.epoch += 1
        at = START + timedelta(minutes=self.epoch)
        return Ending(at, at, self.epoch, **how)

    def read(self, *notices: Notice) -> list[tuple[str, Any]]:
        """A complete scan in which this was noticed."""
        return self.keep(after_read_scan("ats", "acme", self.state, self.ending(), {}, notices))

    def fail(self, reason: str) -> list[tuple[str, Any]]:
        """A failed scan."""
        return self.keep(after_bad_scan("ats", "acme", self.state, self.ending(reason=reason, text="no")))


def test_a_notice_is_told_once_and_so_is_its_end() -> None:
    """In between the source is failing and fresh."""
    story = Story()
    assert story.read(RELINK) == [("failing", "relink_needed")]
    assert [story.read(RELINK) for _ in range(3)] == [[], [], []]
    assert story.state["announced"] == "failing"
    assert story.state["failing_since"] == RELINK.since
    assert story.state["fresh_at"] == "2026-01-05T09:34:00.000Z"
    assert story.read() == [("recovered", "relink_needed")]
    assert story.read() == []
    assert set(story.state) == {"baselined", "fresh_from", "fresh_at"}


def test_another_notice_is_news() -> None:
    """Without a time of its own it counts from when the trouble began."""
    story = Story()
    story.read(RELINK)
    assert story.read(LATE) == [("failing", "sync_late")]
    assert story.state["failing_since"] == RELINK.since
    assert story.read(RELINK) == [("failing", "relink_needed")]


def test_the_first_scan_is_a_baseline_though_something_is_wrong() -> None:
    """Both are told."""
    story = Story(state={})
    assert story.read(LATE) == [("baselined", None), ("failing", "sync_late")]
    assert story.state["failing_since"] == "2026-01-05T09:31:00.000Z"


def test_scans_that_fail_in_between_neither_hide_nor_repeat_it() -> None:
    """A source that is said to be failing is failing for one more reason."""
    story = Story()
    story.read(RELINK)
    assert [story.fail("unavailable") for _ in range(5)] == [[]] * 5
    assert story.read(RELINK) == []
    assert story.fail("credentials_rejected") == [("credentials_rejected", "credentials_rejected")]
    assert story.read(RELINK) == [("failing", "relink_needed")]
    assert story.read() == [("recovered", "relink_needed")]


def test_a_notice_after_failed_scans_replaces_their_reason() -> None:
    """It can be read again, and is not well."""
    story = Story()
    told = [one for _ in range(3) for one in story.fail("unavailable")]
    assert told == [("failing", "unavailable")]
    assert story.read(LATE) == [("failing", "sync_late")]
    assert "failures" not in story.state
    assert story.state["error"] == LATE.text


def test_the_end_of_a_notice_says_that_it_was_one() -> None:
    """The lists could be read all the time."""
    story = Story()
    story.read(LATE)
    health = after_read_scan("ats", "acme", story.state, story.ending(), {}, ())
    assert health.events[0].data["details"]["noticed"] == "sync_late"
