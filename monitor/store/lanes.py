"""Lanes: what each target must still be sent, in order, under leases. See docs/design.md for why they are shaped so."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from math import inf
from types import MappingProxyType
from typing import Any

import msgspec

from monitor.events import Event, encode
from monitor.store.conditions import Write
from monitor.store.db import Arg, Call, Db, counted, first_score, text
from monitor.store.eventlog import FIRST
from monitor.store.groups import Entry
from monitor.store.minutes import Happened
from monitor.store.patience import Patience
from monitor.store.queued import (
    GATHER_MS,
    Agenda,
    Assignment,
    Attempt,
    Claim,
    ClaimedLane,
    Health,
    Settled,
    Standing,
    Waiting,
    delivery_id,
    entries,
)
from monitor.store.retention import Retention

__all__ = [
    "Agenda",
    "Assignment",
    "Attempt",
    "Claim",
    "ClaimedLane",
    "Health",
    "Lanes",
    "Settled",
    "Standing",
    "Waiting",
    "delivery_id",
]


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

    async def relay(
        self,
        expected: str,
        cursor: str,
        assignments: Sequence[Assignment],
        groups: Sequence[Entry] = (),
        ledgers: Sequence[Write] = (),
        happened: Mapping[Happened, int] = MappingProxyType({}),
    ) -> int:
        """Put events into lanes, conditions into ledgers, and move the cursor, at once; the number of new deliveries.

        -1 when another relay was faster, -2 when somebody else has written one of the ledgers. `happened` counts the
        events up to the cursor, for charts: each is counted once, because the cursor passes it once.
        """
        sent = [one for one in assignments if one.quiet is None]
        unsent = [one for one in assignments if one.quiet is not None]
        args: list[Arg] = [expected, cursor, self._db.keys.prefix, self._retention.events_ms, len(sent)]
        for one in sent:
            args += [one.target, one.lane, -1 if one.grouped else round(one.wait * 1000), *_delivery(one)]
        args += [len(groups), *(part for entry in groups for part in entry.args())]
        args.append(len(unsent))
        for one in unsent:
            args += [one.target, one.lane, *_delivery(one), one.quiet or ""]
        args += [len(ledgers), *(part for write in ledgers for part in write.args())]
        args.append(len(happened))
        for what, number in happened.items():
            args += [*divmod(what.minute, 60), what.source, number]
        return int(await self._db.script("relay", [self._db.keys.relay, self._db.keys.due], args))

    async def due_targets(self, now_ms: int) -> list[str]:
        """Targets that have a lane due now."""
        return [name.decode() for name in await self._db.run("ZRANGEBYSCORE", self._db.keys.due, "-inf", now_ms)]

    async def due_between(self, target: str, after_ms: int, until_ms: int) -> int:
        """How many lanes of a target are next due after one time and until another: claimed, or waiting for a retry."""
        return int(await self._db.run("ZCOUNT", self._db.keys.lanes(target), f"({after_ms}", until_ms))

    async def next_ms(self) -> int | None:
        """When the next lane of any target is due, None when all are empty."""
        found = await self._db.run("ZRANGE", self._db.keys.due, 0, 0, "WITHSCORES")
        return int(first_score(found)) if found else None

    async def agenda(self) -> Agenda:
        """Targets that have a lane due now by the store's clock, and how long until the next has one."""
        due, now = self._db.keys.due, await self._db.now_ms()
        ready, later = await self._db.run_all(
            [
                ("ZRANGEBYSCORE", due, "-inf", now),
                ("ZRANGEBYSCORE", due, f"({now}", "+inf", "WITHSCORES", "LIMIT", 0, 1),
            ]
        )
        return Agenda([name.decode() for name in ready], (first_score(later) - now) / 1000 if later else inf)

    async def claim(
        self,
        target: str,
        *,
        lease_ms: int,
        limit: int,
        take: int,
        catch_up: int = 0,
        grouped: bool = False,
        fold_above: int = 0,
    ) -> list[ClaimedLane]:
        """Take up to `limit` due lanes, the first `take` deliveries of each, for `lease_ms`.

        A lane that waited through an outage gives up to `catch_up` deliveries, if that is not 0. Lanes of a `grouped`
        target are groups, which may be due although nothing waits in them. Where more than `fold_above` of them are
        late, if that is not 0, the one lane `BACKLOG` comes instead (`monitor.store.backlog`).
        """
        call = self._claim_call(target, Claim(lease_ms, limit, take, catch_up, fold_above, grouped))
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
        self, target: str, settled: Sequence[Settled], claim: Claim, *, hold: float = 0.0, disable: bool = False
    ) -> tuple[Standing, list[ClaimedLane]]:
        """`settle`, then `claim`, in one round trip."""
        settling = self._settle_call(target, settled, hold, disable=disable)
        first, second = await self._db.scripts([settling, self._claim_call(target, claim)])
        return _standing(first), _claimed(target, second)

    def _claim_call(self, target: str, claim: Claim) -> Call:
        args: list[Arg] = [target, self._db.keys.prefix, claim.lease_ms, claim.limit, claim.take, claim.catch_up]
        args += [1 if claim.grouped else 0, claim.fold_above, claim.lease_ms + GATHER_MS]
        return Call("claim_lanes", self._names(target), args)

    def _settle_call(self, target: str, settled: Sequence[Settled], hold: float, *, disable: bool) -> Call:
        args: list[Arg] = [target, self._db.keys.prefix, self._retention.events_ms]
        args += [round(hold * 1000), 1 if disable else 0, len(settled), self._random()]
        patience = self.patience
        args += [patience.failing_after, patience.open_after, patience.probe_first_ms, patience.probe_longest_ms]
        args += [patience.disable_after_ms, patience.forgive_ms]
        for one in settled:
            args += [one.lane.lane, one.lane.fence, one.verdict, round(one.delay * 1000)]
            args.append("-" if one.along else "" if one.network is None else int(one.network))
            args.append(int(one.asked))
            args += counted([part for id, attempt in one.attempts for part in (id, msgspec.json.encode(attempt))])
            args += counted([part for event in one.events for part in (event.id, event.type, encode(event))])
            args += counted([part for pair in one.quiet.items() for part in pair])
            args += counted(one.turn.args() if one.turn else [])
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


def _delivery(one: Assignment) -> list[Arg]:
    return [one.delivery, one.event, one.place, one.type, one.key, one.route, one.severity]


def _claimed(target: str, reply: Any) -> list[ClaimedLane]:
    if len(reply) == 1:
        return []
    now, failures, since, announced, waits = reply[0]
    health = Health(int(failures), int(since) if since else None, bool(announced), int(now), int(waits))
    claimed = []
    for lane, fence, more, *waiting in reply[1:]:
        claimed.append(ClaimedLane(target, text(lane), text(fence), entries(waiting), bool(more), health))
    return claimed


def _standing(reply: Any) -> Standing:
    failures, announced, stale = reply
    return Standing(int(failures), bool(int(announced)), int(stale))
