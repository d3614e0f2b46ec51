"""Groups against a slow and obvious model: whatever happens, each target is told what an onlooker would expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.conditions.condition import Condition, Place
from monitor.grouping.book import Book, unsure
from monitor.grouping.look import OUTLASTED, Quiet, Stance
from monitor.grouping.message import News, Reason
from monitor.grouping.plan import Plan, plan

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
WAIT, INTERVAL, REPEAT, RETRY = 10, 60, 300, 45
"""Seconds; the onlooker lives in whole seconds."""

PLACE = Place("chat", "lane", "warning", "routes[0]")

Step = tuple[str, int, int]
"""What happens (`open`, `worse`, `end`, `silence`), to which of three conditions, and how many seconds pass before."""

STEPS = st.lists(
    st.tuples(st.sampled_from(["open", "worse", "end", "silence"]), st.integers(0, 2), st.integers(0, 150)), max_size=25
)


@dataclass
class World:
    """Three conditions that open, worsen and end, and a silence over the first; one second at a time."""

    now: int = 0
    conditions: dict[int, Condition] = field(default_factory=dict)
    quiet_until: int = 0

    @property
    def moment(self) -> datetime:
        return START + timedelta(seconds=self.now)

    def apply(self, what: str, number: int) -> bool:
        """Let it happen; whether a group has to be looked at."""
        known = self.conditions.get(number)
        if what == "silence":
            self.quiet_until = self.now + 100 if self.now >= self.quiet_until else self.now
            return True
        if what == "open" and (known is None or known.ended):
            self.conditions[number] = _condition(number, self.moment, (known.revision if known else 0) + 1)
        elif what == "worse" and known and not known.ended:
            self.conditions[number] = msgspec.structs.replace(
                known, revision=known.revision + 1, worse_at=self.moment, changed_at=self.moment
            )
        elif what == "end" and known and not known.ended:
            self.conditions[number] = msgspec.structs.replace(
                known, revision=known.revision + 1, ended_at=self.moment, ended_by="over"
            )
        else:
            return False
        return True

    def hush(self, condition: Condition, _: Place) -> Quiet | None:
        quiet = condition.key.endswith("/0") and self.now < self.quiet_until
        return Quiet("silence", START + timedelta(seconds=self.quiet_until)) if quiet else None


@dataclass
class Timed:
    """The product: books, and a lane that is due when the store's script would have it due."""

    book: Book = field(default_factory=Book)
    members: set[int] = field(default_factory=set)
    due: datetime | None = None
    flushed: datetime | None = None
    sent: list[tuple[int, Plan]] = field(default_factory=list)

    def news(self, moment: datetime) -> None:
        """As relay.lua: on the next tick while something is open, else after the wait and the interval."""
        began = self.book.began_at
        due = max(
            moment + timedelta(seconds=WAIT), (self.flushed or START - timedelta(days=1)) + timedelta(seconds=INTERVAL)
        )
        if began is not None:
            steps = int((moment - began).total_seconds()) // INTERVAL + 1
            due = began + timedelta(seconds=steps * INTERVAL)
        self.due = min(self.due or due, due)

    def second(self, world: World) -> None:
        """Take the turn if it is due."""
        if self.due is None or world.moment < self.due:
            return
        standing = [(world.conditions[number], PLACE) for number in sorted(self.members)]
        stance = Stance("chat", repeat=REPEAT, interval=INTERVAL)
        found = plan(self.book, standing, [], stance, world.hush, world.moment)
        if found.reason is not None:
            self.sent.append((world.now, found))
            self.flushed = world.moment
        self.book = found.sent if found.reason is not None else found.unsent
        self.due = found.next_at
        gone = set(found.gone)
        self.members = {number for number in self.members if world.conditions[number].id not in gone}


@dataclass
class Doubtful(Timed):
    """The product where attempts go wrong as `fates` say, one after the other; then all arrive.

    `refused`: the receiver says that it took nothing. `lost`, `taken`: nobody says anything, but who reads it knows.
    """

    fates: list[str] = field(default_factory=list)

    def second(self, world: World) -> None:
        if self.due is None or world.moment < self.due:
            return
        fate = self.fates[0] if self.fates else "arrived"
        before, told = self.book, len(self.sent)
        members = set(self.members)
        super().second(world)
        if len(self.sent) == told:
            return
        del self.fates[:1]
        if fate == "arrived":
            return
        found = self.sent[-1][1]
        if fate != "taken":
            del self.sent[-1]
        book = found.unsent if fate == "refused" else unsure(found.unsent, found.shown)
        self.book = msgspec.structs.replace(book, tried_at=before.tried_at or world.moment)
        self.members = {number for number in members if number in self.members or f"cnd_{number}" in book.told}
        self.due = world.moment + timedelta(seconds=RETRY)


@dataclass
class Onlooker:
    """What somebody at the channel believes from its messages alone."""

    open: dict[int, int] = field(default_factory=dict)

    def read(self, found: Plan) -> None:
        for member in found.members:
            number = int(member.condition.key[-1])
            if member.over:
                self.open.pop(number, None)
            elif member.news is not News.SAME:
                self.open[number] = member.condition.revision


def _condition(number: int, moment: datetime, revision: int) -> Condition:
    return Condition(
        id=f"cnd_{number}",
        key=f"tax/job/{number}",
        family="failed",
        type="devrev.job.failed",
        severity="warning",
        revision=revision,
        opened_at=moment,
        changed_at=moment,
        worse_at=moment,
        event=f"evt_{number}_{revision}",
        at="1-0",
        body=msgspec.Raw(b"{}"),
    )


def lived(
    steps: list[Step], rest: int = 0, fates: Sequence[str] = ()
) -> tuple[World, Timed, list[tuple[int, Onlooker]]]:
    """Steps in; the world, the product and what was believed at each second after a message out."""
    world, product, onlooker, beliefs = World(), Doubtful(fates=list(fates)), Onlooker(), list[tuple[int, Onlooker]]()

    def pass_(seconds: int) -> None:
        for _ in range(seconds):
            world.now += 1
            told = len(product.sent)
            product.second(world)
            for _, found in product.sent[told:]:
                onlooker.read(found)
                beliefs.append((world.now, Onlooker(dict(onlooker.open))))

    for what, number, seconds in steps:
        pass_(seconds)
        if not world.apply(what, number):
            continue
        if what == "silence":
            product.due = world.moment if product.members else product.due
        else:
            if what == "open":
                product.members.add(number)
            product.news(world.moment)
    pass_(rest)
    return world, product, beliefs


@settings(max_examples=80)
@given(STEPS)
def test_in_the_end_everybody_knows_what_is_so(steps: list[Step]) -> None:
    """Two intervals after the last event and the end of every silence the channel and the world agree."""
    world, _, beliefs = lived(steps, rest=100 + 2 * INTERVAL)
    believed = beliefs[-1][1].open if beliefs else {}
    truth = {number: one.revision for number, one in world.conditions.items() if not one.ended}
    assert believed == truth


@settings(max_examples=80)
@given(STEPS)
def test_messages_of_a_group_keep_their_distance(steps: list[Step]) -> None:
    """No two within one interval, as long as nobody's word has the group looked at between its ticks."""
    _, product, _ = lived([one for one in steps if one[0] != "silence"], rest=700)
    for (earlier, _), (later, _) in zip(product.sent, product.sent[1:], strict=False):
        assert later - earlier >= INTERVAL


@settings(max_examples=80)
@given(STEPS)
def test_nothing_is_said_without_news_or_a_reminder_that_is_due(steps: list[Step]) -> None:
    """A reminder comes on a tick, no sooner than repeat_interval after the last message."""
    _, product, _ = lived(steps, rest=1000)
    last = None
    for at, found in product.sent:
        news = [one for one in found.members if one.news is not News.SAME]
        if found.reason is Reason.REPEAT:
            assert last is not None
            assert at - last >= REPEAT
            assert found.sent.began_at is not None
            assert (START + timedelta(seconds=at) - found.sent.began_at).total_seconds() % INTERVAL == 0
        elif found.reason is not Reason.SILENCE_ENDED:
            assert news, found.reason
        last = at


@settings(max_examples=80)
@given(st.integers(0, 2), st.integers(1, WAIT - 1))
def test_what_is_over_before_the_wait_is_over_is_never_said(number: int, seconds: int) -> None:
    """Neither that it began nor that it ended."""
    _, product, _ = lived([("open", number, 5), ("end", number, seconds)], rest=1000)
    assert product.sent == []


@settings(max_examples=120)
@given(STEPS, st.lists(st.sampled_from(["refused", "lost", "taken", "arrived"]), max_size=8))
@example([("open", 0, 1), ("end", 0, 30)], ["taken"])
@example([("open", 0, 1), ("end", 0, 30), ("open", 0, 5)], ["taken", "refused", "lost"])
def test_in_the_end_everybody_knows_what_is_so_whatever_became_of_attempts(steps: list[Step], fates: list[str]) -> None:
    """Also of what arrived though nobody said so, and was over before it was tried again."""
    world, _, beliefs = lived(steps, rest=100 + 8 * RETRY + 3 * INTERVAL, fates=fates)
    believed = beliefs[-1][1].open if beliefs else {}
    truth = {number: one.revision for number, one in world.conditions.items() if not one.ended}
    assert believed == truth


@settings(max_examples=40)
@given(st.integers(0, 2), st.lists(st.just("refused"), min_size=1, max_size=5))
def test_what_was_refused_each_time_and_is_over_is_never_said(number: int, fates: list[str]) -> None:
    """A definite no leaves nothing to end; but what people should have heard of long before is told as over."""
    over = WAIT + RETRY * (len(fates) - 1) + 2
    _, product, _ = lived([("open", number, 5), ("end", number, over)], rest=1000, fates=fates)
    missed = over > max(WAIT, INTERVAL) + OUTLASTED.total_seconds()
    assert [found.reason for _, found in product.sent] == [Reason.ALL_RESOLVED] * missed


def test_a_book_that_an_earlier_version_stored_is_read_as_one_without_doubt() -> None:
    """And one without doubt is stored as it was then."""
    stored = b'{"told":{"cnd_1":{"opened_at":"2026-01-05T09:00:00Z"}},"number":1}'
    book = msgspec.json.decode(stored, type=Book)
    assert not book.in_doubt
    assert msgspec.json.encode(book) == stored
    assert unsure(book, ["cnd_1"]) == book
    assert unsure(book, ["cnd_1", "cnd_2"]).in_doubt
