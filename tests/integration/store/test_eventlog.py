"""The event log: read from any place, waited for, and trimmed no further than it was relayed."""

from __future__ import annotations

import asyncio
import time

from monitor.store.db import Db
from monitor.store.eventlog import FIRST, EventLog, Stored
from monitor.store.retention import Retention
from tests.integration.store.makers import publish


async def test_events_are_read_in_the_order_they_were_written(db: Db, log: EventLog) -> None:
    """From the beginning, from a place on, from a time on, from the end back."""
    assert await log.end() == FIRST
    ids = await publish(db, 10)
    stored = await log.after(FIRST, 100)
    assert [one.id for one in stored] == ids
    assert [one.id for one in await log.after(stored[3].place, 3)] == ids[4:7]
    assert [one.id for one in await log.last(3)] == ids[7:]
    assert [one.id for one in await log.until(stored[3].place, 2)] == ids[2:4]
    assert [one.id for one in await log.until(f"({stored[3].place}", 2)] == ids[1:3]
    assert [one.id for one in await log.since(stored[0].at_ms, 100)] == ids
    assert await log.since(stored[-1].at_ms + 1, 100) == []
    assert await log.end() == stored[-1].place
    assert await log.get(ids[5]) == stored[5]
    assert await log.get("evt_none") is None


async def test_waiting_ends_with_the_next_event(db: Db, log: EventLog) -> None:
    """At once when there is one after the place already."""
    await publish(db, 1)
    end = await log.end()
    assert await log.wait(FIRST, 10_000)
    waiting = asyncio.create_task(log.wait(end, 10_000))
    while not waiting.done():
        await publish(db, 1, first=int(time.monotonic_ns()))
        await asyncio.sleep(0.01)
    assert await waiting


async def test_waiting_ends_with_the_bell_and_with_its_time(log: EventLog) -> None:
    """The bell wakes all who wait, the time ends it with False."""
    waiting = [asyncio.create_task(log.wait(FIRST, 10_000)) for _ in range(3)]
    while not all(task.done() for task in waiting):
        await log.ring()
        await asyncio.sleep(0.01)
    assert [await task for task in waiting] == [True, True, True]
    assert not await log.wait(FIRST, 1)


async def test_the_bell_leaves_one_entry(db: Db, log: EventLog) -> None:
    """However often it rings."""
    for _ in range(5):
        await log.ring()
    assert await db.run("XLEN", db.keys.bell) == 1


async def written(db: Db, moments: list[int]) -> list[Stored]:
    """Events written at these moments (ms), as a store with that clock would have."""
    for number, moment in enumerate(sorted(moments)):
        await db.run("XADD", db.keys.events, f"{moment}-{number + 1}", "id", number, "type", "a.b.c", "body", "{}")
    return await EventLog(db, Retention()).after(FIRST, 10_000)


DAY_MS = 86_400_000


async def test_events_older_than_the_retention_are_forgotten(db: Db, log: EventLog) -> None:
    """Whole nodes of the stream at a time, so a few stay on; none that is younger goes."""
    now = 100 * DAY_MS
    stored = await written(db, [now - day * DAY_MS for day in range(20) for _ in range(100)])
    removed = await log.trim(now, stored[-1].place)
    left = await log.after(FIRST, 10_000)
    assert removed > 0
    assert len(left) == len(stored) - removed
    assert left == stored[removed:]
    assert left[0].at_ms > now - 16 * DAY_MS
    assert stored[removed - 1].at_ms < now - 14 * DAY_MS


async def test_what_is_not_in_its_lanes_yet_is_never_trimmed(db: Db, log: EventLog) -> None:
    """However old: neither at the beginning nor anywhere else."""
    now = 100 * DAY_MS
    stored = await written(db, [1 + number for number in range(1000)])
    assert await log.trim(now, FIRST) == 0
    for place in (0, 1, 499, 998):
        await log.trim(now, stored[place].place)
        left = {one.place for one in await log.after(FIRST, 10_000)}
        assert left >= {one.place for one in stored[place + 1 :]}
