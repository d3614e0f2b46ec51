"""Which item holds a resource that lies inside one: found by its ref at once, however many items a source has.

A hash for each 4096th part of the refs, a field of six bytes for each: some 20 bytes a resource, since small hashes are
stored as lists. `commit.lua` writes it with the items. Items that an older version stored are not in it: the first look
for what is not found goes through all items once, and notes each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from monitor.resources import Document
from monitor.store.db import Arg, Db, text

_PART_DIGITS, _FIELD_BYTES = 3, 6
_AT_ONCE = 1000
_WHOLE = "inside"
"""The field of a source that says that every item of it is noted."""


def place_of(ref: str) -> tuple[str, bytes]:
    """The ref of a resource in, the part and the field where its item is noted out."""
    digest = hashlib.blake2b(ref.encode(), digest_size=8).digest()
    return digest.hex()[:_PART_DIGITS], digest[-_FIELD_BYTES:]


def inside(item: str, document: Document | None) -> list[str]:
    """The refs that a document holds and that its item's id does not lead to."""
    if document is None:
        return []
    return [ref for ref in document.known if item not in {ref, ref.partition("/")[2]}]


def moves(item: str, before: Document | None, after: Document) -> tuple[list[Arg], list[Arg]]:
    """What to note and what to forget when a document takes another's place: part, field, part, field …"""
    old, new = inside(item, before), inside(item, after)
    if old == new:
        return [], []
    gone, come = set(old) - set(new), set(new) - set(old)
    return [part for ref in come for part in place_of(ref)], [part for ref in gone for part in place_of(ref)]


class Inside:
    """Where resources lie that are inside items."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def item_of(self, source: str, ref: str) -> str | None:
        """The item that holds a resource; None where none is noted."""
        part, field = place_of(ref)
        found = await self._db.run("HGET", self._db.keys.inside(source, part), field)
        return text(found) if found is not None else None

    async def whole(self, source: str) -> bool:
        """Whether every item is noted, so that what is not found is not there."""
        return bool(await self._db.run("HEXISTS", self._db.keys.source(source), _WHOLE))

    async def note(self, source: str, documents: Mapping[str, Document]) -> None:
        """Note items that were stored before there were notes."""
        commands: list[tuple[Arg, ...]] = []
        for item, document in documents.items():
            for ref in inside(item, document):
                part, field = place_of(ref)
                commands.append(("HSETNX", self._db.keys.inside(source, part), field, item))
        for start in range(0, len(commands), _AT_ONCE):
            await self._db.run_all(commands[start : start + _AT_ONCE])

    async def noted_all(self, source: str) -> None:
        """Every item is noted from now on."""
        await self._db.run("HSET", self._db.keys.source(source), _WHOLE, 1)

    async def forget(self, source: str, items: Mapping[str, Document]) -> None:
        """Forget the notes of items that are not kept any more, where they are still theirs."""
        places = [
            (self._db.keys.inside(source, part), field, item)
            for item, document in items.items()
            for part, field in map(place_of, inside(item, document))
        ]
        for start in range(0, len(places), _AT_ONCE):
            some = places[start : start + _AT_ONCE]
            noted = await self._db.run_all([("HGET", key, field) for key, field, _ in some])
            ours = _still(some, noted)
            if ours:
                await self._db.run_all([("HDEL", key, field) for key, field in ours])


def _still(places: Iterable[tuple[str, bytes, str]], noted: Iterable[bytes | None]) -> list[tuple[str, bytes]]:
    return [(key, field) for (key, field, item), found in zip(places, noted, strict=True) if text(found) == item]
