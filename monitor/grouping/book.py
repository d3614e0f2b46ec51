"""What the store keeps of one group for one target: what the target was told, and the group's timers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import msgspec

from monitor.conditions.condition import Status


class Heard(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a target was told of people's words: when somebody had it, put it off, and which silence keeps it quiet."""

    acknowledged_at: datetime | None = None
    snoozed_at: datetime | None = None
    silence: str = ""


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a target was told of one condition: which life of it, as of which revision, and that it is over.

    `hushed` is set while something keeps it quiet that the target has not heard of since; `held` while it flaps.
    `heard` is of a target that tells people's words too, None where that was not noted yet. `perhaps`: a message told
    of it whose fate nobody knows, so that its end has to be told.
    """

    opened_at: datetime | None = None
    worse_at: datetime | None = None
    revision: int = 0
    status: Status | None = None
    over: bool = False
    hushed: bool = False
    held: bool = False
    escalated_at: datetime | None = None
    heard: Heard | None = None
    perhaps: bool = False

    @property
    def knows(self) -> bool:
        """Whether the target believes that the condition is open."""
        return self.opened_at is not None and not self.over


class Book(msgspec.Struct, frozen=True, omit_defaults=True):
    """One group's book. `began_at` is when its ticks began (None: it has nothing open), `sent_at` its last message.

    `number` counts messages since the group began, `repeat_at` is when open conditions are told again. `tried_at` is
    when a message that has not arrived yet was tried first: a part of it may have, and is not to be told twice.
    `tries` counts the attempts at one that no event waits for, `owed` is the id of its delivery. `pinged_at` is when
    an escalation was told last.
    """

    told: dict[str, Told] = {}
    began_at: datetime | None = None
    sent_at: datetime | None = None
    repeat_at: datetime | None = None
    refresh_at: datetime | None = None
    number: int = 0
    tries: int = 0
    tried_at: datetime | None = None
    owed: str = ""
    pinged_at: datetime | None = None
    memory: dict[str, Any] = {}

    @property
    def in_doubt(self) -> bool:
        """Whether a message was sent whose fate nobody knows."""
        return any(one.perhaps for one in self.told.values())


def unsure(book: Book, shown: Collection[str]) -> Book:
    """A book and the ids of conditions in; the book out where nobody knows whether a message about these arrived."""
    fresh = {id: told for id in shown if not (told := book.told.get(id, Told())).knows}
    noted = {id: msgspec.structs.replace(told, perhaps=True) for id, told in fresh.items()}
    return msgspec.structs.replace(book, told={**book.told, **noted}) if noted else book


def tick(began_at: datetime, interval: float, not_before: datetime) -> datetime:
    """The first tick of a group at or after a moment: ticks are `interval` seconds apart from its first message."""
    if interval <= 0 or not_before <= began_at:
        return max(began_at, not_before)
    step = timedelta(seconds=interval)
    return began_at + -(-(not_before - began_at) // step) * step
