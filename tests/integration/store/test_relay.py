"""From the log into lanes: once, in order, due when they should be."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from monitor.grouping.book import Book
from monitor.store.db import Db
from monitor.store.eventlog import FIRST, EventLog
from monitor.store.groups import Turn
from monitor.store.lanes import Assignment, Lanes, delivery_id
from tests.integration.store.makers import HOOK, everything, publish, relay, scores, settled


async def test_events_come_into_their_lanes_once_and_in_order(db: Db, lanes: Lanes, log: EventLog) -> None:
    """With the body and the grade that their targets need; the cursor moves with them."""
    ids = await publish(db, 4)
    assert await lanes.cursor() == FIRST
    assert await relay(lanes, log, [("hook", "a"), ("hook", "b")]) == 4
    assert await lanes.cursor() == await log.end()
    claimed = {one.lane: one for one in await lanes.claim("hook", lease_ms=9_000, limit=10, take=10)}
    assert [one.id for one in claimed["a"].waiting] == [delivery_id("hook", id) for id in ids[::2]]
    assert [one.id for one in claimed["b"].waiting] == [delivery_id("hook", id) for id in ids[1::2]]
    stored = await log.get(ids[0])
    assert stored is not None
    first = claimed["a"].waiting[0]
    assert (first.body, first.attempts, first.severity) == (stored.body, 0, "info")
    assert first.made_ms <= await db.now_ms()


async def test_a_relay_that_was_overtaken_writes_nothing(db: Db, lanes: Lanes, log: EventLog) -> None:
    """Its cursor is not the expected one any more: -1, and every key is as it was."""
    await publish(db, 2)
    stored = await log.after(FIRST, 10)
    assert await relay(lanes, log, HOOK) == 2
    before = await everything(db)
    late = [Assignment("other", "a", 0.0, one.id, one.place, one.type, "k", "r", "info") for one in stored]
    assert await lanes.relay(FIRST, stored[-1].place, late) == -1
    assert await everything(db) == before


async def test_w9_an_event_that_is_relayed_again_makes_no_second_delivery(db: Db, lanes: Lanes, log: EventLog) -> None:
    """Even if the cursor were lost, and even after it was delivered."""
    await publish(db, 2)
    await relay(lanes, log, HOOK)
    (lane,) = await lanes.claim("hook", lease_ms=9_000, limit=1, take=1)
    await lanes.settle("hook", [settled(lane)])
    await db.run("DEL", db.keys.relay)
    before = await db.run("LRANGE", db.keys.of("lane", "hook", "a"), 0, -1)
    assert await relay(lanes, log, HOOK) == 0
    assert await db.run("LRANGE", db.keys.of("lane", "hook", "a"), 0, -1) == before
    assert len(before) == 1


async def test_of_many_relays_at_once_each_event_goes_out_once(db: Db, lanes: Lanes, log: EventLog) -> None:
    """Whoever is faster."""
    await publish(db, 50)
    made = await asyncio.gather(*(relay(lanes, log, HOOK) for _ in range(10)))
    assert sum(one for one in made if one > 0) == 50
    assert await db.run("LLEN", db.keys.of("lane", "hook", "a")) == 50


async def test_a_lane_with_a_wait_is_due_after_it_counted_from_its_first_event(
    db: Db, lanes: Lanes, log: EventLog
) -> None:
    """Company that comes later does not put it off, and it is not claimed early."""
    before = await db.now_ms()
    await publish(db, 1)
    await relay(lanes, log, HOOK, wait=3600.0)
    due = (await scores(db))["a"]
    assert before + 3_600_000 <= due <= await db.now_ms() + 3_600_000
    await publish(db, 1, first=2)
    await relay(lanes, log, HOOK, wait=0.0)
    assert await scores(db) == {"a": due}
    assert await lanes.next_ms() == due
    assert await lanes.due_targets(due - 1) == []
    assert await lanes.due_targets(due) == ["hook"]
    assert await lanes.claim("hook", lease_ms=9_000, limit=10, take=10) == []


async def test_a_group_is_not_due_again_before_its_interval_is_over(db: Db, lanes: Lanes, log: EventLog) -> None:
    """Counted from its last message; another group, and one without an interval, are due at once."""
    await publish(db, 1)
    before = await db.now_ms()
    await relay(lanes, log, HOOK, interval=3600.0)
    (lane,) = await lanes.claim("hook", lease_ms=9_000, limit=1, take=10, grouped=True)
    turn = Turn("0", Book(), flushed_ms=lane.health.now_ms)
    await lanes.settle("hook", [replace(settled(lane), turn=turn)])
    assert await scores(db) == {}
    await publish(db, 1, first=2)
    await relay(lanes, log, HOOK, interval=3600.0)
    due = (await scores(db))["a"]
    assert before + 3_600_000 <= due <= await db.now_ms() + 3_600_000
    await publish(db, 2, first=3)
    await relay(lanes, log, [("hook", "b"), ("hook", "c")], interval=60.0)
    now = await db.now_ms()
    assert {lane: at <= now for lane, at in (await scores(db)).items()} == {"a": False, "b": True, "c": True}


async def test_nothing_to_deliver_only_moves_the_cursor(db: Db, lanes: Lanes, log: EventLog) -> None:
    """An event that no route takes is relayed too."""
    await publish(db, 1)
    assert await lanes.relay(FIRST, await log.end(), []) == 0
    assert await lanes.cursor() == await log.end()
    assert await lanes.next_ms() is None


def test_the_id_of_a_delivery_is_its_target_and_event() -> None:
    """The same on every machine, from release to release, and no two run into each other."""
    assert delivery_id("hook", "evt_1") == "dlv_xju3ep7lkjrcm2l23bp26ha5"
    assert delivery_id("hook", "evt_1") != delivery_id("hook2", "evt_1")
    assert delivery_id("ho", "ok\x1fevt_1") != delivery_id("hook", "evt_1")
