"""Deadlines of the next days as a drawing: a day a column, a dot a deadline. Pure: deadlines in, places out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

DAYS = 30
WIDTH, HEIGHT, TOP, ROW = 960, 150, 18, 13
_ROWS = 8


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
    """One day with a name under it."""

    x: float
    text: str


def dots(found: Sequence[Due], now: datetime) -> list[Dot]:
    """Deadlines in, their dots out: the soonest left, those of one day above each other."""
    columns: dict[int, list[Due]] = {}
    for due in sorted(found, key=lambda one: one.at):
        day = (due.at - now) // timedelta(days=1)
        if -1 <= day < DAYS:
            columns.setdefault(max(0, day), []).append(due)
    made = []
    for day, dues in columns.items():
        for row, due in enumerate(dues[:_ROWS]):
            more = len(dues) - _ROWS if row == _ROWS - 1 and len(dues) > _ROWS else 0
            made.append(Dot(due, _x(day), HEIGHT - 34 - row * ROW, _near(day), more))
    return made


def ticks(now: datetime) -> list[Tick]:
    """The days that are named: today, and each fifth after it."""
    days = range(0, DAYS, 5)
    return [
        Tick(_x(day) if day else 6.0, "today" if day == 0 else f"{now + timedelta(days=day):%-d %b}") for day in days
    ]


def _x(day: int) -> float:
    return round((day + 0.5) * WIDTH / DAYS, 1)


def _near(day: int) -> str:
    return "soon" if day < 2 else "near" if day < 8 else "far"
