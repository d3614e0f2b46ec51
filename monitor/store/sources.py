"""What is known about a source itself: the lease of its scan, its freshness and failures, and what scans missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from monitor.events import Event, encode
from monitor.store.db import Arg, Db, counted, text, texts
from monitor.store.keys import SEPARATOR
from monitor.store.retention import Retention

SCANS_KEPT = 50
"""How many of the last scans of a source are kept."""

_SLOTS = ("slot", "epoch", "paused_until", "pace_ms", "asked", "looked")
_AGING = ("epoch", "fresh_at", "failing_since", "stale", "reason", "error")


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to scan a source: `fence` (epoch and owner) goes with every write and is refused once it is stale.

    `state` is the source's stored state at the moment of the claim.
    """

    source: str
    epoch: int
    fence: str
    now_ms: int
    state: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ScanClosing:
    """Everything that ends a scan at once: fields of the source, what is missing, events about it, what to count."""

    set: Mapping[str, Arg]
    forget: Sequence[str] = ()
    missing: Mapping[str, bytes] | None = None
    found: Sequence[str] = ()
    events: Sequence[Event] = ()
    doubts: Mapping[str, bytes | None] = field(default_factory=dict)
    count: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QuotaLeft:
    """What a provider said is left to a credential: `left` of `limit` requests until `ends_ms` (store's clock)."""

    left: int
    limit: int
    ends_ms: int


@dataclass(frozen=True, slots=True)
class Slots:
    """What says when a source is scanned next: its `last` slot (None: never), the claims so far, until when it rests.

    `pace_ms` is the adapted interval, 0 where there is none. `asked`: somebody wants a scan since the last one began.
    """

    last: int | None
    epoch: int
    paused_until: int
    pace_ms: int
    asked: bool
    running: bool


class Sources:
    """State of sources in the store."""

    def __init__(self, db: Db, retention: Retention) -> None:
        self._db = db
        self._retention = retention

    async def quota(self, credential: str) -> QuotaLeft | None:
        """What is left to a credential, by the last answers and what was granted since; None when nothing says."""
        left, limit, ends = await self._db.run("HMGET", self._db.keys.budget(credential), "left", "quota", "ends")
        if left is None or limit is None or ends is None:
            return None
        return QuotaLeft(max(0, int(float(left))), int(float(limit)), int(float(ends)))

    async def claim(self, source: str, *, owner: str, slot: int, ttl_ms: int, force: bool = False) -> Lease | str:
        """Take the lease of a source for one slot; else the reason why not: `running`, `done` or `paused`."""
        keys = self._db.keys
        reply = await self._db.script(
            "claim_scan", [keys.lease(source), keys.source(source)], [owner, ttl_ms, slot, 1 if force else 0]
        )
        if not int(reply[0]):
            return text(reply[1])
        epoch = int(reply[1])
        return Lease(source, epoch, f"{epoch}:{owner}", int(reply[2]), texts(reply[3]))

    async def renew(self, lease: Lease, ttl_ms: int) -> bool:
        """Keep the lease for another `ttl_ms`; False when it is lost."""
        return bool(
            int(await self._db.script("renew_scan", [self._db.keys.lease(lease.source)], [lease.fence, ttl_ms]))
        )

    async def finish(self, lease: Lease, closing: ScanClosing) -> None:
        """End the scan and give the lease back; raises Fenced when it was lost."""
        keys = self._db.keys
        args: list[Arg] = [lease.fence, keys.prefix, self._retention.events_ms]
        args += [lease.source, closing.set.get("scan", b""), SCANS_KEPT, 1 if "fresh_at" in closing.set else 0]
        args += counted([part for pair in closing.set.items() for part in pair])
        args += counted(list(closing.forget))
        args += counted([part for pair in (closing.missing or {}).items() for part in pair])
        args += counted(list(closing.found))
        args += counted([part for event in closing.events for part in (event.id, event.type, encode(event))])
        args += counted([part for id, note in closing.doubts.items() for part in (id, note or b"")])
        args += counted([part for pair in closing.count.items() for part in pair])
        names = [
            keys.lease(lease.source),
            keys.source(lease.source),
            keys.missing(lease.source),
            keys.events,
            keys.doubts(lease.source),
            keys.scans(lease.source),
            keys.recent(lease.source),
        ]
        await self._db.script("finish_scan", names, args)

    async def tell_once(self, source: str, mark: str, event: Event) -> bool:
        """Write an event about a source unless its mark was told before; True when it was written."""
        keys = self._db.keys
        args: list[Arg] = [mark, keys.prefix, self._retention.events_ms, event.id, event.type, encode(event)]
        return bool(int(await self._db.script("emit_once", [keys.drift(source), keys.events], args)))

    async def learn(self, lease: Lease, shapes: Mapping[str, bytes], news: Sequence[tuple[str, Event]]) -> None:
        """Keep shapes by kind and tell what is new about them, each under its mark once; Fenced without the lease."""
        keys = self._db.keys
        args: list[Arg] = [lease.fence, keys.prefix, self._retention.events_ms]
        args += counted([part for pair in shapes.items() for part in pair])
        args += counted([part for mark, one in news for part in (mark, one.id, one.type, encode(one))])
        names = [keys.lease(lease.source), keys.shape(lease.source), keys.drift(lease.source), keys.events]
        await self._db.script("learn", names, args)

    async def tell_stale(self, source: str, fresh_at: str, since: str, event: Event) -> bool:
        """Write that a source is stale, once until a scan closes it; False too when it was made fresh meanwhile."""
        keys = self._db.keys
        args: list[Arg] = [fresh_at, since, keys.prefix, self._retention.events_ms, event.id, event.type, encode(event)]
        return bool(int(await self._db.script("stale", [keys.source(source), keys.events], args)))

    async def release(self, lease: Lease) -> None:
        """Give the lease back without ending the slot: the next worker takes it up at once."""
        await self._db.script("release_scan", [self._db.keys.lease(lease.source)], [lease.fence])

    async def state(self, source: str) -> dict[str, str]:
        """The stored state of a source; empty when it was never scanned."""
        return texts(await self._db.run("HGETALL", self._db.keys.source(source)))

    async def recent(self, source: str, most: int = SCANS_KEPT) -> list[dict[str, Any]]:
        """The last scans of a source as they were reported, the newest first."""
        return [
            msgspec.json.decode(one) for one in await self._db.run("LRANGE", self._db.keys.recent(source), 0, most - 1)
        ]

    async def aging(self, sources: Sequence[str]) -> list[dict[str, str]]:
        """Of each source what tells how old its data is, and the count of its scans: one round trip."""
        commands = [("HMGET", self._db.keys.source(source), *_AGING) for source in sources]
        replies = await self._db.run_all(commands) if commands else []
        return [
            {name: text(value) for name, value in zip(_AGING, reply, strict=True) if value is not None}
            for reply in replies
        ]

    async def slots(self, sources: Sequence[str]) -> tuple[int, list[Slots]]:
        """The store's time (ms), and of each source what says when it is scanned next: one round trip."""
        keys = self._db.keys
        commands: list[tuple[str, ...]] = [("TIME",)]
        for source in sources:
            commands += [("HMGET", keys.source(source), *_SLOTS), ("EXISTS", keys.lease(source))]
        (seconds, micros), *replies = await self._db.run_all(commands)
        found = []
        for stored, running in zip(replies[::2], replies[1::2], strict=True):
            slot, epoch, paused, pace_ms, asked, looked = (int(text(value) or "-1") for value in stored)
            last = slot if slot >= 0 else None
            found.append(Slots(last, max(epoch, 0), paused, max(pace_ms, 0), asked > looked, bool(running)))
        return int(seconds) * 1000 + int(micros) // 1000, found

    async def now_ms(self) -> int:
        """The store's time (ms)."""
        return await self._db.now_ms()

    async def missing(self, source: str) -> dict[tuple[str, str], bytes]:
        """What complete scans missed: (item, ref) by note; ref is "" for the item itself."""
        reply = await self._db.run("HGETALL", self._db.keys.missing(source))
        found = {}
        for name, note in reply.items():
            item, ref = msgspec.json.decode(name)
            found[item, ref] = note
        return found

    async def doubts(self, source: str) -> dict[str, bytes]:
        """Items that scans saw but do not believe yet, by id."""
        reply = await self._db.run("HGETALL", self._db.keys.doubts(source))
        return {text(id): note for id, note in reply.items()}

    async def shapes(self, source: str) -> dict[str, bytes]:
        """What was learnt about the shape of items, by kind."""
        reply = await self._db.run("HGETALL", self._db.keys.shape(source))
        return {text(kind): shape for kind, shape in reply.items()}

    async def counts(self, source: str) -> dict[str, dict[str, int]]:
        """How many resources there are, by kind and state."""
        counts: dict[str, dict[str, int]] = {}
        for name, amount in texts(await self._db.run("HGETALL", self._db.keys.counts(source))).items():
            kind, _, state = name.partition(SEPARATOR)
            if int(amount):
                counts.setdefault(kind, {})[state] = int(amount)
        return counts

    async def ask(self, source: str, *, operator: bool = False) -> int:
        """Ask for a scan as soon as may be; when that was (ms), by the store's clock.

        However often it is asked before a scan begins, that one scan answers; asked during a scan, one more is made.
        A provider's own wait still counts, a pause for rejected credentials not for an `operator`.
        """
        return int(await self._db.script("ask", [self._db.keys.source(source)], [1 if operator else 0]))

    async def try_again(self, source: str) -> None:
        """Rejected credentials may have been mended: the source is due again. A provider's own wait still counts."""
        if (await self.state(source)).get("reason") == "credentials_rejected":
            await self.ask(source, operator=True)

    async def decide_held(self, source: str, decision: str) -> bool:
        """Note what the next complete scan does with held removals, `release` or `discard`; False if none are held."""
        key = self._db.keys.source(source)
        if not await self._db.run("HEXISTS", key, "held"):
            return False
        await self._db.run("HSET", key, "release", decision)
        return True

    async def running(self, source: str) -> bool:
        """Whether somebody holds the lease of this source now."""
        return bool(await self._db.run("EXISTS", self._db.keys.lease(source)))
