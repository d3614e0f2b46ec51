"""Items of a source: the digests that tell unchanged from changed, the documents, and the one commit of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import msgspec
from msgspec import Raw

from monitor.events import encode
from monitor.resources import Document
from monitor.rules import Revision
from monitor.store.db import Arg, Db, counted
from monitor.store.documents import Packer
from monitor.store.keys import SEPARATOR
from monitor.store.pages import PageCommit
from monitor.store.retention import Retention

DIGEST_SIZE = 16
COMMIT_SIZE = 100
"""Items a commit script takes at the most: it blocks the server for a few milliseconds, never for tens."""

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class ItemCommit:
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
        return replace(self, disarm=[*self.disarm, *members])


def raw_digest(raw: Raw | bytes, config: bytes) -> bytes:
    """The fingerprint of an item's raw bytes under one tracking config: 16 bytes."""
    hashing = sha256(config)
    hashing.update(raw)
    return hashing.digest()[:DIGEST_SIZE]


def next_value(stored: bytes, digest: bytes) -> bytes:
    """The stored value after a change: the digest and a version one higher, so that no change goes unnoticed."""
    version = int.from_bytes(stored[DIGEST_SIZE:], "big") if stored else 0
    return digest + ((version + 1) & 0xFFFFFFFF).to_bytes(4, "big")


class Items:
    """Reading and committing the items of sources."""

    def __init__(self, db: Db, retention: Retention) -> None:
        self._db = db
        self._retention = retention
        self._packer = Packer()

    async def stored(self, source: str, ids: Sequence[str]) -> list[bytes | None]:
        """The stored values of items, None where unknown: one round trip."""
        if not ids:
            return []
        reply: list[bytes | None] = await self._db.run("HMGET", self._db.keys.items(source), *ids)
        return reply

    async def documents(self, source: str, ids: Sequence[str]) -> list[Document | None]:
        """The documents of items, removed ones included, None where nothing is known."""
        if not ids:
            return []
        reply = await self._db.run("HMGET", self._db.keys.docs(source), *ids)
        return [self._packer.unpack(stored) if stored else None for stored in reply]

    async def size(self, source: str) -> int:
        """How many items are there now."""
        return int(await self._db.run("HLEN", self._db.keys.items(source)))

    async def ids(self, source: str) -> AsyncIterator[str]:
        """The ids of all items that are there now, in no order, each at least once."""
        cursor = 0
        while True:
            cursor, found = await self._db.run("HSCAN", self._db.keys.items(source), cursor, "COUNT", 1000)
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
        cursor = 0
        while True:
            cursor, found = await self._db.run("HSCAN", self._db.keys.docs(source), cursor, "COUNT", 200)
            for id, stored in found.items():
                yield id.decode(), self._packer.unpack(stored)
            if int(cursor) == 0:
                return

    async def commit(
        self, source: str, items: Sequence[ItemCommit], *, fence: str, now_ms: int, page: PageCommit | None = None
    ) -> list[str]:
        """Write changed items with their events, all or nothing for each; raises Fenced when the lease is lost.

        Returns the ids of items that somebody else changed meanwhile: nothing of those was written. The `page`
        they stand on is remembered in the step of the last of them, and forgotten when one was not written.
        """
        conflicts: list[str] = []
        starts = range(0, len(items), COMMIT_SIZE) or (range(1) if page is not None else range(0))
        for start in starts:
            chunk = items[start : start + COMMIT_SIZE]
            last = page if start == starts[-1] else None
            if last is not None and conflicts:
                last = PageCommit(last.key, None)
            args = self._args(source, chunk, last, fence, now_ms)
            reply = await self._db.script("commit", self._keys(source), args)
            conflicts += [id.decode() for id in reply]
        return conflicts

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
        ]

    def _args(
        self, source: str, chunk: Sequence[ItemCommit], page: PageCommit | None, fence: str, now_ms: int
    ) -> list[Arg]:
        keep = self._retention
        args: list[Arg] = [
            fence,
            self._db.keys.prefix,
            now_ms,
            keep.events_ms,
            keep.history_ms,
            keep.history_max,
            len(chunk),
            page.key if page is not None else b"",
            page.value if page is not None else b"",
        ]
        for item in chunk:
            value = next_value(item.expected, item.digest) if item.digest is not None else b""
            args += [item.id, item.expected, value, self._packer.pack(item.after), 1 if item.walked else 0]
            args += counted(list(item.disarm))
            args += counted([part for pair in item.arm for part in pair])
            args += counted(count_deltas(item.before, item.after))
            args += counted([missing_field(item.id, ref) for ref in item.clear])
            args += counted([part for ref, note in item.note for part in (missing_field(item.id, ref), note)])
            args += counted([part for revision in item.revisions for part in self._facts(source, revision)])
        return args

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
