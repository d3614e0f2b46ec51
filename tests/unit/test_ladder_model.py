"""The ladder against a slow, obvious one, which walks through two months in half hours and looks at the wall clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.deadlines import next_due
from monitor.ladders import Clockwork, Timing
from monitor.resources import Document
from monitor.ringing import ring
from tests.unit.acme import DAY, DUE_AT, END_DATE, ZONES, clockwork, contract, job, look, post, setting, utc

STEP = timedelta(minutes=30)
STARTS = ["2026-02-20", "2026-08-15", "2026-10-05"]
LENGTH = 60 * 48
DAYS = (14, 7, 3, 1)
HOURS = (72, 24, 4)


@cache
def walls(zone: str, start: str) -> list[datetime]:
    """What the clock on the wall shows, every half hour."""
    begin = utc(f"{start} 00:00")
    return [(begin + step * STEP).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for step in range(LENGTH)]


@dataclass
class Model:
    """A ladder that anybody can check: which rungs have passed by now, and what was said of which date."""

    zone: str
    start: str
    timing: Timing
    said: dict[Any, set[int]] = field(default_factory=dict)

    def passed(self, end: date, step: int) -> list[int]:
        """The rungs of a date that have passed, as days before it: -1 is the day after."""
        return [days for days in (*DAYS, -1) if self.first_step(self.told_on(end, days)) <= step]

    def told_on(self, end: date, days: int) -> date:
        """The day on which a rung is told: moved on over free days, or back when it would be over by then."""
        day = wanted = end - timedelta(days=days)
        if not self.timing.business_days:
            return day
        while day.weekday() >= 5 or day in self.timing.holidays:
            day += timedelta(days=1)
        if days >= 0 and day > end:
            day = wanted
            while day.weekday() >= 5 or day in self.timing.holidays:
                day -= timedelta(days=1)
        return day

    def first_step(self, day: date) -> float:
        """The first half hour at which the wall shows this day at the time of telling, or later."""
        wall, wanted = walls(self.zone, self.start), datetime.combine(day, self.timing.send_at)
        return next((step for step, shown in enumerate(wall) if shown >= wanted), float("inf"))

    def speaks(self, value: Any, passed: Sequence[int]) -> int | None:
        """The tightest rung that has passed, unless it or a tighter one was said of this value before."""
        said = self.said.setdefault(value, set())
        if not passed or any(one <= min(passed) for one in said):
            return None
        said.add(min(passed))
        return min(passed)


def told(document: Document, ref: str, type_: str, now: datetime, work: Clockwork) -> tuple[Document, list[str]]:
    """The real ladder rings; what is known after it and which rungs spoke."""
    how = replace(setting(now), clockwork=work)
    judgement = ring(document, ref, type_, how)
    rule = END_DATE if type_ == END_DATE.type else DUE_AT
    due = next_due(judgement.document.known[ref], rule, how.clockwork)
    assert due is None or due > now
    return judgement.document, [event.data["deadline"]["rung"] for event in judgement.events]


MOVES = st.lists(
    st.tuples(st.integers(0, LENGTH - 1), st.one_of(st.none(), st.none(), st.integers(0, 4))), min_size=1, max_size=25
)


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    start=st.sampled_from(STARTS),
    send_at=st.sampled_from([time(0), time(9), time(17, 30)]),
    business_days=st.booleans(),
    moves=MOVES,
    offsets=st.lists(st.integers(-5, 62), min_size=5, max_size=5),
)
def test_a25_dates_are_told_as_a_walk_through_the_days_tells_them(
    zone: str, start: str, send_at: time, business_days: bool, moves: list[tuple[int, int | None]], offsets: list[int]
) -> None:
    """A25: in any zone, at any looks, whatever the date does: each rung once for each value, the tightest only."""
    first = date.fromisoformat(start)
    ends = [first + timedelta(days=offset) for offset in offsets]
    holidays = frozenset({first + timedelta(days=20), first + timedelta(days=21)})
    timing = Timing(tuple(days * DAY for days in DAYS), send_at, business_days, holidays)
    model = Model(zone, start, timing)
    work = clockwork(zone, {END_DATE.type: timing})
    end, document = ends[0], look(None, post(), contract(end_date="2020-01-01")).document
    heard, expected = [], []
    for step, move in sorted([(0, 0), *moves], key=lambda pair: pair[0]):
        now = utc(f"{start} 00:00") + step * STEP
        if move is not None:
            end = ends[move]
            shown = contract(end_date=end.isoformat())
            document = look(document, post(), shown, at=replace(setting(now), clockwork=work)).document
        speaks = model.speaks(end, model.passed(end, step))
        expected += [] if speaks is None else [(step, "overdue" if speaks < 0 else f"{speaks}d")]
        document, rungs = told(document, "contract/9", END_DATE.type, now, work)
        heard += [(step, rung) for rung in rungs]
    assert heard == expected


@settings(max_examples=60, deadline=None)
@given(start=st.sampled_from(STARTS), moves=MOVES, offsets=st.lists(st.integers(-48, LENGTH), min_size=5, max_size=5))
def test_a25_instants_are_told_as_a_walk_through_the_hours_tells_them(
    start: str, moves: list[tuple[int, int | None]], offsets: list[int]
) -> None:
    """A25: by the clock, whatever the instant does."""
    model = Model("UTC", start, Timing())
    ends = [utc(f"{start} 00:00") + offset * STEP for offset in offsets]
    end, document = ends[0], look(None, job(due_at="2020-01-01T00:00:00Z")).document
    heard, expected = [], []
    for step, move in sorted([(0, 0), *moves], key=lambda pair: pair[0]):
        now = utc(f"{start} 00:00") + step * STEP
        if move is not None:
            end = ends[move]
            document = look(document, job(due_at=end.isoformat()), at=setting(now)).document
        left = (end - now) / timedelta(hours=1)
        passed = [hours for hours in HOURS if left <= hours] + ([-1] if left <= 0 else [])
        speaks = model.speaks(end, passed)
        expected += [] if speaks is None else [(step, "deadline_missed" if speaks < 0 else f"{speaks}h")]
        document, rungs = told(document, "job/1", DUE_AT.type, now, clockwork())
        heard += [(step, rung) for rung in rungs]
    assert heard == expected
