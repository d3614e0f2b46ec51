"""Deadlines of the next days as a drawing: a day a column, a dot a deadline. Pure: deadlines in, places out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

DAYS = 30
WIDTH, HEIGHT, TOP, ROW = 960, 150, 18, 13
_ROWS = 8
SATURDAY, SUNDAY = 5, 6


@dataclass(frozen=True, slots=True)
class Due:
    """One deadline: when it is (UTC), and of which resource."""

    at: datetime
    key: str
    title: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Dot:
    """One deadline with its place; `more` counts those that found no room above it."""

    due: Due
    x: float
    y: float
    near: str
    more: int = 0


@dataclass(frozen=True, slots=True)
class Tick:
    """One day: its place, and its name where it has one."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Band:
    """Days that belong together: from where on, and how wide."""

    x: float
    width: float


def coming(found: Sequence[Due], now: datetime) -> list[Due]:
    """Deadlines in, those of the next days and of the last one out: what is drawn, counted and listed alike."""
    return [due for due in found if timedelta(days=-1) <= due.at - now < timedelta(days=DAYS)]


def dots(found: Sequence[Due], now: datetime) -> list[Dot]:
    """Deadlines in, their dots out: the soonest left, those of one day above each other."""
    columns: dict[int, list[Due]] = {}
    for due in sorted(coming(found, now), key=lambda one: one.at):
        day = (due.at - now) // timedelta(days=1)
        columns.setdefault(max(0, day), []).append(due)
    made = []
    for day, dues in columns.items():
        for row, due in enumerate(dues[:_ROWS]):
            more = len(dues) - _ROWS if row == _ROWS - 1 and len(dues) > _ROWS else 0
            made.append(Dot(due, _x(day), HEIGHT - 34 - row * ROW, _near(day), more))
    return made


def ticks(now: datetime) -> list[Tick]:
    """Every day; those that are named are today, and each fifth after it."""
    return [Tick(_x(day), _name(now, day) if day % 5 == 0 else "") for day in range(DAYS)]


def weekends(now: datetime) -> list[Band]:
    """The weekends, by UTC."""
    wide = WIDTH / DAYS
    return [
        Band(round(day * wide, 1), round(wide, 1))
        for day in range(DAYS)
        if (now + timedelta(days=day)).weekday() in {SATURDAY, SUNDAY}
    ]


def in_words(found: Sequence[Due], now: datetime) -> str:
    """Deadlines in, how many come how soon out; nothing where there are none."""
    left = [due.at - now for due in coming(found, now)]
    parts = [
        f"{amount:,} {words}"
        for days, words in ((2, "within two days"), (7, "within a week"), (DAYS, "in all"))
        if (amount := sum(one < timedelta(days=days) for one in left))
    ]
    return ", ".join(parts)


def _name(now: datetime, day: int) -> str:
    return "today" if day == 0 else f"{now + timedelta(days=day):%a %-d %b}"


def _x(day: int) -> float:
    return round((day + 0.5) * WIDTH / DAYS, 1)


def _near(day: int) -> str:
    return "soon" if day < 2 else "near" if day < 8 else "far"
