"""What people did, as lines of a Slack thread: who, until when and why, to be read and pinging nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.conditions import Acknowledgement, Snooze, Status
from monitor.grouping.message import Act, Group, Member, News, Reason, Remark
from monitor.simulator.slack_rules import check
from monitor.simulator.slack_text import mentions
from monitor.targets.slack_actions import CLICKED
from monitor.targets.slack_groups import reply
from monitor.targets.slack_text import width
from monitor.targets.telling import read
from tests.unit.targets.events import stored
from tests.unit.targets.groups import NOW, member, message

FAILED = stored("devrev.job.failed", title="Import of users", source="dev", state_now="failed", id="evt_failed")
UNTIL = NOW + timedelta(hours=4)
TAKEN = Acknowledgement(by="ann", at=NOW, revision=1)


def group(*members: Member, reason: Reason = Reason.ACKNOWLEDGED) -> Group:
    """A group of these members."""
    made = message(members, reason=reason).group
    assert made is not None
    return made


def lines(made: Group) -> list[str]:
    """The lines of the reply."""
    told = reply(made, [], None)
    assert told is not None
    return [line for block in told["blocks"] for line in block["text"]["text"].split("\n")]


@pytest.mark.parametrize(
    ("status", "remark", "line"),
    [
        (
            Status.ACKNOWLEDGED,
            Remark(Act.ACKNOWLEDGED, "ann", NOW, comment="on it"),
            "🟡 Acknowledged by ann at TIME, until it gets worse: on it",
        ),
        (
            Status.ACKNOWLEDGED,
            Remark(Act.ACKNOWLEDGED, "ann", NOW, comment=CLICKED),
            "🟡 Acknowledged by ann at TIME, until it gets worse.",
        ),
        (Status.SNOOZED, Remark(Act.SNOOZED, "ann", NOW, UNTIL), "💤 Snoozed by ann until TIME."),
        (Status.SNOOZED, Remark(Act.SNOOZED, "ann", NOW), "💤 Snoozed by ann until it changes."),
        (Status.OPEN, Remark(Act.SILENCED, "ann", NOW, UNTIL, "moving"), "🔕 Silenced by ann until TIME: moving"),
        (Status.OPEN, Remark(Act.TAKEN_BACK, "ann", NOW), "🟠 Taken back by ann at TIME, nobody has it now."),
        (Status.OPEN, Remark(Act.TAKEN_BACK), "🟠 Taken back, nobody has it now."),
        (
            Status.ACKNOWLEDGED,
            Remark(Act.SNOOZE_OVER, "bob"),
            "🟡 The snooze by bob is over, acknowledged by ann.",
        ),
    ],
)
def test_each_act_reads_as_one_line(status: Status, remark: Remark, line: str) -> None:
    """Who and when, until when and why; where the group is one condition its name stands above."""
    one = member(status=status, news=News.ATTENDED, acknowledgement=TAKEN if status is not Status.OPEN else None)
    (told,) = lines(group(replace(one, remarks=(remark,))))
    for instant in (NOW, UNTIL):
        told = told.replace(_shown(told, int(instant.timestamp())), "TIME")
    assert told == line


def _shown(text: str, second: int) -> str:
    """The date token of an instant in a text, or what is in no text."""
    start = text.find(f"<!date^{second}^")
    return text[start : text.index(">", start) + 1] if start >= 0 else "\0"


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (Act.SNOOZE_OVER, "The snooze is over, still open. "),
        (Act.QUIET_OVER, "It is not kept quiet any more, still open. "),
    ],
)
def test_what_is_open_again_says_what_is_so(act: Act, words: str) -> None:
    """Nobody has to look up what it was that was put off."""
    back = replace(member(news=News.ATTENDED), remarks=(Remark(act),))
    (line,) = lines(group(back, reason=Reason.SILENCE_ENDED))
    assert words in line
    assert "ends on *20 Dec 2025*." in line


def test_of_several_each_line_names_its_condition() -> None:
    """And what happened besides stands in lines of its own, before what was said of it."""
    acts = (Remark(Act.ACKNOWLEDGED, "ann", NOW),)
    only = replace(member(status=Status.ACKNOWLEDGED, news=News.ATTENDED), remarks=acts)
    both = replace(member(FAILED, status=Status.ACKNOWLEDGED, news=News.CHANGED), remarks=acts)
    told = lines(group(only, both, reason=Reason.CHANGED))
    assert [line.partition(": ")[0] for line in told] == [
        "🟡 Contract of Tony Stark at ACME",
        "🟡 Acknowledged",
        "🟡 Import of users",
    ]
    made = reply(group(only, both, reason=Reason.CHANGED), [], None)
    assert made is not None
    assert "Acknowledged by ann" not in made["text"]


def test_one_click_on_many_is_one_line() -> None:
    """Who did what once, how many it is about, and some of them by name."""
    made = [
        replace(
            member(
                stored("devrev.job.failed", f"job/{n}", f"Export {n}", id=f"evt_{n}"),
                status=Status.ACKNOWLEDGED,
                news=News.ATTENDED,
                acknowledgement=TAKEN,
            ),
            remarks=(Remark(Act.ACKNOWLEDGED, "ann", NOW + timedelta(milliseconds=n), comment=CLICKED),),
        )
        for n in range(33)
    ]
    (line,) = lines(group(*made))
    assert line.startswith("🟡 Acknowledged by ann at ")
    assert line.endswith(", until it gets worse · 33 conditions: Export 0, Export 1, Export 2 and 30 more.")


def test_an_end_is_told_once() -> None:
    """The event that ended a condition is no other news beside its end."""
    ended = read(stored("devrev.job.completed", title="Import of users", id="evt_end"))
    over = member(FAILED, status=Status.RESOLVED, ended_event="evt_end", ended_by="the state is completed now")
    made = reply(group(over, reason=Reason.ALL_RESOLVED), [ended], None)
    assert made is not None
    (line,) = [line for block in made["blocks"] for line in block["text"]["text"].split("\n")]
    assert line.startswith("🟢 Resolved: Import of users. Over after")
    assert "more" not in made["text"]


def test_the_line_for_phones_says_who_did_what() -> None:
    """Without markup, and with how many others it is about."""
    acts = (Remark(Act.SNOOZED, "ann", NOW, UNTIL),)
    one = replace(
        member(status=Status.SNOOZED, news=News.ATTENDED, snooze=Snooze("ann", NOW, "evt_1", UNTIL)), remarks=acts
    )
    made = reply(group(one, replace(one), replace(one)), [], None)
    assert made is not None
    assert made["text"] == (
        "💤 Contract of Tony Stark at ACME and 2 others: Snoozed by ann until 5 Jan 2026 13:30 UTC."
    )


@given(by=st.text(max_size=300), comment=st.text(max_size=3000), act=st.sampled_from(Act), many=st.integers(1, 30))
def test_whatever_people_write_fits_and_pings_nobody(by: str, comment: str, act: Act, many: int) -> None:
    """Names come from Slack, from logins and over HTTP; comments are free text."""
    remark = Remark(act, f"<!channel> @here {by}", NOW, UNTIL, f"<@U1> {comment}")
    one = replace(member(status=Status.ACKNOWLEDGED, news=News.ATTENDED, acknowledgement=TAKEN), remarks=(remark,) * 2)
    made = reply(group(*[one] * many), [], None)
    assert made is not None
    assert mentions(made) == []
    assert width(made["text"]) <= 400
    assert check(made) is None
