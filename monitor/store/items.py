"""Items of a source: the digests that tell unchanged from changed, the documents, and the one commit of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from hashlib import sha256
from itertools import chain

import msgspec
from msgspec import Raw

from monitor.errors import StoreUnavailable
from monitor.events import encode
from monitor.resources import Document
from monitor.rules import Revision
from monitor.store.db import Arg, Db, counted
from monitor.store.dictionaries import Dictionaries
from monitor.store.documents import Dictionary, text_of
from monitor.store.inside import Inside, moves
from monitor.store.keys import SEPARATOR
from monitor.store.pages import PageCommit
from monitor.store.retention import Retention

DIGEST_SIZE = 16
VERSION_SIZE = 4
COMMIT_SIZE = 100
"""Items a commit script takes at the most."""
COMMIT_WORK = 2000
"""What a commit script takes at the most, counted in words of up to `WORD` bytes: it blocks the server for 3 ms or so,
and whoever else asks the store meanwhile waits that long."""
WORD = 100
HEAD_SIZE = DIGEST_SIZE + VERSION_SIZE
"""What of a stored value tells whether an item is as it was; the document follows."""

_TRIES = 3

_encoder = msgspec.json.Encoder()


class ItemCommit(msgspec.Struct, frozen=True):
    """One changed item to write: what its stored value must be, its new digest (None: removed), and what goes with it.

    `disarm` and `arm` are deadlines by member (and when due, ms); `walked` says that narrow walks show the item;
    `clear` and `note` are refs that complete scans missed ("" is the item itself).
    """

    id: str
    expected: bytes
    digest: bytes | None
    before: Document | None
    after: Document
    revisions: Sequence[Revision] = ()
    disarm: Sequence[str] = ()
    arm: Sequence[tuple[int, str]] = ()
    walked: bool = False
    clear: Sequence[str] = ()
    note: Sequence[tuple[str, bytes]] = ()

    def disarming(self, members: Sequence[str]) -> ItemCommit:
        """The same commit, which also disarms these deadlines."""
        return msgspec.structs.replace(self, disarm=[*self.disarm, *members])


def raw_digest(raw: Raw | bytes, config: bytes) -> bytes:
    """The fingerprint of an item's raw bytes under one tracking config: 16 bytes."""
    hashing = sha256(config)
    hashing.update(raw)
    return hashing.digest()[:DIGEST_SIZE]


def next_value(stored: bytes, digest: bytes) -> bytes:
    """The head of the stored value after a change: digest and a higher version, so that no change goes unnoticed."""
    version = int.from_bytes(stored[DIGEST_SIZE:HEAD_SIZE], "big") if stored else 0
    return digest + ((version + 1) & 0xFFFFFFFF).to_bytes(VERSION_SIZE, "big")


class Items:
    """Reading and committing the items of sources."""

    def __init__(self, db: Db, retention: Retention) -> None:
        self._db = db
        self._retention = retention
        self._dictionaries = Dictionaries(db)
        self._inside = Inside(db)

    async def stored(self, source: str, ids: Sequence[str]) -> list[bytes | None]:
        """The stored values of items, None where they are not there: one round trip.

        A value is the digest, the version and the document as it is stored.
        """
        if not ids:
            return []
        reply: list[bytes | None] = await self._db.run("HMGET", self._db.keys.items(source), *ids)
        return reply

    async def documents(
        self, source: str, ids: Sequence[str], stored: Sequence[bytes | None] | None = None
    ) -> list[Document | None]:
        """The documents of items, removed ones included, None where nothing is known.

        They are taken from the values that `stored` gave for these ids, where it was asked before.
        """
        if not ids:
            return []
        values = stored or await self.stored(source, ids)
        found = {id: value[HEAD_SIZE:] for id, value in zip(ids, values, strict=True) if value}
        apart = [id for id in ids if not found.get(id)]
        if apart:
            found |= zip(apart, await self._db.run("HMGET", self._db.keys.docs(source), *apart), strict=True)
        return await self._dictionaries.read(source, ids, [found[id] for id in ids])

    async def holding(self, source: str, ref: str) -> Document | None:
        """The document that holds a resource inside an item: one look, and once in the life of a source one at all."""
        item = await self._inside.item_of(source, ref)
        if item is None and not await self._inside.whole(source):
            async for id, one in self.all_documents(source):
                await self._inside.note(source, {id: one})
            await self._inside.noted_all(source)
            item = await self._inside.item_of(source, ref)
        document = (await self.documents(source, [item]))[0] if item is not None else None
        return document if document is not None and ref in document.known else None

    async def size(self, source: str) -> int:
        """How many items are there now."""
        return int(await self._db.run("HLEN", self._db.keys.items(source)))

    async def ids(self, source: str) -> AsyncIterator[str]:
        """The ids of all items that are there now, in no order, each at least once."""
        cursor = 0
        while True:
            cursor, found = await self._db.script("ids", [self._db.keys.items(source)], [cursor, 1000])
            for id in found:
                yield id.decode()
            if int(cursor) == 0:
                return

    async def walked_ids(self, source: str) -> AsyncIterator[str]:
        """The ids of items that a narrow walk must show, in no order, each at least once."""
        cursor = 0
        while True:
            cursor, found = await self._db.run("SSCAN", self._db.keys.open(source), cursor, "COUNT", 1000)
            for id in found:
                yield id.decode()
            if int(cursor) == 0:
                return

    async def all_documents(self, source: str) -> AsyncIterator[tuple[str, Document]]:
        """Item id and document of everything known, removed ones too, in no order; memory stays flat."""
        async for found in self._scan(self._db.keys.items(source)):
            for id, document in zip(
                found, await self.documents(source, list(found), list(found.values())), strict=True
            ):
                if document is not None:
                    yield id, document
        async for found in self._scan(self._db.keys.docs(source)):
            there = await self.stored(source, list(found))
            gone = {id: found[id] for id, value in zip(found, there, strict=True) if value is None}
            for id, document in zip(
                gone, await self._dictionaries.read(source, gone, list(gone.values())), strict=True
            ):
                if document is not None:
                    yield id, document

    async def _scan(self, key: str) -> AsyncIterator[dict[str, bytes]]:
        """A hash in parts."""
        cursor = 0
        while True:
            cursor, found = await self._db.run("HSCAN", key, cursor, "COUNT", 200)
            yield {id.decode(): value for id, value in found.items()}
            if int(cursor) == 0:
                return

    async def commit(
        self, source: str, items: Sequence[ItemCommit], *, fence: str, now_ms: int, page: PageCommit | None = None
    ) -> list[str]:
        """Write changed items with their events, all or nothing for each; raises Fenced when the lease is lost.

        Returns the ids of items that somebody else changed meanwhile: nothing of those was written. The `page`
        they stand on is remembered in the step of the last of them, and forgotten when one was not written.
        """
        texts = [text_of(item.after, item.id) for item in items]
        dictionary = await self._dictionaries.for_writing(source, texts)
        rows = [self._row(source, item, dictionary.pack(text)) for item, text in zip(items, texts, strict=True)]
        conflicts: list[str] = []
        chunks = list(_chunks(rows))
        for number, chunk in enumerate(chunks, 1):
            last = page if number == len(chunks) else None
            if last is not None and conflicts:
                last = PageCommit(last.key, None)
            args = [*self._head(dictionary, last, fence, now_ms), len(chunk), *chain.from_iterable(chunk)]
            conflicts += await self._written(source, args, dictionary)
        return conflicts

    async def _written(self, source: str, args: Sequence[Arg], dictionary: Dictionary) -> list[str]:
        for _ in range(_TRIES):
            reply = await self._db.script("commit", self._keys(source), args)
            if reply is not None:
                return [id.decode() for id in reply]
            # The store was emptied, and the dictionary with it.
            await self._dictionaries.keep(source, dictionary)
        raise StoreUnavailable(f"{self._db.keys.dictionaries(source)} is deleted again and again: who does that?")

    def _keys(self, source: str) -> list[str]:
        keys = self._db.keys
        return [
            keys.lease(source),
            keys.items(source),
            keys.docs(source),
            keys.gone(source),
            keys.counts(source),
            keys.missing(source),
            keys.deadlines,
            keys.events,
            keys.open(source),
            keys.pages(source),
            keys.dictionaries(source),
            keys.inside(source, ""),
        ]

    def _head(self, dictionary: Dictionary, page: PageCommit | None, fence: str, now_ms: int) -> list[Arg]:
        keep = self._retention
        return [
            fence,
            self._db.keys.prefix,
            now_ms,
            keep.events_ms,
            keep.history_ms,
            keep.history_max,
            self._dictionaries.guarded(dictionary),
            page.key if page is not None else b"",
            page.value if page is not None else b"",
        ]

    def _row(self, source: str, item: ItemCommit, document: bytes) -> list[Arg]:
        value = next_value(item.expected, item.digest) + document if item.digest is not None else b""
        row: list[Arg] = [item.id, item.expected[:HEAD_SIZE], value, b"" if value else document, int(item.walked)]
        row += counted(list(item.disarm))
        row += counted([part for pair in item.arm for part in pair])
        row += counted(count_deltas(item.before, item.after))
        row += counted([missing_field(item.id, ref) for ref in item.clear])
        row += counted([part for ref, note in item.note for part in (missing_field(item.id, ref), note)])
        row += counted([part for revision in item.revisions for part in self._facts(source, revision)])
        come, went = moves(item.id, item.before, item.after)
        row += [*counted(come), *counted(went)]
        return row

    def _facts(self, source: str, revision: Revision) -> tuple[Arg, ...]:
        event = revision.event
        line = {
            "revision": revision.revision,
            "at": event.time,
            "type": event.type,
            "event": event.id,
            "state": event.data["state"],
            "changes": event.data["changes"],
        }
        key = self._db.keys.history(f"{source}/{revision.ref}")
        return (event.id, event.type, encode(event), key, _encoder.encode(line))


def _chunks(rows: Sequence[list[Arg]]) -> Iterator[Sequence[list[Arg]]]:
    """The rows of a commit in runs of bounded work; without any row one empty run, which may hold a page."""
    start, work = 0, 0
    for at, row in enumerate(rows):
        cost = len(row) + sum(len(part) for part in row if isinstance(part, bytes)) // WORD
        if at > start and (work + cost > COMMIT_WORK or at - start >= COMMIT_SIZE):
            yield rows[start:at]
            start, work = at, 0
        work += cost
    yield rows[start:]


def missing_field(item: str, ref: str) -> str:
    """The field that notes a missing item (ref "") or a missing resource inside an item that is there."""
    return msgspec.json.encode([item, ref]).decode()


def count_deltas(before: Document | None, after: Document) -> list[Arg]:
    """How the counts by kind and state move when a document takes another's place: field, delta, field, delta …"""
    deltas: Counter[str] = Counter()
    for document, step in ((before, -1), (after, 1)):
        for known in document.known.values() if document else ():
            if not known.gone:
                deltas[f"{known.resource.kind}{SEPARATOR}{known.resource.state or '-'}"] += step
    return [part for name, delta in deltas.items() if delta for part in (name, delta)]
