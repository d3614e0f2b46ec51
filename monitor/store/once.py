"""What is asked for once however often it is asked: an answer is kept under the caller's key, and given again.

The first caller does the work under a lease; others wait for its answer, or take over when it dies.
https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header
"""

from __future__ import annotations

import hashlib

import msgspec

from monitor.store.db import Db

LEASE_MS = 30_000
KEPT_MS = 86_400_000


class Kept(msgspec.Struct, frozen=True):
    """What stands under a key: what was asked, and its answer once there is one."""

    asked: str
    status: int | None = None
    body: str = ""


_decoder = msgspec.json.Decoder(Kept)


class Once:
    """Answers by the keys of callers, kept for a day."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def begin(self, key: str, asked: str) -> Kept | None:
        """Begin work under a key: None when it is ours to do now, else what stands there already."""
        mine = Kept(asked)
        name = self._name(key)
        taken, found = await self._db.run_all(
            [("SET", name, msgspec.json.encode(mine), "NX", "PX", LEASE_MS), ("GET", name)]
        )
        # Without either it lapsed between the two: whoever waits looks again.
        return None if taken else _decoder.decode(found) if found else mine

    async def go_on(self, key: str) -> None:
        """The work takes longer: nobody else takes it over for another lease."""
        await self._db.run("PEXPIRE", self._name(key), LEASE_MS)

    async def end(self, key: str, asked: str, status: int, body: bytes) -> None:
        """The work is done: keep its answer."""
        kept = Kept(asked, status, body.decode())
        await self._db.run("SET", self._name(key), msgspec.json.encode(kept), "PX", KEPT_MS)

    async def give_up(self, key: str) -> None:
        """The work could not be done: the next who asks begins anew."""
        await self._db.run("DEL", self._name(key))

    def _name(self, key: str) -> str:
        return self._db.keys.asked(hashlib.blake2b(key.encode(), digest_size=16).hexdigest())
