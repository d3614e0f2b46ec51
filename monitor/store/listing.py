"""The deliveries of many targets as one list by the time they were made, from any place on, newest or oldest first.

Only ids and times are read, a page a target, so that a list of a thousand targets costs a few round trips and what
is looked at can be bounded by whoever looks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from monitor.store.db import Db, pairs, text

_PAGE = 200
_LEAST = 10


class Spot(NamedTuple):
    """Where a delivery stands in the list: when it was made (ms), its id; and whose it is."""

    made_ms: int
    id: str
    target: str


@dataclass(slots=True)
class _Shelf:
    """One target's part: what was read of it and not yet handed on, in reverse, and whether there may be more."""

    target: str
    read: list[Spot] = field(default_factory=list)
    last: tuple[int, str] | None = None
    more: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """Reads sorted sets of delivery ids: `of` is the first part of their keys (deliveries, pending or failed)."""

    db: Db
    of: str
    newest_first: bool = True

    async def walk(self, targets: Sequence[str], after: tuple[int, str] | None = None) -> AsyncIterator[Spot]:
        """The deliveries of these targets, those after a place only; safe against changes of the lists meanwhile."""
        shelves = [_Shelf(target, last=after) for target in targets]
        size = max(_LEAST, _PAGE // max(1, len(shelves)))
        await self._fill(shelves, size)
        heap = [(self._rank(one.read[-1]), number) for number, one in enumerate(shelves) if one.read]
        heapify(heap)
        while heap:
            _, number = heappop(heap)
            shelf = shelves[number]
            yield shelf.read.pop()
            if not shelf.read and shelf.more:
                await self._fill([shelf], _PAGE)
            if shelf.read:
                heappush(heap, (self._rank(shelf.read[-1]), number))

    def _rank(self, spot: Spot) -> tuple[int, tuple[int, ...]]:
        sign = -1 if self.newest_first else 1
        return sign * spot.made_ms, tuple(sign * one for one in spot.id.encode())

    async def _fill(self, shelves: Sequence[_Shelf], size: int) -> None:
        """Read the next page of each; a page of which nothing is new is passed over."""
        starts = await self._starts(shelves)
        command = "ZREVRANGE" if self.newest_first else "ZRANGE"
        waiting = list(zip(shelves, starts, strict=True))
        while waiting:
            replies = await self.db.run_all(
                [(command, self._key(one), start, start + size - 1, "WITHSCORES") for one, start in waiting]
            )
            again = []
            for (shelf, start), reply in zip(waiting, replies, strict=True):
                spots = [Spot(int(float(made)), text(id), shelf.target) for id, made in pairs(reply)]
                fresh = [one for one in spots if shelf.last is None or self._follows(one, shelf.last)]
                shelf.more = len(spots) == size
                if fresh:
                    shelf.read, shelf.last = fresh[::-1], (fresh[-1].made_ms, fresh[-1].id)
                elif shelf.more:
                    again.append((shelf, start + size))
            waiting = again

    async def _starts(self, shelves: Sequence[_Shelf]) -> list[int]:
        """At which number of each list to go on: behind the last one read, or where it would stand."""
        places = [(one, one.last) for one in shelves if one.last is not None]
        rank = "ZREVRANK" if self.newest_first else "ZRANK"
        replies = await self.db.run_all(
            [
                command
                for one, (made, id) in places
                for command in ((rank, self._key(one), id), ("ZCOUNT", self._key(one), *self._ahead(made)))
            ]
        )
        found = {
            one.target: int(at) + 1 if at is not None else int(ahead)
            for (one, _), at, ahead in zip(places, replies[::2], replies[1::2], strict=True)
        }
        return [found.get(one.target, 0) for one in shelves]

    def _ahead(self, made: int) -> tuple[str, str]:
        return (f"({made}", "+inf") if self.newest_first else ("-inf", f"({made}")

    def _follows(self, spot: Spot, last: tuple[int, str]) -> bool:
        here = (spot.made_ms, spot.id)
        return here < last if self.newest_first else here > last

    def _key(self, shelf: _Shelf) -> str:
        return self.db.keys.of(self.of, shelf.target)
