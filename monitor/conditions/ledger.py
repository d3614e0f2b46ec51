"""All conditions of one thing, and what an event makes of them. Pure: a ledger and an event in, a ledger out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from monitor.conditions.condition import Condition
from monitor.conditions.ending import Standing, over_by_event
from monitor.conditions.families import family_of
from monitor.conditions.life import Told, ended, opened


class Ledger(msgspec.Struct, frozen=True):
    """The conditions of one key by family, open ones and those that ended lately; `version` grows with each write."""

    version: int = 0
    conditions: dict[str, Condition] = {}

    def with_(self, condition: Condition) -> Ledger:
        """The same with this condition in the place of the one of its family."""
        return Ledger(self.version, {**self.conditions, condition.family: condition})

    def without(self, family: str) -> Ledger:
        """The same without the condition of this family."""
        return Ledger(self.version, {name: one for name, one in self.conditions.items() if name != family})

    @property
    def open(self) -> Sequence[Condition]:
        """The conditions that are not over."""
        return [one for one in self.conditions.values() if not one.ended]


@dataclass(frozen=True, slots=True)
class Move:
    """One condition that an event opened, changed or ended: as it was (None: not there) and as it is."""

    before: Condition | None
    after: Condition


def move(ledger: Ledger, key: str, told: Told, standing: Standing, now: datetime) -> list[Move]:
    """What an event does to the conditions of one of its keys (`keys_of`); nothing for most events.

    `now` is when the event was committed, so that whoever relays it, and when, makes the same of it.
    """
    moves: list[Move] = []
    family = family_of(told.type) if key == told.data["key"] else None
    for condition in ledger.open:
        if family is None or family.name != condition.family:
            over = over_by_event(condition, told.event, standing, now)
            if over is not None:
                moves.append(Move(condition, ended(condition, over, now, event=told.id)))
    if family is not None:
        before = ledger.conditions.get(family.name)
        moves.append(Move(before, opened(before, family, told, now)))
    return moves
