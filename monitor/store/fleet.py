"""Who works: each worker says every few seconds that it lives, which version it is and how its config is."""

from __future__ import annotations

import msgspec

from monitor.store.db import Db, texts

ALIVE_MS = 30_000
"""A worker that was silent for so long (ms) does not count; it beats every five seconds."""

_FORGET_MS = 3_600_000


class WorkerFacts(msgspec.Struct, frozen=True):
    """What a worker says of itself; `config_ok` is False while the file that it reads has problems.

    `config_at` is when it took the config that is in effect, `seen_at` when it last beat (ms, store's clock).
    `lag_worst` and `lag_mean` are how late its event loop was in the last minute (seconds).
    """

    version: str
    config_ok: bool
    config_at: int
    seen_at: int
    lag_worst: float = 0.0
    lag_mean: float = 0.0


_facts = msgspec.json.Decoder(WorkerFacts)


class Fleet:
    """Who works."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def beat(self, owner: str, facts: WorkerFacts) -> None:
        """Note that a worker lives."""
        await self._db.run("HSET", self._db.keys.workers, owner, msgspec.json.encode(facts))

    async def leave(self, owner: str) -> None:
        """Note that a worker has stopped, so that nobody waits for it."""
        await self._db.run("HDEL", self._db.keys.workers, owner)

    async def count_spans(self, sent: int, dropped: int) -> None:
        """Add to what became of spans since ever."""
        more = [("HINCRBY", self._db.keys.spans, name, n) for name, n in (("sent", sent), ("dropped", dropped)) if n]
        if more:
            await self._db.run_all(more)

    async def spans(self) -> tuple[int, int]:
        """How many spans collectors took since ever, and how many were dropped."""
        found = texts(await self._db.run("HGETALL", self._db.keys.spans))
        return int(found.get("sent", "0")), int(found.get("dropped", "0"))

    async def alive(self, now_ms: int) -> list[WorkerFacts]:
        """What the workers say that beat lately; those that died an hour ago are forgotten by the way."""
        found = texts(await self._db.run("HGETALL", self._db.keys.workers))
        known = {owner: _facts.decode(facts) for owner, facts in found.items()}
        gone = [owner for owner, facts in known.items() if now_ms - facts.seen_at > _FORGET_MS]
        if gone:
            await self._db.run("HDEL", self._db.keys.workers, *gone)
        return [facts for facts in known.values() if now_ms - facts.seen_at <= ALIVE_MS]
