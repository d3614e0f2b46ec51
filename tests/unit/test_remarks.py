"""What people say of a condition is told once to targets that narrate, whatever else happens around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from monitor.conditions.condition import Condition, Place, condition_id
from monitor.conditions.life import acknowledged, reopened, snoozed
from monitor.grouping.book import Book, Told
from monitor.grouping.look import Quiet, Stance
from monitor.grouping.message import Act, News, Reason
from monitor.grouping.plan import Plan, plan
from monitor.silences import Silence, parse_matcher

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
PLACE = Place("chat", "lane", "warning", "routes[0]")


def condition(**changes: object) -> Condition:
    """A job that has failed."""
    made = Condition(
        id=condition_id("tax/job/1", "failed"),
        key="tax/job/1",
        family="failed",
        type="devrev.job.failed",
        severity="critical",
        opened_at=START,
        changed_at=START,
        worse_at=START,
        event="evt_1",
        at="1-0",
        body=msgspec.Raw(b"{}"),
        openings=(START,),
        places=(PLACE,),
    )
    return msgspec.structs.replace(made, **changes)


def silence(id: str = "sil_1") -> Silence:
    """A silence of two hours."""
    return Silence(
        id=id,
        matchers=(parse_matcher("source=tax"),),
        starts_at=START,
        ends_at=START + timedelta(hours=2),
        by="eve",
        comment="moving house",
        created_at=START,
    )


@dataclass
class Thread:
    """A target that was told of a failed job; minutes pass one by one."""

    narrates: bool = True
    now: datetime = START
    one: Condition = field(default_factory=condition)
    book: Book = field(default_factory=Book)
    quiet: Quiet | None = None

    def __post_init__(self) -> None:
        """The failure is told."""
        assert self.turn().reason is Reason.FIRST

    def turn(self, *, arrives: bool = True) -> Plan:
        """A minute passes and the group is looked at; its message, if it makes one, arrives or does not."""
        self.now += timedelta(minutes=1)
        stance = Stance("chat", attends=True, narrates=self.narrates)
        found = plan(self.book, [(self.one, PLACE)], [], stance, lambda *_: self.quiet, self.now)
        self.book = found.sent if arrives and found.reason else found.unsent
        return found

    def acts(self, *, arrives: bool = True) -> list[Act]:
        """What people did, as the next message tells it; none when there is no message."""
        found = self.turn(arrives=arrives)
        return [remark.act for member in found.members for remark in member.remarks] if found.reason else []


def test_each_word_is_told_once() -> None:
    """Acknowledged, put off, put off for longer, taken back: a message each, and then nothing."""
    here = Thread()
    here.one = acknowledged(here.one, "ann", "on it", here.now)
    assert (here.acts(), here.acts()) == ([Act.ACKNOWLEDGED], [])
    for hours in (1, 4):
        here.one = snoozed(here.one, "bob", "", here.now + timedelta(hours=hours), here.now)
        assert (here.acts(), here.acts()) == ([Act.SNOOZED], [])
    here.one = reopened(here.one, "cid", "not today", here.now)
    found = here.turn()
    (member,) = found.members
    assert [(one.act, one.by, one.comment) for one in member.remarks] == [(Act.TAKEN_BACK, "cid", "not today")]
    assert here.acts() == []


def test_what_did_not_arrive_is_told_until_it_does() -> None:
    """A message that was refused is the same the next time, and another word comes with it."""
    here = Thread()
    here.one = acknowledged(here.one, "ann", "", here.now)
    assert here.acts(arrives=False) == [Act.ACKNOWLEDGED]
    here.one = snoozed(here.one, "bob", "", None, here.now)
    assert here.acts(arrives=False) == [Act.ACKNOWLEDGED, Act.SNOOZED]
    assert here.acts() == [Act.ACKNOWLEDGED, Act.SNOOZED]
    assert here.acts() == []


def test_what_was_taken_back_before_it_was_told_is_not_told() -> None:
    """Nobody has to hear of a wrong click that nobody saw."""
    here = Thread()
    here.one = acknowledged(here.one, "ann", "", here.now)
    here.one = reopened(here.one, "ann", "", here.now)
    assert here.acts() == []


def test_a_snooze_that_is_over_says_so() -> None:
    """By time, and because something changed about what was put off until then."""
    here = Thread()
    here.one = snoozed(here.one, "bob", "", here.now + timedelta(minutes=90), here.now)
    assert here.acts() == [Act.SNOOZED]
    here.now += timedelta(minutes=90)
    found = here.turn()
    assert (found.reason, [one.act for one in found.members[0].remarks]) == (Reason.SILENCE_ENDED, [Act.SNOOZE_OVER])
    here.one = snoozed(here.one, "bob", "", None, here.now)
    assert here.acts() == [Act.SNOOZED]
    here.one = msgspec.structs.replace(here.one, snooze=None, revision=2, changed_at=here.now)
    (member,) = here.turn().members
    assert (member.news, [one.act for one in member.remarks]) == (News.CHANGED, [Act.SNOOZE_OVER])


def test_a_silence_says_who_and_its_end_that_it_is_still_open() -> None:
    """Once for each silence; what an interval keeps quiet is nobody's word."""
    here = Thread()
    for one in (silence(), silence("sil_2")):
        here.quiet = Quiet(f"silence {one.id}", one.ends_at, one)
        found = here.turn()
        (remark,) = found.members[0].remarks
        assert (found.reason, remark.act, remark.by, remark.comment) == (
            Reason.ACKNOWLEDGED,
            Act.SILENCED,
            "eve",
            "moving house",
        )
        assert here.acts() == []
    here.quiet = Quiet("interval night", None)
    assert here.acts() == []
    here.quiet = None
    assert (here.acts(), here.acts()) == ([Act.QUIET_OVER], [])


def test_who_has_it_is_told_while_it_comes_and_goes() -> None:
    """A flapping condition is not told again until it is calm, but a click on it shows at once."""
    here = Thread(one=condition(openings=tuple(START - timedelta(minutes=n) for n in range(8))))
    assert here.book.told[here.one.id].held
    here.one = acknowledged(here.one, "ann", "", here.now)
    assert (here.acts(), here.acts()) == ([Act.ACKNOWLEDGED], [])
    assert here.book.told[here.one.id].held


def test_what_gets_worse_ends_every_word_and_is_told_as_that() -> None:
    """Nobody took anything back."""
    here = Thread()
    here.one = acknowledged(here.one, "ann", "", here.now)
    here.turn()
    here.one = msgspec.structs.replace(here.one, acknowledgement=None, revision=2, worse_at=here.now)
    found = here.turn()
    assert (found.reason, found.members[0].remarks) == (Reason.WORSE, ())


def test_others_hear_what_they_heard_before() -> None:
    """A target that only attends: that somebody has it, and nothing of silences or longer snoozes."""
    here = Thread(narrates=False)
    here.one = snoozed(here.one, "bob", "", here.now + timedelta(hours=1), here.now)
    assert here.turn().reason is Reason.ACKNOWLEDGED
    here.one = snoozed(here.one, "bob", "", here.now + timedelta(hours=4), here.now)
    assert here.turn().reason is None
    here.quiet = Quiet("silence sil_1", None, silence())
    assert here.turn().reason is None
    assert here.book.told[here.one.id].heard is None


@pytest.mark.parametrize("upgraded", [True, False])
def test_a_book_of_an_earlier_version_tells_nothing_that_was_told(upgraded: bool) -> None:
    """What was so when it was written was told in the message itself; what comes after is told."""
    here = Thread(narrates=not upgraded)
    here.one = acknowledged(here.one, "ann", "", here.now)
    here.turn()
    here.narrates = True
    if upgraded:
        (old,) = here.book.told.values()
        assert msgspec.json.decode(msgspec.json.encode(old), type=Told).heard is None
    assert here.acts() == []
    here.one = reopened(here.one, "ann", "", here.now)
    assert here.acts() == [Act.TAKEN_BACK]
