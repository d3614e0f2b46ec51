"""The dictionaries of sources: learnt once from a source's own documents and kept in the store beside them.

A dictionary is stored before the first document that needs it, and nothing takes it away while its source is there.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Collection, Sequence

from monitor.errors import Unreadable
from monitor.resources import Document
from monitor.store.db import Db
from monitor.store.documents import LEARN_FROM, Deflated, Dictionary, dictionary_of, learn, packaged

_AT_HAND = 32
"""Dictionaries that stay ready for use: each takes some 300 kB."""


class Dictionaries:
    """Packs and reads the documents of all sources."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._packaged = packaged()
        self._deflated = Deflated()
        self._at_hand: dict[bytes, Dictionary] = {}
        self._used: dict[str, bytes] = {}

    async def for_writing(self, source: str, texts: Sequence[bytes]) -> Dictionary:
        """The dictionary for documents of a source; learnt from these texts when it has none and they suffice."""
        name = self._used.get(source)
        if name is None or (name == self._packaged.name and len(texts) >= LEARN_FROM):
            kept = await self._db.run("HKEYS", self._db.keys.dictionaries(source))
            learnt = None if kept else await asyncio.to_thread(learn, texts)
            if learnt is not None:
                self._keep_at_hand(learnt)
                await self.keep(source, learnt)
            name = min(kept, default=learnt.name if learnt else self._packaged.name)
            self._used[source] = name
        try:
            found = await self._named(source, name)
        except Unreadable:
            # Whoever reads by it is told; what is written now can be read.
            found = None
        if found is None:
            # It is gone or damaged: there may be another next time.
            self._used.pop(source, None)
            return self._packaged
        return found

    async def keep(self, source: str, dictionary: Dictionary) -> None:
        """Store a dictionary, before anything that needs it; again when the store has lost it."""
        packed = zlib.compress(dictionary.content, 9)
        await self._db.run("HSET", self._db.keys.dictionaries(source), dictionary.name, packed)

    def guarded(self, dictionary: Dictionary) -> bytes:
        """The name of a dictionary that has to be in the store with what it packs; empty for the packaged one."""
        return b"" if dictionary.name == self._packaged.name else dictionary.name

    async def read(self, source: str, ids: Collection[str], stored: Sequence[bytes | None]) -> list[Document | None]:
        """Stored documents of these ids in, the documents out, None for None; Unreadable names the item."""
        documents = []
        for id, one in zip(ids, stored, strict=True):
            try:
                documents.append(await self._read(source, id, one) if one else None)
            except Unreadable as error:
                raise Unreadable(
                    f"the stored document of item {id!r} of source {source!r} cannot be read: {error}. Restore the "
                    f"store from a backup, or forget the item: HDEL {self._db.keys.items(source)} and "
                    f"HDEL {self._db.keys.docs(source)} with its id; it is then told as new"
                ) from None
        return documents

    async def _read(self, source: str, id: str, stored: bytes) -> Document:
        name = dictionary_of(stored)
        if name is None:
            return self._deflated.unpack(stored)
        dictionary = await self._named(source, name)
        if dictionary is None:
            raise Unreadable(f"its dictionary {name.hex()} is not in {self._db.keys.dictionaries(source)}")
        return dictionary.unpack(stored, id)

    async def _named(self, source: str, name: bytes) -> Dictionary | None:
        if name == self._packaged.name:
            return self._packaged
        found = self._at_hand.pop(name, None)
        if found is None:
            packed = await self._db.run("HGET", self._db.keys.dictionaries(source), name)
            found = _unpacked(packed, name) if packed else None
        if found is not None:
            self._keep_at_hand(found)
        return found

    def _keep_at_hand(self, dictionary: Dictionary) -> None:
        """Make it the latest one used; the one that was not used for longest goes."""
        self._at_hand[dictionary.name] = dictionary
        if len(self._at_hand) > _AT_HAND:
            del self._at_hand[next(iter(self._at_hand))]


def _unpacked(packed: bytes, name: bytes) -> Dictionary:
    try:
        found = Dictionary(zlib.decompress(packed))
    except zlib.error as error:
        raise Unreadable(f"its dictionary {name.hex()} is damaged: {error}") from None
    if found.name != name:
        raise Unreadable(f"its dictionary {name.hex()} is damaged: it is another one now")
    return found
