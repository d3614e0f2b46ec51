"""The groups of a target that are told in one catch-up message: claimed in parts, put back where they are not told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.errors import Fenced
from monitor.grouping.message import GROUP_LIMIT
from monitor.store.db import Arg, Db, text
from monitor.store.groups import OWN
from monitor.store.queued import Attempt, ClaimedLane, entries

BACKLOG = f"{OWN}backlog"
"""The lane that stands for a catch-up message: who has claimed it may claim the groups for it, and nobody else any."""

PART = 25
"""Groups that are claimed in one step."""

RETRIES_MS = 60_000
"""A group whose retry is due so soon is told along, so that it does not come by itself right after."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A group's lane, claimed for a catch-up message, and the score to put it back by."""

    lane: ClaimedLane
    score: str


@dataclass(frozen=True, slots=True)
class Place:
    """How far a backlog was gathered: behind `skip` lanes that stay where they are; first what is due, then retries."""

    skip: int = 0
    retries: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Groups that were claimed together, where to go on (None: that is all), and when that was by the store's clock."""

    groups: Sequence[Claimed]
    next: Place | None
    now_ms: int


class Backlog:
    """The backlogs of all targets."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def gather(self, lane: ClaimedLane, place: Place) -> Part:
        """A claimed `BACKLOG` and where to go on in, a part of the groups that wait out; none when it is not ours."""
        keys, now = self._db.keys, lane.health.now_ms
        low, high = (f"({now}", f"({min(now + RETRIES_MS, int(lane.fence))}") if place.retries else ("-inf", str(now))
        args: list[Arg] = [lane.target, keys.prefix, lane.fence, low, high]
        args += [place.skip, PART, GROUP_LIMIT, 1 if place.retries else 0]
        (ours, skip, more, at), *found = await self._db.script(
            "claim_backlog", [keys.lanes(lane.target), keys.events], args
        )
        groups = [_claimed(lane, one) for one in found]
        further = None if place.retries else Place(0, retries=True)
        if not ours:
            raise Fenced("another worker took over this backlog")
        return Part(groups, Place(int(skip), place.retries) if more else further, int(at))

    async def give_back(
        self, lane: ClaimedLane, groups: Sequence[tuple[str, str]], pause: float = 0.0, *, untold: bool = True
    ) -> None:
        """Put groups (lane, score) back where they were; for `pause` seconds no catch-up message is tried then.

        `untold`: no message told of them; else nobody knows whether one did.
        """
        keys = self._db.keys
        names = [keys.lanes(lane.target), keys.due, keys.target(lane.target)]
        for at in range(0, max(1 if pause else 0, len(groups)), PART):
            part = groups[at : at + PART]
            args: list[Arg] = [lane.target, keys.prefix, lane.fence, round(pause * 1000), 1 if untold else 0]
            await self._db.script("give_back", names, [*args, *(word for one in part for word in one)])

    async def left(self, lane: ClaimedLane) -> int:
        """How many groups are due that were not claimed."""
        return int(await self._db.run("ZCOUNT", self._db.keys.lanes(lane.target), "-inf", lane.health.now_ms))

    async def trouble(self, target: str) -> tuple[int, Attempt] | None:
        """When (ms) an attempt at this target failed last, and that attempt; None when none has."""
        at, told = await self._db.run("HMGET", self._db.keys.target(target), "failed_at", "failed_by")
        return (int(at), msgspec.json.decode(told, type=Attempt)) if at and told else None


def _claimed(lane: ClaimedLane, found: Sequence[Any]) -> Claimed:
    name, score, more, *waiting = found
    group = ClaimedLane(lane.target, text(name), lane.fence, entries(waiting), bool(more), lane.health)
    return Claimed(group, text(score))
