"""Lanes: what each target must still be sent, in order, under leases. See docs/design.md for why they are shaped so."""

from __future__ import annotations

import hashlib
import random
from base64 import b32encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

import msgspec

from monitor.events import Event, encode
from monitor.store.db import Arg, Call, Db, counted, text
from monitor.store.eventlog import FIRST
from monitor.store.patience import Patience
from monitor.store.retention import Retention


@dataclass(frozen=True, slots=True)
class Assignment:
    """One event for one target: its lane, how long that waits for company, the least time between messages (s)."""

    target: str
    lane: str
    wait: float
    event: str
    place: str
    type: str
    key: str
    route: str
    severity: str
    interval: float = 0.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """One delivery inside a claimed lane: its id, attempts made so far, the event's bytes, when made, its severity."""

    id: str
    attempts: int
    body: bytes
    made_ms: int
    severity: str = "info"
    skipped: bytes = b""
    """JSON list of the events that this one took the place of, while the target caught up; empty: none."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a target stood when a lane of it was claimed: failures in a row, since when, whether that was told.

    `now_ms` is the time of the claim by the store's clock.
    """

    failures: int = 0
    since_ms: int | None = None
    announced: bool = False
    now_ms: int = 0


@dataclass(frozen=True, slots=True)
class ClaimedLane:
    """A lane under lease: `fence` is the end of the lease, and proves that it is still ours.

    `more` says that deliveries wait in it behind those that were taken.
    """

    target: str
    lane: str
    fence: str
    waiting: tuple[Waiting, ...]
    more: bool = False
    health: Health = field(default=Health())


class Attempt(msgspec.Struct, frozen=True):
    """One attempt as it is recorded; `at` is RFC 3339, `ms` its duration."""

    n: int
    at: str
    status: int | None
    ms: int
    error: str | None
    response: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a claimed lane: verdict, seconds until it is due next, the attempts, events about it.

    Of the events `jobwire.target.failing`, `recovered` and `disabled` are proposals: the store tells each once, when
    it has become so. `network` says that no answer came from the receiver itself.
    """

    lane: ClaimedLane
    verdict: str
    delay: float
    attempts: Sequence[tuple[str, Attempt]]
    events: Sequence[Event] = field(default=())
    network: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A target after settling: failures in a row, whether that was announced, lanes that another worker took over."""

    failures: int
    announced: bool
    stale: int


@dataclass(frozen=True, slots=True)
class Agenda:
    """Targets with work that is due, and seconds until the next of the others has some (inf: nothing waits)."""

    due: Sequence[str]
    next_in: float


def delivery_id(target: str, event: str) -> str:
    """The id of a delivery: a function of target and event, so that a repeated relay makes no second one."""
    digest = hashlib.blake2b(f"{target}\x1f{event}".encode(), digest_size=15).digest()
    return "dlv_" + b32encode(digest).decode().lower()


class Lanes:
    """The lanes of all targets."""

    def __init__(
        self,
        db: Db,
        retention: Retention,
        patience: Patience | None = None,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._db = db
        self._retention = retention
        self.patience = patience or Patience()
        self._random = random

    async def cursor(self) -> str:
        """The place in the event log up to which events are in lanes."""
        return text(await self._db.run("GET", self._db.keys.relay)) or FIRST

    async def relay(self, expected: str, cursor: str, assignments: Sequence[Assignment]) -> int:
        """Put events into lanes and move the cursor; the number of new deliveries, -1 when another was faster."""
        args: list[Arg] = [
            expected,
            cursor,
            self._db.keys.prefix,
            self._retention.events_ms,
            len(assignments),
        ]
        for one in assignments:
            args += [
                one.target,
                one.lane,
                round(one.wait * 1000),
                round(one.interval * 1000),
                delivery_id(one.target, one.event),
                one.event,
            ]
            args += [one.place, one.type, one.key, one.route, one.severity]
        return int(await self._db.script("relay", [self._db.keys.relay, self._db.keys.due], args))

    async def due_targets(self, now_ms: int) -> list[str]:
        """Targets that have a lane due now."""
        return [name.decode() for name in await self._db.run("ZRANGEBYSCORE", self._db.keys.due, "-inf", now_ms)]

    async def next_ms(self) -> int | None:
        """When the next lane of any target is due, None when all are empty."""
        found = await self._db.run("ZRANGE", self._db.keys.due, 0, 0, "WITHSCORES")
        return int(_score(found)) if found else None

    async def agenda(self) -> Agenda:
        """Targets that have a lane due now by the store's clock, and how long until the next has one."""
        due, now = self._db.keys.due, await self._db.now_ms()
        ready, later = await self._db.run_all(
            [
                ("ZRANGEBYSCORE", due, "-inf", now),
                ("ZRANGEBYSCORE", due, f"({now}", "+inf", "WITHSCORES", "LIMIT", 0, 1),
            ]
        )
        return Agenda([name.decode() for name in ready], (_score(later) - now) / 1000 if later else inf)

    async def claim(self, target: str, *, lease_ms: int, limit: int, take: int, catch_up: int = 0) -> list[ClaimedLane]:
        """Take up to `limit` due lanes, the first `take` deliveries of each, for `lease_ms`.

        A lane that waited through an outage gives up to `catch_up` deliveries, if that is not 0.
        """
        call = self._claim_call(target, lease_ms, limit, take, catch_up)
        return _claimed(target, await self._db.script(call.name, call.keys, call.args))

    async def supersede(
        self, lane: ClaimedLane, taken: Mapping[str, Sequence[str]], skipped: Mapping[str, bytes]
    ) -> bool:
        """Settle deliveries as superseded by a later one of their lane, which lists them from now on.

        `taken` names for each delivery that stays those it takes the place of, `skipped` its list as JSON. False when
        the lane is not ours any more: then nothing has changed.
        """
        args: list[Arg] = [lane.target, self._db.keys.prefix, lane.lane, lane.fence]
        for keeper, ids in taken.items():
            args += [keeper, skipped[keeper], *counted(ids)]
        return bool(int(await self._db.script("supersede", [self._db.keys.lanes(lane.target)], args)))

    async def settle(
        self, target: str, settled: Sequence[Settled], *, hold: float = 0.0, disable: bool = False
    ) -> Standing:
        """Record attempts, then free, reschedule or end each lane; `hold` (seconds) keeps the whole target quiet."""
        call = self._settle_call(target, settled, hold, disable=disable)
        return _standing(await self._db.script(call.name, call.keys, call.args))

    async def settle_and_claim(
        self,
        target: str,
        settled: Sequence[Settled],
        *,
        lease_ms: int,
        limit: int,
        take: int,
        catch_up: int = 0,
        hold: float = 0.0,
        disable: bool = False,
    ) -> tuple[Standing, list[ClaimedLane]]:
        """`settle`, then `claim`, in one round trip."""
        settling = self._settle_call(target, settled, hold, disable=disable)
        claiming = self._claim_call(target, lease_ms, limit, take, catch_up)
        first, second = await self._db.scripts([settling, claiming])
        return _standing(first), _claimed(target, second)

    def _claim_call(self, target: str, lease_ms: int, limit: int, take: int, catch_up: int) -> Call:
        return Call("claim_lanes", self._names(target), [target, self._db.keys.prefix, lease_ms, limit, take, catch_up])

    def _settle_call(self, target: str, settled: Sequence[Settled], hold: float, *, disable: bool) -> Call:
        args: list[Arg] = [target, self._db.keys.prefix, self._retention.events_ms]
        args += [round(hold * 1000), 1 if disable else 0, len(settled), self._random()]
        patience = self.patience
        args += [patience.failing_after, patience.open_after, patience.probe_first_ms, patience.probe_longest_ms]
        args += [patience.disable_after_ms, patience.forgive_ms]
        for one in settled:
            args += [one.lane.lane, one.lane.fence, one.verdict, round(one.delay * 1000), 1 if one.network else 0]
            args += counted([part for id, attempt in one.attempts for part in (id, msgspec.json.encode(attempt))])
            args += counted([part for event in one.events for part in (event.id, event.type, encode(event))])
        return Call("settle", self._names(target), args)

    def _names(self, target: str) -> list[str]:
        keys = self._db.keys
        return [keys.lanes(target), keys.due, keys.hold(target), keys.target(target), keys.events]

    async def announce(self, target: str, event: Event, *, failing: bool) -> bool:
        """Tell once that a target is failing, or that it has recovered; True when this call told it."""
        keys = self._db.keys
        args: list[Arg] = [
            1 if failing else 0,
            keys.prefix,
            self._retention.events_ms,
            event.id,
            event.type,
            encode(event),
        ]
        return bool(int(await self._db.script("announce", [keys.target(target), keys.events], args)))


def _score(found: Any) -> float:
    """The first score of a reply WITHSCORES, in either shape that clients give it."""
    return float(found[0][1] if isinstance(found[0], tuple | list) else found[1])


def _claimed(target: str, reply: Any) -> list[ClaimedLane]:
    if len(reply) == 1:
        return []
    now, failures, since, announced = reply[0]
    health = Health(int(failures), int(since) if since else None, bool(announced), int(now))
    claimed = []
    for lane, fence, more, *waiting in reply[1:]:
        entries = tuple(
            Waiting(text(id), int(n), body, int(made), text(grade), skipped)
            for id, n, body, made, grade, skipped in waiting
        )
        claimed.append(ClaimedLane(target, text(lane), text(fence), entries, bool(more), health))
    return claimed


def _standing(reply: Any) -> Standing:
    failures, announced, stale = reply
    return Standing(int(failures), bool(int(announced)), int(stale))
