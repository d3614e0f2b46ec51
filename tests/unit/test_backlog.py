"""The backlog of a channel as a pure sum: what is told along, what is named, and that all is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.conditions import Status
from monitor.grouping.backlog import NAMED, Tally, folds
from monitor.grouping.message import Group, Member, News, Reason
from tests.unit.targets.events import CLAIMED, EXPIRING, stored
from tests.unit.targets.groups import NOW, member, message

FAILED = stored("devrev.job.failed", title="Import of users", source="dev", state_now="failed", id="evt_failed")
SINCE = NOW - timedelta(minutes=12)


def group(*members: Member, reason: Reason = Reason.FIRST) -> Group:
    """A group of these members."""
    made = message(members, CLAIMED, reason=reason).group
    assert made is not None
    return made


@pytest.mark.parametrize("reason", list(Reason))
def test_what_exists_to_be_noticed_by_itself_is_not_told_along(reason: Reason) -> None:
    """An escalation, and the answer to somebody's click."""
    assert folds(group(member(), reason=reason)) is (reason not in {Reason.ESCALATION, Reason.ACKNOWLEDGED})
    assert not folds(group(replace(member(), escalated=True), reason=reason))


def test_the_worst_that_nobody_has_seen_to_is_named_first() -> None:
    """Open before taken before over; of those the gravest, of those the oldest."""
    old, new = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
    wanted = [
        member(severity="critical", opened_at=new),
        member(severity="warning", opened_at=old),
        member(severity="warning", opened_at=new),
        member(status=Status.ACKNOWLEDGED, severity="critical", opened_at=old),
        member(status=Status.RESOLVED, severity="critical", opened_at=old),
    ]
    tally = Tally()
    for one in reversed(wanted):
        tally.add(group(one), one.severity, 1, [])
    told = tally.catch_up("cat_1", SINCE, 720.0)
    assert list(told.named) == wanted
    assert (told.groups, told.events, told.still_open, told.critical) == (5, 5, 4, 2)
    assert (told.open, told.over, told.occurred) == ({}, {}, {})


def test_what_has_no_name_is_counted_by_type() -> None:
    """Conditions and occurrences apart, the most frequent type first."""
    tally = Tally()
    for _ in range(NAMED + 3):
        tally.add(group(member(EXPIRING)), "warning", 2, ["worklayer.job.claimed"])
    tally.add(group(member(FAILED, status=Status.RESOLVED)), "info", 1, ["worklayer.job.closed"])
    told = tally.catch_up("cat_1", SINCE, 720.0)
    assert told.open == {"driver_jobs.contract.expiring": 3}
    assert told.over == {"devrev.job.failed": 1}
    assert told.occurred == {"worklayer.job.claimed": NAMED + 3, "worklayer.job.closed": 1}
    assert (told.events, told.still_open) == (2 * NAMED + 7, NAMED + 3)


def test_what_is_only_shown_beside_news_is_no_news() -> None:
    """But a reminder tells it again."""
    shown = member(news=News.SAME)
    tally = Tally()
    tally.add(group(shown, reason=Reason.CHANGED), "warning", 1, [])
    assert tally.catch_up("cat_1", SINCE, 720.0).named == ()
    tally.add(group(shown, reason=Reason.REPEAT), "warning", 0, [])
    assert tally.catch_up("cat_1", SINCE, 720.0).named == (shown,)


@st.composite
def some_groups(draw: st.DrawFn) -> list[Group]:
    """Groups of any conditions."""
    statuses = st.sampled_from([Status.OPEN, Status.ACKNOWLEDGED, Status.RESOLVED])
    made = st.builds(
        lambda body, status, grade, hours: member(
            body, status=status, severity=grade, opened_at=NOW - timedelta(hours=hours)
        ),
        st.sampled_from([EXPIRING, FAILED]),
        statuses,
        st.sampled_from(["info", "warning", "critical"]),
        st.integers(0, 50),
    )
    return [group(*members) for members in draw(st.lists(st.lists(made, min_size=1, max_size=4), max_size=20))]


@settings(deadline=None, max_examples=50)
@given(some_groups())
def test_every_condition_is_named_or_counted_once(groups: list[Group]) -> None:
    """However many there are: what is named and what is counted is all, and nothing graver stands behind its name."""
    tally = Tally()
    for one in groups:
        tally.add(one, "info", len(one.members), [])
    told = tally.catch_up("cat_1", SINCE, 720.0)
    members = [one for each in groups for one in each.members]
    assert len(told.named) == min(NAMED, len(members))
    assert len(told.named) + sum(told.open.values()) + sum(told.over.values()) == len(members)
    assert sum(not one.over for one in told.named) + sum(told.open.values()) == told.still_open
    assert told.events == len(members)
    if told.open:
        assert not any(one.over for one in told.named)
