"""Deliveries put back into their lanes: order, budgets, leases, and what cannot be sent again."""

from __future__ import annotations

import pytest

from monitor.status import Choice, Replaying
from monitor.store.db import Db
from monitor.store.eventlog import EventLog
from monitor.store.lanes import ClaimedLane, Lanes, delivery_id
from monitor.store.reading import Reading, StoredDelivery
from monitor.store.replay import Again, Replays
from monitor.store.switch import Switch
from tests.integration.store.makers import HOOK, publish, relay, scores, settled

LEASE = 60_000


@pytest.fixture
def replays(db: Db) -> Replays:
    """What replays on that store."""
    return Replays(db)


@pytest.fixture
def again(db: Db) -> Replaying:
    """The same, with what chooses."""
    return Replaying(Reading(db), Replays(db), ["hook", "chat"], {"chat"})


async def made(db: Db, lanes: Lanes, log: EventLog, count: int) -> list[str]:
    """Deliveries in the one lane of `hook`; their ids."""
    ids = await publish(db, count)
    await relay(lanes, log, HOOK)
    return [delivery_id("hook", id) for id in ids]


async def claim(lanes: Lanes) -> list[ClaimedLane]:
    """The due lanes of `hook`, one delivery each."""
    return await lanes.claim("hook", lease_ms=LEASE, limit=9, take=1)


async def settle(lanes: Lanes, verdict: str = "delivered", delay: float = 0.0) -> str:
    """Claim the lane and settle its first delivery; its id."""
    (lane,) = await claim(lanes)
    await lanes.settle("hook", [settled(lane, verdict, delay)])
    return lane.waiting[0].id


async def stored(db: Db, id: str) -> StoredDelivery:
    """A delivery as it is stored."""
    found = await Reading(db).delivery(id)
    assert found is not None
    return found


async def test_w16_a_replay_takes_the_place_of_the_retry_that_waits(
    db: Db, lanes: Lanes, log: EventLog, replays: Replays
) -> None:
    """W16: it is due now instead of then, once, as the next attempt; replayed again it is one attempt more."""
    (id,) = await made(db, lanes, log, 1)
    await settle(lanes, "retry", 3600.0)
    assert await claim(lanes) == []
    assert await replays.replay("hook", [Again(id)]) == ["queued"]
    assert (await scores(db))["a"] <= await db.now_ms()
    (lane,) = await claim(lanes)
    assert [(one.id, one.attempts) for one in lane.waiting] == [(id, 1)]
    await lanes.settle("hook", [settled(lane)])
    assert await lanes.next_ms() is None, "nothing is left at the old time"
    for number in (2, 3):
        assert await replays.replay("hook", [Again(id)]) == ["queued"]
        (lane,) = await claim(lanes)
        assert [(one.id, one.attempts) for one in lane.waiting] == [(id, number)]
        await lanes.settle("hook", [settled(lane)])
    assert ((await stored(db, id)).status, (await stored(db, id)).replays) == ("delivered", 2)


async def test_w16_what_is_on_its_way_is_left_to_finish(db: Db, lanes: Lanes, log: EventLog, replays: Replays) -> None:
    """W16: a claimed lane keeps its lease, and the delivery is in it once; two replays of what waits are one."""
    (id,) = await made(db, lanes, log, 1)
    (lane,) = await claim(lanes)
    assert await replays.replay("hook", [Again(id)]) == ["waiting"]
    assert (await scores(db))["a"] == int(lane.fence)
    await lanes.settle("hook", [settled(lane)])
    assert await replays.replay("hook", [Again(id), Again(id)]) == ["queued", "queued"]
    assert await db.run("LLEN", db.keys.of("lane", "hook", "a")) == 1
    assert await settle(lanes) == id
    assert await claim(lanes) == []


async def test_replays_stand_where_they_happened(db: Db, lanes: Lanes, log: EventLog, replays: Replays) -> None:
    """Between those that wait for the same resource, in whatever order they are asked for."""
    ids = await made(db, lanes, log, 9)
    for _ in range(4):
        await settle(lanes, "failed")
    assert await replays.replay("hook", [Again(ids[number]) for number in (2, 0, 3)]) == ["queued"] * 3
    assert [await settle(lanes) for _ in range(8)] == [ids[0], *ids[2:]]


async def test_a_replay_behind_a_claimed_lane_does_not_wait_for_its_retry_twice(
    db: Db, lanes: Lanes, log: EventLog, replays: Replays
) -> None:
    """Put before what is in flight, it is due with that one's retry, and a replay makes both due now."""
    first, second = await made(db, lanes, log, 2)
    await settle(lanes, "failed")
    (lane,) = await claim(lanes)
    assert await replays.replay("hook", [Again(first)]) == ["queued"]
    await lanes.settle("hook", [settled(lane, "retry", 3600.0)])
    assert await claim(lanes) == []
    assert await replays.replay("hook", [Again(first)]) == ["queued"]
    assert [await settle(lanes), await settle(lanes)] == [first, second]


async def test_w17_a_disabled_target_takes_no_replay_and_keeps_its_backlog(
    db: Db, lanes: Lanes, log: EventLog, replays: Replays
) -> None:
    """W17: what ended is refused, what waits goes on waiting, and both go once it is enabled."""
    ended, waits = await made(db, lanes, log, 2)
    await settle(lanes)
    await Switch(db).off("hook")
    assert await replays.replay("hook", [Again(ended), Again(waits)]) == ["disabled", "waiting"]
    assert await claim(lanes) == []
    await Switch(db).on("hook")
    assert await replays.replay("hook", [Again(ended)]) == ["queued"]
    assert [await settle(lanes), await settle(lanes)] == [ended, waits]


async def test_w21_recovering_sends_what_failed_since_then_once_each(
    db: Db, lanes: Lanes, log: EventLog, again: Replaying
) -> None:
    """W21: not what failed before, not what arrived, and two who recover the same time send nothing twice."""
    ids = await made(db, lanes, log, 7)
    for verdict in ("failed", "delivered", "failed", "failed", "failed"):
        await settle(lanes, verdict)
    now = await db.now_ms()
    await db.run("HSET", db.keys.delivery(ids[0]), "ended", now - 60_000)
    choice = Choice("hook", now - 30_000, now + 1, failed=True)
    count = await again.count(choice)
    assert (count.count, count.statuses) == (3, {"failed": 3})
    mine, theirs = again.run(choice), again.run(choice)
    results = [[result async for _, result in run] for run in (mine, theirs)]
    assert results == [["queued"] * 3, []]
    assert await again.replays.replay("hook", [Again(ids[2], ended_ms=now)]) == ["changed"]
    assert [await settle(lanes) for _ in range(5)] == [*ids[2:5], *ids[5:]]
    assert (await stored(db, ids[0])).status == "failed"


async def test_a_replay_that_died_half_way_is_made_up_for(
    db: Db, lanes: Lanes, log: EventLog, again: Replaying
) -> None:
    """What it did is done, the rest is sent by the next one, and nothing twice."""
    ids = await made(db, lanes, log, 120)
    while claimed := await lanes.claim("hook", lease_ms=LEASE, limit=9, take=100):
        await lanes.settle("hook", [settled(one, "failed") for one in claimed])
    now = await db.now_ms()
    for number, id in enumerate(ids):
        await db.run("HSET", db.keys.delivery(id), "made", now - 5000 + number)
        await db.run("ZADD", db.keys.failed("hook"), now - 5000 + number, id)
    choice = Choice("hook", now - 60_000, now + 1, failed=True)
    async for _ in again.run(choice):
        break
    assert await db.run("LLEN", db.keys.of("lane", "hook", "a")) == 50
    assert [result async for _, result in again.run(choice)] == ["queued"] * 70
    assert [await settle(lanes) for _ in ids] == ids


async def test_what_is_older_than_the_log_is_gone(db: Db, lanes: Lanes, log: EventLog, again: Replaying) -> None:
    """It is refused, also when it ran out in its lane; what nobody knows is unknown."""
    sent, waits = await made(db, lanes, log, 2)
    await settle(lanes)
    await db.run("XTRIM", db.keys.events, "MAXLEN", 0)
    assert await claim(lanes) == []
    assert (await stored(db, waits)).status == "failed"
    assert [one.result for one in await again.named([sent, waits, "dlv_x", "evt_x"])] == [
        "unknown",
        "unknown",
        "gone",
        "gone",
    ]


async def test_replays_of_a_grouped_target_wait_for_each_other(db: Db, lanes: Lanes, log: EventLog) -> None:
    """An empty group is due a moment later, so that all of them are one message."""
    ids = [delivery_id("hook", id) for id in await publish(db, 3)]
    await relay(lanes, log, HOOK)
    for _ in ids:
        await settle(lanes)
    grouped = Replaying(Reading(db), Replays(db), ["hook"], {"hook"})
    before = await db.now_ms()
    await grouped.named(ids)
    assert before + 1000 <= (await scores(db))["a"] <= await db.now_ms() + 1000
    assert await db.run("LLEN", db.keys.of("lane", "hook", "a")) == 3


async def test_a_replay_into_a_group_that_stands_waits_for_no_tick(
    db: Db, lanes: Lanes, log: EventLog, replays: Replays
) -> None:
    """A group with something open looks again at its next tick only; while somebody sends it, it is told of news."""
    (id,) = await made(db, lanes, log, 1)
    await settle(lanes)
    group, later = db.keys.of("group", "hook", "a"), await db.now_ms() + 3_600_000
    await db.run("HSET", group, "live", 1, "pinned", "")
    await db.run("ZADD", db.keys.lanes("hook"), later, "a")
    assert await replays.replay("hook", [Again(id)]) == ["queued"]
    assert (await scores(db))["a"] <= await db.now_ms()
    await db.run("DEL", db.keys.of("lane", "hook", "a"))
    await db.run("HSET", group, "pinned", later)
    await db.run("ZADD", db.keys.lanes("hook"), later, "a")
    assert await replays.replay("hook", [Again(id)]) == ["queued"]
    assert (await scores(db))["a"] == later, "a lease is left alone"
    assert await db.run("HGET", group, "dirty") == b"1"


async def test_of_many_targets_the_latest_deliveries_come_in_order(db: Db, lanes: Lanes, log: EventLog) -> None:
    """Newest or oldest first, whatever is added and taken away meanwhile, and from any place on."""
    from monitor.store.listing import Listing, Spot

    targets = [f"t{number}" for number in range(7)]
    for number in range(700):
        made_ms = 1_000 + number // 9
        await db.run("ZADD", db.keys.deliveries(targets[number % 7]), made_ms, f"dlv_{number:04}")
    everything = [one async for one in Listing(db, "deliveries").walk(targets)]
    assert len(everything) == 700
    assert everything == sorted(everything, key=lambda one: one[:2], reverse=True)
    oldest = [one async for one in Listing(db, "deliveries", newest_first=False).walk(targets)]
    assert oldest == everything[::-1]
    place = everything[333]
    for gone in everything[330:340]:
        await db.run("ZREM", db.keys.deliveries(gone.target), gone.id)
    rest = [one async for one in Listing(db, "deliveries").walk(targets, place[:2])]
    assert rest == everything[340:]
    await db.run("ZADD", db.keys.deliveries("t0"), 9_999, "dlv_new")
    assert await anext(Listing(db, "deliveries").walk(targets)) == Spot(9_999, "dlv_new", "t0")
