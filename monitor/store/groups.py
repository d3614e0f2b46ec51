"""Groups of targets in the store: their books, their members, and what the scripts take and give of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from monitor.grouping.book import Book
from monitor.store.db import Arg, Db, text
from monitor.store.keys import SEPARATOR

OWN = "~"
"""How the names of lanes begin that hold conditions of their own kind, at a target with or without groups."""

ESCALATED = f"{OWN}escalate:"
"""Lanes of what nobody saw to."""

HELD = f"{OWN}held:"
"""Lanes of what is kept back from a target without groups, until it may be told."""


class Meta(msgspec.Struct, frozen=True):
    """What a group is, as the last event that came into it had it."""

    route: str = ""
    labels: dict[str, str] = {}
    values: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Entry:
    """Something new in a group: its lane and timers (seconds), and the condition that stands there from now on.

    Without `meta` the group stays what it was: a condition in it has merely changed.
    """

    target: str
    lane: str
    wait: float
    interval: float
    member: tuple[str, str] | None = None
    meta: Meta | None = None

    def args(self) -> list[Arg]:
        """As relay.lua takes it."""
        member = SEPARATOR.join(self.member) if self.member else ""
        meta = msgspec.json.encode(self.meta) if self.meta else b""
        return [self.target, self.lane, round(self.wait * 1000), round(self.interval * 1000), member, meta]


@dataclass(frozen=True, slots=True)
class StoredGroup:
    """A group as it is stored: `members` are (key, family) of conditions, `dirty` counts news while it was busy.

    `lost_ms` is when it was claimed for a message of which nothing was recorded, None where that did not happen.
    """

    meta: Meta
    book: Book
    members: tuple[tuple[str, str], ...]
    dirty: str
    lost_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """The event that a message without waiting deliveries stands on: what its own delivery is recorded with."""

    event: str
    place: str
    type: str
    key: str
    route: str
    severity: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What became of a group's turn: its book, its timers (ms since 1970; None: no timer), and who is done with it.

    `live` says that it has something open, `full` that more waits than one message took, `reason` why it was sent.
    """

    dirty: str
    book: Book
    next_ms: int | None = None
    anchor_ms: int | None = None
    live: bool = False
    flushed_ms: int | None = None
    full: bool = False
    reason: str = ""
    record: Record | None = None
    gone: Sequence[tuple[str, str]] = field(default=())

    def args(self) -> list[Arg]:
        """As settle.lua takes it."""
        record = self.record or Record("", "", "", "", "", "")
        return [
            self.dirty,
            _number(self.next_ms),
            _number(self.anchor_ms),
            1 if self.live else 0,
            _number(self.flushed_ms),
            1 if self.full else 0,
            msgspec.json.encode(self.book),
            self.reason,
            record.event,
            record.place,
            record.type,
            record.key,
            record.route,
            record.severity,
            *(SEPARATOR.join(one) for one in self.gone),
        ]


class Groups:
    """The groups of all targets."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def load(self, target: str, lane: str) -> StoredGroup:
        """A group's book and members; an empty one when nothing is stored."""
        keys = self._db.keys
        fields, members = await self._db.run_all(
            [
                ("HMGET", keys.group(target, lane), "meta", "book", "dirty", "lost"),
                ("SMEMBERS", keys.members(target, lane)),
            ]
        )
        meta, book, dirty, lost = fields
        return StoredGroup(
            meta=msgspec.json.decode(meta, type=Meta) if meta else Meta(),
            book=msgspec.json.decode(book, type=Book) if book else Book(),
            members=tuple(sorted(_member(one) for one in members)),
            dirty=text(dirty) or "0",
            lost_ms=int(float(lost)) if lost else None,
        )

    async def stands(self, key: str, family: str, groups: Iterable[tuple[str, str]]) -> bool:
        """Whether a condition still stands in one of these groups (target, lane)."""
        member, keys = SEPARATOR.join((key, family)), self._db.keys
        commands = [("SISMEMBER", keys.members(target, lane), member) for target, lane in groups]
        return bool(commands) and any(await self._db.run_all(commands))


def _member(stored: Any) -> tuple[str, str]:
    key, _, family = text(stored).rpartition(SEPARATOR)
    return key, family


def _number(value: int | None) -> Arg:
    return "" if value is None else value
