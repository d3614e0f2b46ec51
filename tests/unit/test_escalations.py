"""Escalations of a group: each condition once, those that fall due close together in one message, none left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from monitor.conditions.condition import Condition, Place
from monitor.grouping.book import Book
from monitor.grouping.look import Stance
from monitor.grouping.message import News, Reason
from monitor.grouping.plan import PING_LEAST, PING_MOST, plan
from monitor.targets.slack_groups import reply
from tests.unit.targets.events import EXPIRING, stored
from tests.unit.targets.groups import member, message

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
PLACE = Place("chat", "lane", "warning", "routes[0]")
FAILED = stored("devrev.job.failed", title="Import of users", source="dev", state_now="failed", id="evt_failed")


def condition(number: int, opened: int) -> Condition:
    """One that opened so many seconds after the start."""
    at = START + timedelta(seconds=opened)
    return Condition(
        id=f"cnd_{number}",
        key=f"tax/job/{number}",
        family="failed",
        type="devrev.job.failed",
        severity="warning",
        revision=1,
        opened_at=at,
        changed_at=at,
        worse_at=at,
        event=f"evt_{number}",
        at="1-0",
        body=msgspec.Raw(b"{}"),
    )


def pings(opened: list[int], stance: Stance, until: int) -> list[tuple[int, list[int]]]:
    """Conditions by when they open, looked at each second; when a message escalates, and which of them."""
    book, told = Book(), []
    for second in range(until):
        now = START + timedelta(seconds=second)
        standing = [(condition(number, at), PLACE) for number, at in enumerate(opened) if at <= second]
        found = plan(book, standing, [], stance, lambda *_: None, now)
        book = found.sent if found.reason is not None else found.unsent
        late = [int(one.condition.id[4:]) for one in found.members if one.escalated]
        if late:
            assert found.reason is Reason.ESCALATION
            told.append((second, sorted(late)))
    return told


@pytest.mark.parametrize("alone", [False, True], ids=["in the group it knows", "told of nothing else"])
def test_members_that_fall_due_close_together_are_escalated_once_a_minute(alone: bool) -> None:
    """Five that open five seconds apart: the first at its time, the others together a minute later, each once."""
    stance = Stance("chat", interval=10, escalate_after=40, escalation_only=alone)
    assert pings([0, 5, 10, 15, 20], stance, 600) == [(40, [0]), (40 + int(PING_LEAST), [1, 2, 3, 4])]


def test_escalations_keep_to_the_interval_of_the_group_within_five_minutes() -> None:
    """An interval of two minutes is kept; of an hour, nobody waits longer than five minutes beyond his time."""
    opened = [0, 30, 60, 500]
    two = Stance("chat", interval=120, escalate_after=600)
    assert pings(opened, two, 1300) == [(600, [0]), (720, [1, 2]), (1100, [3])]
    hour = Stance("chat", interval=3600, escalate_after=600)
    assert pings(opened, hour, 1300) == [(600, [0]), (600 + int(PING_MOST), [1, 2]), (1200, [3])]


def test_an_escalation_names_what_is_due_and_nothing_else() -> None:
    """Neither what is not late yet nor what was escalated before is said to have been taken by nobody."""
    due, early = replace(member(FAILED, news=News.SAME), escalated=True), member(EXPIRING, news=News.SAME)
    group = message([early, due], reason=Reason.ESCALATION).group
    assert group is not None
    told = reply(group, [], "<!here>")
    assert told is not None
    assert "Import of users" in str(told["text"])
    assert "Tony Stark" not in str(told)


def test_what_is_new_beside_an_escalation_stands_behind_what_is_due() -> None:
    """The line on phones is about what is due; the thread tells the new one too."""
    due, new = replace(member(FAILED, news=News.SAME), escalated=True), member(EXPIRING, news=News.NEW)
    group = message([new, due], reason=Reason.ESCALATION).group
    assert group is not None
    told = reply(group, [], "<!here>")
    assert told is not None
    assert "Tony Stark" not in told["text"]
    blocks = str(told["blocks"])
    assert 0 < blocks.index("Import of users") < blocks.index("Tony Stark")
