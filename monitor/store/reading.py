"""Reading for people: deliveries, backlogs, histories and targets, as they are stored. Nothing is written here."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.store.db import Db, first_score, text, texts
from monitor.store.lanes import Attempt, delivery_id
from monitor.store.listing import Listing, Spot

CHUNK = 200

_attempts = msgspec.json.Decoder(list[Attempt])


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """One delivery: what is sent where by which route, what became of it, and when (ms since 1970, None: not known)."""

    id: str
    event: str
    target: str
    status: str
    type: str
    key: str
    route: str
    made_ms: int
    next_ms: int | None
    attempts: Sequence[Attempt]
    place: str = "0-0"
    ended_ms: int | None = None
    replays: int = 0
    severity: str = "info"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries are read; what is None does not matter. Times are in ms: `since` and `until` of the making."""

    status: str | None = None
    event: str | None = None
    type: re.Pattern[str] | None = None
    since: int | None = None
    until: int | None = None

    def fits(self, one: StoredDelivery) -> bool:
        """Whether this one is wanted."""
        if self.status not in {None, one.status} or self.event not in {None, one.event}:
            return False
        if not (self.since or 0) <= one.made_ms or (self.until is not None and one.made_ms >= self.until):
            return False
        return self.type is None or self.type.fullmatch(one.type) is not None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a target must still be sent: how many deliveries, and when the oldest of them was made (ms).

    `given_up` is how many were given up and not sent again; they are counted as long as deliveries are kept.
    """

    size: int
    oldest_ms: int | None
    given_up: int = 0


class Reading:
    """Reads what pipeline and store have written."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def history(self, key: str) -> list[dict[str, Any]]:
        """The kept revisions of a resource (`source/kind/id`), oldest first."""
        lines = await self._db.run("LRANGE", self._db.keys.history(key), 0, -1)
        return [msgspec.json.decode(line) for line in reversed(lines)]

    async def some_items(self, source: str, cursor: int) -> tuple[int, list[str]]:
        """Some ids of items that are there now, about 200, and the cursor of more (0: none); HSCAN says what it keeps.

        https://redis.io/docs/latest/commands/scan/: what is there all the time comes at least once.
        """
        following, found = await self._db.run("HSCAN", self._db.keys.items(source), cursor, "COUNT", CHUNK)
        return int(following), [text(id) for id in found]

    async def target(self, name: str) -> dict[str, str]:
        """The stored state of a target; empty when nothing was sent to it yet."""
        return texts(await self._db.run("HGETALL", self._db.keys.target(name)))

    async def held_until(self, target: str) -> int | None:
        """Until when (ms) nothing is sent to a target; None when it is not held."""
        held = text(await self._db.run("GET", self._db.keys.hold(target)))
        return int(float(held)) if held else None

    async def backlog(self, target: str) -> Backlog:
        """What waits for a target, in one round trip however much it is."""
        pending, failed = self._db.keys.pending(target), self._db.keys.failed(target)
        size, oldest, given_up = await self._db.run_all(
            [("ZCARD", pending), ("ZRANGE", pending, 0, 0, "WITHSCORES"), ("ZCARD", failed)]
        )
        return Backlog(int(size), int(first_score(oldest)) if oldest else None, int(given_up))

    async def tries(self, target: str, most: int) -> list[tuple[int, bool]]:
        """Of the latest `most` deliveries of a target: how often each was tried, and whether it arrived."""
        keys = self._db.keys
        ids = [text(id) for id in await self._db.run("ZREVRANGE", keys.deliveries(target), 0, most - 1)]
        found = await self._db.run_all([("HMGET", keys.delivery(id), "n", "status") for id in ids]) if ids else []
        return [(int(n or 0), status == b"delivered") for n, status in found]

    async def delivery(self, id: str) -> StoredDelivery | None:
        """One delivery by its id."""
        return (await self.of_ids([id]))[0]

    async def of_event(self, event: str, targets: Sequence[str]) -> list[StoredDelivery]:
        """The deliveries of an event, in the order of the targets: at most one each."""
        return [one for one in await self.of_ids([delivery_id(target, event) for target in targets]) if one]

    async def of_ids(self, ids: Sequence[str]) -> list[StoredDelivery | None]:
        """Deliveries by their ids, None for what is not kept."""
        stored = await self._db.run_all([("HGETALL", self._db.keys.delivery(id)) for id in ids]) if ids else []
        return [_delivery(id, texts(fields)) if fields else None for id, fields in zip(ids, stored, strict=True)]

    async def deliveries(
        self,
        targets: Sequence[str],
        wanted: Wanted,
        after: tuple[int, str] | None = None,
        *,
        newest_first: bool = True,
        at_once: int = CHUNK,
    ) -> AsyncIterator[tuple[Spot, StoredDelivery | None]]:
        """Deliveries of these targets by the time they were made, from a place (ms made, id) on; memory stays flat.

        What is looked at and not wanted comes as None, so that whoever reads can bound how much is looked at.
        """
        spots = self._spots(targets, wanted, after, newest_first=newest_first)
        ended = False
        while not ended:
            batch: list[Spot] = []
            async for spot in spots:
                batch.append(spot)
                if len(batch) == at_once:
                    break
            ended = len(batch) < at_once
            for spot, stored in zip(batch, await self.of_ids([spot.id for spot in batch]), strict=True):
                yield spot, stored if stored is not None and wanted.fits(stored) else None

    async def _spots(
        self, targets: Sequence[str], wanted: Wanted, after: tuple[int, str] | None, *, newest_first: bool
    ) -> AsyncIterator[Spot]:
        of = wanted.status if wanted.status in {"pending", "failed"} else "deliveries"
        if after is None and not newest_first and wanted.since is not None:
            after = (wanted.since, "")
        async for spot in Listing(self._db, str(of), newest_first=newest_first).walk(targets, after):
            if newest_first and spot.made_ms < (wanted.since or 0):
                return
            if not newest_first and wanted.until is not None and spot.made_ms >= wanted.until:
                return
            yield spot


def _delivery(id: str, fields: dict[str, str]) -> StoredDelivery:
    return StoredDelivery(
        id=id,
        event=fields["event"],
        target=fields["target"],
        status=fields["status"],
        type=fields["type"],
        key=fields["key"],
        route=fields["route"],
        made_ms=int(fields["made"]),
        next_ms=_ms(fields, "next"),
        attempts=_attempts.decode(f"[{fields.get('attempts', '')}]"),
        place=fields["stream"],
        ended_ms=_ms(fields, "ended"),
        replays=int(fields.get("replays", "0")),
        severity=fields.get("severity", "info"),
        reason=fields.get("reason", ""),
    )


def _ms(fields: dict[str, str], name: str) -> int | None:
    value = fields.get(name)
    return int(float(value)) if value else None
