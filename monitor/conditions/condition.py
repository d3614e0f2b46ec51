"""A condition as a value: something that is so until it ends, who has seen to it, and where it is told."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from datetime import datetime
from enum import StrEnum

import msgspec


class Status(StrEnum):
    """What a condition is now."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    EXPIRED = "expired"


class Acknowledgement(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody has it: counts for one revision of the condition, and ends when it gets worse."""

    by: str
    at: datetime
    revision: int
    comment: str = ""


class Snooze(msgspec.Struct, frozen=True, omit_defaults=True):
    """Nobody wants to hear of it `until` then, or (None) until it changes in whatever way."""

    by: str
    at: datetime
    event: str
    until: datetime | None = None
    comment: str = ""


class TakenBack(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody said that nobody has it any more, and that it is not put off; `by` is empty where nobody was named."""

    by: str
    at: datetime
    comment: str = ""


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """A lane that the condition stands in: the target, the lane's name, the severity that its route gives it.

    `left`: its present event goes elsewhere, so that here it counts as over.
    """

    target: str
    lane: str
    severity: str
    route: str
    left: bool = False


class Condition(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One condition from its opening to its end, and while it may come back, after it.

    `id` is a function of `key` (what it is about) and `family` (what is wrong), the same each time it opens.
    `type`, `event`, `at` (its place in the event log) and `body` are of the event that tells its present state,
    `former` the types it had before in this life. `revision` grows with each event about it. `worse_at` is when
    it opened or last got worse, `openings` when it opened within the flap window. `severity` is the type's own,
    before any route. `ended_by` says in words what ended it, `ended_event` is the event that told so, if one did.
    """

    id: str
    key: str
    family: str
    type: str
    former: tuple[str, ...] = ()
    source: str | None = None
    provider: str | None = None
    kind: str | None = None
    title: str = ""
    severity: str
    revision: int = 1
    opened_at: datetime
    changed_at: datetime
    worse_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_event: str | None = None
    expired: bool = False
    event: str
    at: str
    body: msgspec.Raw
    acknowledgement: Acknowledgement | None = None
    snooze: Snooze | None = None
    taken_back: TakenBack | None = None
    openings: tuple[datetime, ...] = ()
    places: tuple[Place, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether it is over, whatever ended it."""
        return self.ended_at is not None

    @property
    def event_bytes(self) -> bytes:
        """The event that tells its present state, as it was stored."""
        return bytes(self.body)

    def status(self, now: datetime) -> Status:
        """What it is at this moment; a snooze ends by itself."""
        if self.ended:
            return Status.EXPIRED if self.expired else Status.RESOLVED
        if self.snooze and (self.snooze.until is None or now < self.snooze.until):
            return Status.SNOOZED
        return Status.ACKNOWLEDGED if self.acknowledgement else Status.OPEN


def condition_id(key: str, family: str) -> str:
    """What it is about and what is wrong in, the condition's id out: 4 + 24 letters, the same at each opening."""
    digest = hashlib.blake2b(f"{key}\x1f{family}".encode(), digest_size=15).digest()
    return "cnd_" + b32encode(digest).decode().lower()
