"""What is sent again: chosen by id, or by target and time, counted before it is done, each once however it goes on.

A replay goes back into its lane: attempts count on and the schedule of retries is shared, an automatic retry that
waits is made now instead of then, and what is on its way is left to finish. Between those that wait for the same
resource it stands where it happened, so a receiver hears a resource's events in order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from monitor.errors import UsageError
from monitor.moments import from_millis, stamp
from monitor.store.eventlog import place_order
from monitor.store.reading import Reading, StoredDelivery, Wanted
from monitor.store.replay import AT_ONCE, Again, Replays, Result

GATHER = 1.0
"""Seconds that a lane of a grouped target waits, so that what is replayed together becomes one message."""

_BEAT = 500


class Replayed(msgspec.Struct, frozen=True):
    """What became of one delivery; the words are those of `monitor.store.replay.Replays`."""

    id: str
    event_id: str | None
    target: str | None
    result: str


class ReplayCount(msgspec.Struct, frozen=True):
    """What a choice would send again: how many, of which status, when the first and the last of them were made."""

    target: str
    count: int
    statuses: dict[str, int]
    oldest_at: str | None
    newest_at: str | None


class ReplayDone(msgspec.Struct, frozen=True):
    """What became of a choice: how many there were, and how many of them ended with which word."""

    target: str
    count: int
    results: dict[str, int]


@dataclass(frozen=True, slots=True)
class Choice:
    """Deliveries of a target from `since` to `until` (ms): made then, or with `failed`, given up then."""

    target: str
    since: int
    until: int
    failed: bool = False
    type: re.Pattern[str] | None = None

    @property
    def wanted(self) -> Wanted:
        """What is read to find them."""
        if self.failed:
            return Wanted(status="failed", type=self.type)
        return Wanted(since=self.since, until=self.until, type=self.type)

    def fits(self, one: StoredDelivery) -> bool:
        """Whether this one was sent, or was to be; with `failed`, whether it was given up in time."""
        if self.failed:
            return one.ended_ms is not None and self.since <= one.ended_ms < self.until
        return one.status in {"pending", "delivered", "failed"}


@dataclass(frozen=True, slots=True)
class Replaying:
    """Sends again. `grouped` names the targets whose lanes are groups; others are not in the config."""

    reading: Reading
    replays: Replays
    targets: Sequence[str]
    grouped: Collection[str]

    async def named(self, ids: Sequence[str], target: str | None = None) -> list[Replayed]:
        """Ids of deliveries or events in, what became of each delivery out; an event stands for all of its own."""
        chosen, unknown = await self._named(ids, target)
        found = [Replayed(id, None, None, "unknown") for id in unknown]
        for name, mine in _by_target(chosen).items():
            if name in self.targets:
                results: Sequence[str] = await self._send(name, [Again(one.id) for one in mine])
            else:
                results = ["unconfigured"] * len(mine)
            found += [_replayed(one, result) for one, result in zip(mine, results, strict=True)]
        return found

    async def find(self, ids: Sequence[str], target: str | None = None) -> list[Replayed]:
        """As `named`, but nothing is sent: the word is each delivery's status."""
        chosen, unknown = await self._named(ids, target)
        return [
            *(Replayed(id, None, None, "unknown") for id in unknown),
            *(_replayed(one, one.status) for one in chosen),
        ]

    async def _named(self, ids: Sequence[str], target: str | None) -> tuple[list[StoredDelivery], list[str]]:
        """The deliveries that ids stand for, each once, and the ids that stand for none."""
        chosen: dict[str, StoredDelivery] = {}
        unknown = []
        for id in dict.fromkeys(ids):
            if id.startswith("evt_"):
                mine = await self.reading.of_event(id, [target] if target else self.targets)
            else:
                one = await self.reading.delivery(id)
                mine = [one] if one is not None and target in {None, one.target} else []
            chosen |= {one.id: one for one in mine}
            unknown += [] if mine else [id]
        return list(chosen.values()), unknown

    async def count(self, choice: Choice) -> ReplayCount:
        """How much a choice would send again."""
        statuses: Counter[str] = Counter()
        first = last = None
        async for one in self._chosen(choice):
            statuses[one.status] += 1
            first, last = first if first is not None else one.made_ms, one.made_ms
        return ReplayCount(choice.target, statuses.total(), dict(statuses), _time(first), _time(last))

    async def run(self, choice: Choice) -> AsyncIterator[tuple[StoredDelivery, Result]]:
        """Send a choice again, the oldest first, a part at a time; whoever stops in between has sent the first parts.

        With `failed`, what somebody else replayed since it was found is left alone: two who recover the same time
        send each delivery once.
        """
        part: list[StoredDelivery] = []
        async for one in self._chosen(choice):
            # Those of one moment are listed by id: together they are put into the order in which they happened.
            if len(part) >= AT_ONCE and one.made_ms != part[-1].made_ms:
                for pair in await self._part(choice, part):
                    yield pair
                part = []
            part.append(one)
        for pair in await self._part(choice, part):
            yield pair

    async def _part(self, choice: Choice, part: list[StoredDelivery]) -> list[tuple[StoredDelivery, Result]]:
        part.sort(key=_happened)
        again = [Again(one.id, one.ended_ms if choice.failed else None) for one in part]
        return list(zip(part, await self._send(choice.target, again), strict=True))

    async def _send(self, target: str, again: Sequence[Again]) -> list[Result]:
        return await self.replays.replay(target, again, GATHER if target in self.grouped else 0.0)

    async def _chosen(self, choice: Choice) -> AsyncIterator[StoredDelivery]:
        async for _, one in self.reading.deliveries([choice.target], choice.wanted, newest_first=False):
            if one is not None and choice.fits(one):
                yield one


async def done(
    target: str, sent: AsyncIterator[tuple[StoredDelivery, Result]], beat: Callable[[], Awaitable[None]] | None = None
) -> ReplayDone:
    """A replay that runs in, what became of it out; `beat` is called now and then while it runs."""
    results: Counter[str] = Counter()
    async for _, result in sent:
        results[result] += 1
        if beat is not None and results.total() % _BEAT == 0:
            await beat()
    return ReplayDone(target, results.total(), dict(results))


def within_reach(since: int, now: int, kept: int) -> None:
    """Raises UsageError for a time (ms) before which nothing is kept: what is asked for is not all there any more."""
    if since < now - kept:
        raise UsageError(
            f"since {stamp(from_millis(since))} is longer ago than events are kept ({kept // 86_400_000} days): "
            f"the earliest is {stamp(from_millis(now - kept))}"
        )


def _replayed(one: StoredDelivery, result: str) -> Replayed:
    return Replayed(one.id, one.event, one.target, result)


def _by_target(chosen: Iterable[StoredDelivery]) -> dict[str, list[StoredDelivery]]:
    """In the order in which their events happened, so that lanes get them in order."""
    found: dict[str, list[StoredDelivery]] = {}
    for one in sorted(chosen, key=_happened):
        found.setdefault(one.target, []).append(one)
    return found


def _happened(one: StoredDelivery) -> tuple[int, int]:
    return place_order(one.place)


def _time(ms: int | None) -> str | None:
    return stamp(from_millis(ms)) if ms is not None else None
