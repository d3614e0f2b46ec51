"""What is remembered of pages that come again: written by the commit of what stands on them, read here."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from monitor.store.db import Db

_FORGOTTEN_AT_ONCE = 1000


class Remembered(msgspec.Struct, frozen=True, array_like=True):
    """One page: its validator as it was sent, headers that belong to it, the ids on it, its size and hash."""

    etag: str
    headers: Mapping[str, str]
    ids: Sequence[str]
    size: int
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class PageCommit:
    """What to remember of the page under `key`, in the same step as its items; None: forget it."""

    key: bytes
    page: Remembered | None

    @property
    def value(self) -> bytes:
        """The stored form; empty to forget."""
        return zlib.compress(msgspec.json.encode(self.page), 1) if self.page is not None else b""


class Pages:
    """The remembered pages of sources."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._decoder = msgspec.json.Decoder(Remembered)

    async def recall(self, source: str, keys: Sequence[bytes]) -> list[Remembered | None]:
        """The pages under these keys, None where nothing is remembered: one round trip."""
        stored = await self._db.run("HMGET", self._db.keys.pages(source), *keys)
        return [self._read(value) if value else None for value in stored]

    def _read(self, value: bytes) -> Remembered | None:
        """What is stored of one page; None for what cannot be read, which then is as if nothing were remembered."""
        try:
            # What was stored before is JSON as it is.
            return self._decoder.decode(value if value.startswith(b"[") else zlib.decompress(value))
        except (zlib.error, ValueError):
            return None

    async def forget_others(self, source: str, seen: Collection[int]) -> None:
        """Forget every page whose key (by its `hash`) is not among those that a complete scan has asked for."""
        key = self._db.keys.pages(source)
        if int(await self._db.run("HLEN", key)) == len(seen):
            return
        others = [field for field in await self._db.run("HKEYS", key) if hash(field) not in seen]
        for start in range(0, len(others), _FORGOTTEN_AT_ONCE):
            await self._db.run("HDEL", key, *others[start : start + _FORGOTTEN_AT_ONCE])
