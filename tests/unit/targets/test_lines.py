"""How a message reads as plain text: what is new comes first, and what is over is not told as if it went on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitor.conditions import Acknowledgement, Snooze, Status
from monitor.grouping.message import News, Reason
from monitor.targets.base import Message
from monitor.targets.lines import TEXT, TITLE, lines_of, summary, text, title
from tests.unit.targets.events import CLAIMED, EXPIRING, stored
from tests.unit.targets.groups import NOW, member, message

FAILED = stored("worklayer.job.failed", "job/8", "Job 8", id="evt_failed", state={"before": "A", "after": "FAILED"})


def read(what: Message) -> tuple[str, str, list[str]]:
    """A message's title, its summary and its lines of text."""
    lines = lines_of(what)
    return title(lines), summary(lines), text(lines).split("\n")


def test_one_new_condition_is_its_own_title() -> None:
    """What it is about, and what happened to it."""
    name, short, told = read(message([member()]))
    assert name == "Contract of Tony Stark at ACME"
    assert short == "Contract of Tony Stark at ACME: ends in 14 days"
    assert told == ["Contract of Tony Stark at ACME ends in 14 days, on 20 Dec 2025."]


def test_the_title_is_what_is_new_and_not_what_is_oldest() -> None:
    """A grave condition that is known for long, and a mild one that made this message."""
    known = member(FAILED, news=News.SAME, severity="critical", opened_at=NOW - timedelta(days=3))
    name, short, told = read(message([known, member()], EXPIRING, reason=Reason.CHANGED))
    assert name == "Contract of Tony Stark at ACME"
    assert short == "Contract of Tony Stark at ACME: ends in 14 days"
    assert told[1] == "Open: Job 8 went from A to FAILED, seen at 5 Jan 2026 09:30 UTC. Since 2 Jan 2026 09:30 UTC."


def test_of_several_news_the_gravest_and_newest_is_named() -> None:
    """And how many there are beside it; what does not need anybody comes after what does."""
    old = member(stored("worklayer.job.failed", "job/1", "Job 1", id="e1"), severity="critical")
    new = member(stored("worklayer.job.failed", "job/2", "Job 2", id="e2"), severity="critical", changed_at=NOW)
    over = member(stored("worklayer.job.failed", "job/3", "Job 3", id="e3"), Status.RESOLVED, severity="critical")
    known = member(stored("worklayer.job.failed", "job/4", "Job 4", id="e4"), news=News.SAME, severity="critical")
    both = message([old, known, new, over], CLAIMED, reason=Reason.CHANGED)
    assert read(both)[0] == "Job 2 and 3 more"
    assert [one.facts.title for one in lines_of(both)] == [
        "Job 2",
        "Job 1",
        "Tony Stark | 2021 | 1040",
        "Job 3",
        "Job 4",
    ]


def test_what_is_over_is_not_told_as_if_it_went_on() -> None:
    """How long it lasted, who had it and what ended it."""
    taken = Acknowledgement(by="Pepper", at=NOW, revision=1)
    over = member(status=Status.RESOLVED, ended_by="the state is expired now", acknowledgement=taken)
    _, short, told = read(message([over], reason=Reason.ALL_RESOLVED))
    assert short == "Resolved: Contract of Tony Stark at ACME: the state is expired now"
    lasted = "Over after 5 minutes, acknowledged by Pepper: the state is expired now."
    assert told == [f"Resolved: Contract of Tony Stark at ACME. {lasted}"]


@pytest.mark.parametrize(
    ("status", "changes", "words"),
    [
        (
            Status.ACKNOWLEDGED,
            {"acknowledgement": Acknowledgement("Pepper", NOW, 1)},
            "Acknowledged by Pepper at 5 Jan",
        ),
        (
            Status.SNOOZED,
            {"snooze": Snooze("Pepper", NOW, "e", NOW + timedelta(hours=1))},
            "by Pepper until 5 Jan 2026 10",
        ),
        (Status.SNOOZED, {"snooze": Snooze("Pepper", NOW, "e")}, "by Pepper until it changes."),
    ],
)
def test_what_somebody_has_says_who(status: Status, changes: dict[str, Any], words: str) -> None:
    """Also as the news of a message."""
    seen = member(status=status, news=News.ATTENDED, **changes)
    _, short, told = read(message([seen], reason=Reason.ACKNOWLEDGED))
    assert short.startswith(("Acknowledged: Contract", "Snoozed: Contract"))
    assert words in told[0]


def test_a_reminder_and_an_escalation_say_so() -> None:
    """And count no days that have passed since; what is kept quiet is not what they are about."""
    quiet = member(FAILED, news=News.SAME, severity="critical")
    quiet = replace(quiet, silenced_by="silence sil_1")
    name, short, told = read(message([quiet, member(news=News.SAME)], reason=Reason.REPEAT))
    assert short == "Still open: Contract of Tony Stark at ACME: ends on 20 Dec 2025"
    assert name == "Contract of Tony Stark at ACME"
    assert "Kept quiet by silence sil_1." in told[1]
    escalated = replace(member(news=News.SAME), escalated=True)
    assert read(message([escalated], reason=Reason.ESCALATION))[1].startswith("Nobody has taken this yet: Contract")


def test_one_that_flaps_says_how_often() -> None:
    """The fifth time is not like the first."""
    assert "It opened 4 times within 2 h." in read(message([member(times=4)]))[2][0]


def test_limits_are_kept_and_cuts_are_seen() -> None:
    """A hundred conditions with endless titles: what is named is counted, nothing ends in the middle unseen."""
    many = [
        member(
            stored("worklayer.job.failed", f"job/{n}", "x" * 100_000, id=f"e{n}", state={"before": "A", "after": "B"})
        )
        for n in range(100)
    ]
    name, short, told = read(message(many))
    assert len(name) <= TITLE
    assert name.endswith("… and 99 more")
    assert len(short) <= TITLE
    assert short.endswith("…: A → B and 99 more")
    assert len("\n".join(told)) <= TEXT
    assert told[-1] == f"… and {100 - len(told) + 1} more"
    assert len(text(lines_of(message(many[:1])), 100)) <= 100


def test_tricks_of_providers_do_not_reach_what_people_read() -> None:
    """No second line forged, nothing turned, nothing hidden."""
    forged = stored(
        "worklayer.job.claimed", title="ok\nResolved: all\u202e\u200b", state={"before": "A\n", "after": "\u2066B"}
    )
    name, short, told = read(message([], forged))
    assert name == "ok Resolved: all"
    assert short == "ok Resolved: all: A → B"
    assert len(told) == 1
    assert told[0].isprintable()


def test_nothing_at_all_still_has_a_title() -> None:
    """Every line needs something to stand on."""
    assert (title([]), summary([]), text([])) == ("jobwire", "jobwire", "")
