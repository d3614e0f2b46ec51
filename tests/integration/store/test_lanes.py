"""Lanes under claim: order, leases, retries, holds, and what is recorded of each attempt."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

from monitor.store.db import Db
from monitor.store.eventlog import EventLog
from monitor.store.lanes import ClaimedLane, Lanes, Settled, delivery_id
from monitor.store.switch import Switch
from tests.integration.store.makers import HOOK, everything, news, publish, relay, scores, settled

LEASE = 60_000


async def claim(lanes: Lanes, *, limit: int = 100, take: int = 1, lease_ms: int = LEASE) -> list[ClaimedLane]:
    """The due lanes of the target `hook`."""
    return await lanes.claim("hook", lease_ms=lease_ms, limit=limit, take=take)


async def delivery(db: Db, event: str, target: str = "hook") -> dict[str, str]:
    """What is stored of the delivery of an event."""
    found = await db.run("HGETALL", db.keys.delivery(delivery_id(target, event)))
    return {name.decode(): value.decode() for name, value in found.items()}


async def test_p19_a_lane_gives_its_deliveries_one_after_the_other(db: Db, lanes: Lanes, log: EventLog) -> None:
    """The next one is to be had only when the one before is settled."""
    ids = await publish(db, 3)
    await relay(lanes, log, HOOK)
    seen = []
    for _ in ids:
        (lane,) = await claim(lanes)
        assert await claim(lanes) == []
        seen += [one.id for one in lane.waiting]
        await lanes.settle("hook", [settled(lane)])
    assert seen == [delivery_id("hook", id) for id in ids]
    assert await claim(lanes) == []
    assert await lanes.next_ms() is None
    assert await db.run("EXISTS", db.keys.lanes("hook"), db.keys.of("lane", "hook", "a")) == 0


async def test_p19_a_lane_in_trouble_holds_up_no_other(db: Db, lanes: Lanes, log: EventLog) -> None:
    """Its own deliveries wait behind the one that failed, those of other lanes and targets go on."""
    ids = await publish(db, 6)
    await relay(lanes, log, [("hook", "a"), ("hook", "b"), ("other", "a")])
    lane_a, lane_b = sorted(await claim(lanes), key=lambda one: one.lane)
    await lanes.settle("hook", [settled(lane_a, "retry", 3600.0), settled(lane_b)])
    (again,) = await claim(lanes)
    assert (again.lane, again.waiting[0].id) == ("b", delivery_id("hook", ids[4]))
    (elsewhere,) = await lanes.claim("other", lease_ms=LEASE, limit=10, take=1)
    assert elsewhere.waiting[0].id == delivery_id("other", ids[2])


async def test_w3_a_retry_is_the_same_delivery_later(db: Db, lanes: Lanes, log: EventLog) -> None:
    """Same bytes, one attempt more, both recorded in order."""
    ids = await publish(db, 2)
    await relay(lanes, log, HOOK)
    (first,) = await claim(lanes)
    before = await db.now_ms()
    await lanes.settle("hook", [settled(first, "retry", 3600.0)])
    due = (await scores(db))["a"]
    assert before + 3_600_000 <= due <= await db.now_ms() + 3_600_000
    stored = await delivery(db, ids[0])
    assert (stored["status"], stored["next"]) == ("pending", str(due))
    await db.run("ZADD", db.keys.lanes("hook"), before, "a")
    (second,) = await claim(lanes)
    assert second.waiting == (replace(first.waiting[0], attempts=1),)
    await lanes.settle("hook", [settled(second)])
    stored = await delivery(db, ids[0])
    assert (stored["status"], stored["n"], "next" in stored) == ("delivered", "2", False)
    assert [one["n"] for one in json.loads(f"[{stored['attempts']}]")] == [1, 2]
    (third,) = await claim(lanes)
    assert third.waiting[0].id == delivery_id("hook", ids[1])


async def test_a_delivery_that_failed_for_good_makes_way(db: Db, lanes: Lanes, log: EventLog) -> None:
    """It is recorded as failed with its last attempt, and its news are written in the same step."""
    ids = await publish(db, 2)
    await relay(lanes, log, HOOK)
    (lane,) = await claim(lanes)
    await lanes.settle("hook", [settled(lane, "failed", 0.0, news(99, "exhausted"))])
    stored = await delivery(db, ids[0])
    assert stored["status"] == "failed"
    assert int(stored["ended"]) <= await db.now_ms()
    assert (await log.last(1))[0].id == news(99, "exhausted").id
    (following,) = await claim(lanes)
    assert following.waiting[0].id == delivery_id("hook", ids[1])


async def test_w12_a_lapsed_lease_brings_the_lane_back(db: Db, lanes: Lanes, log: EventLog) -> None:
    """The first delivery again, with a fence of its own; a settled lane never comes back."""
    await publish(db, 1)
    await relay(lanes, log, HOOK)
    (lost,) = await claim(lanes, lease_ms=-5_000)
    (found,) = await claim(lanes)
    assert found.waiting == lost.waiting
    assert found.fence != lost.fence
    await lanes.settle("hook", [settled(found)])
    assert await claim(lanes, lease_ms=-1) == []


async def test_w12_a_settlement_that_comes_too_late_frees_nothing(db: Db, lanes: Lanes, log: EventLog) -> None:
    """Somebody else sends it now and decides; but that it was sent is recorded."""
    ids = await publish(db, 2)
    await relay(lanes, log, HOOK)
    (late,) = await claim(lanes, lease_ms=-5_000)
    (owner,) = await claim(lanes)
    due = await scores(db)
    standing = await lanes.settle("hook", [settled(late)])
    assert (standing.stale, await scores(db)) == (1, due)
    assert await db.run("LLEN", db.keys.of("lane", "hook", "a")) == 2
    assert (await delivery(db, ids[0]))["n"] == "1"
    standing = await lanes.settle("hook", [settled(late, "retry", 3600.0)])
    assert (standing.stale, await scores(db)) == (1, due)
    assert "next" not in await delivery(db, ids[0])
    assert (await lanes.settle("hook", [settled(owner)])).stale == 0
    assert await db.run("LLEN", db.keys.of("lane", "hook", "a")) == 1
    assert (await delivery(db, ids[0]))["status"] == "delivered"


async def test_what_is_settled_twice_is_settled_once(db: Db, lanes: Lanes, log: EventLog) -> None:
    """The second time the lane is not ours any more, so the next delivery stays."""
    await publish(db, 2)
    await relay(lanes, log, HOOK)
    (lane,) = await claim(lanes)
    await lanes.settle("hook", [settled(lane)])
    assert (await lanes.settle("hook", [settled(lane)])).stale == 1
    assert await db.run("LLEN", db.keys.of("lane", "hook", "a")) == 1


async def test_a_group_takes_all_that_waits_up_to_its_limit(db: Db, lanes: Lanes, log: EventLog) -> None:
    """What came meanwhile, or was too much for one message, stays in order for the next."""
    ids = await publish(db, 5)
    await relay(lanes, log, HOOK)
    (lane,) = await claim(lanes, take=3)
    assert [one.id for one in lane.waiting] == [delivery_id("hook", id) for id in ids[:3]]
    more = await publish(db, 1, first=6)
    await relay(lanes, log, HOOK)
    assert await claim(lanes, take=3) == []
    standing = await lanes.settle("hook", [settled(lane)])
    assert standing.failures == 0
    (rest,) = await claim(lanes, take=100)
    assert [one.id for one in rest.waiting] == [delivery_id("hook", id) for id in [*ids[3:], *more]]
    assert (await db.run("HGET", db.keys.target("hook"), "delivered")) == b"3"


async def test_w25_lanes_that_are_handed_back_untried_count_as_nothing(db: Db, lanes: Lanes, log: EventLog) -> None:
    """Due again at once, no attempt, no failure."""
    ids = await publish(db, 1)
    await relay(lanes, log, HOOK)
    (lane,) = await claim(lanes)
    standing = await lanes.settle("hook", [Settled(lane, "retry", 0.0, ())])
    assert standing.failures == 0
    assert (await delivery(db, ids[0]))["n"] == "0"
    assert [one.waiting for one in await claim(lanes)] == [lane.waiting]


async def test_a_held_target_is_quiet_and_the_longest_hold_counts(db: Db, lanes: Lanes, log: EventLog) -> None:
    """What one answer asked for is not undercut by another that comes in later."""
    await publish(db, 3)
    await relay(lanes, log, [("hook", "a"), ("hook", "b"), ("other", "a")])
    lane_a, lane_b = await claim(lanes)
    before = await db.now_ms()
    await lanes.settle("hook", [settled(lane_a, "retry", 0.0)], hold=3600.0)
    await lanes.settle("hook", [settled(lane_b, "retry", 0.0)], hold=5.0)
    held = int(await db.run("GET", db.keys.hold("hook")))
    assert before + 3_600_000 <= held <= await db.now_ms() + 3_600_000
    assert await claim(lanes) == []
    assert await db.run("ZSCORE", db.keys.due, "hook") == held
    assert len(await lanes.claim("other", lease_ms=LEASE, limit=10, take=1)) == 1
    await db.run("DEL", db.keys.hold("hook"))
    assert len(await claim(lanes)) == 2


async def test_a_longer_hold_takes_the_place_of_a_shorter_one(db: Db, lanes: Lanes, log: EventLog) -> None:
    """And both end by themselves."""
    await publish(db, 2)
    await relay(lanes, log, [("hook", "a"), ("hook", "b")])
    for lane, hold in zip(await claim(lanes), (5.0, 3600.0), strict=True):
        await lanes.settle("hook", [settled(lane, "retry", 0.0)], hold=hold)
    assert 5_000 < await db.run("PTTL", db.keys.hold("hook")) <= 3_600_000


async def test_w17_a_disabled_target_is_sent_nothing_and_keeps_its_backlog(db: Db, lanes: Lanes, log: EventLog) -> None:
    """Switched on again it gets what waited, first things first."""
    ids = await publish(db, 2)
    await relay(lanes, log, HOOK)
    (lane,) = await claim(lanes)
    await lanes.settle("hook", [settled(lane, "retry", 0.0)], disable=True)
    assert await claim(lanes) == []
    assert await lanes.due_targets(2**50) == []
    await publish(db, 1, first=3)
    await relay(lanes, log, HOOK)
    assert await claim(lanes) == []
    assert await Switch(db).on("hook")
    (lane,) = await claim(lanes)
    assert lane.waiting[0].id == delivery_id("hook", ids[0])
    assert await db.run("LLEN", db.keys.of("lane", "hook", "a")) == 3


async def test_a_delivery_whose_event_is_forgotten_ends_quietly(db: Db, lanes: Lanes, log: EventLog) -> None:
    """Nothing is left of the lane, or only what still has its event."""
    await publish(db, 3)
    await relay(lanes, log, [("hook", "a"), ("hook", "b"), ("hook", "a")])
    first, second, _ = await log.after("0-0", 3)
    await db.run("XDEL", db.keys.events, first.place)
    await db.run("DEL", db.keys.delivery(delivery_id("hook", second.id)))
    claimed = await claim(lanes) + await claim(lanes)
    assert [one.lane for one in claimed] == ["a"]
    assert "b" not in await scores(db)


async def test_a_claim_takes_the_lanes_that_are_longest_due_up_to_its_limit(
    db: Db, lanes: Lanes, log: EventLog
) -> None:
    """The target stays due as long as one is left."""
    await publish(db, 3)
    await relay(lanes, log, [("hook", "a"), ("hook", "b"), ("hook", "c")])
    await db.run("ZADD", db.keys.lanes("hook"), 3, "a", 1, "b", 2, "c")
    assert [one.lane for one in await claim(lanes, limit=2)] == ["b", "c"]
    assert await lanes.next_ms() == 3
    assert [one.lane for one in await claim(lanes, limit=2)] == ["a"]
    assert await lanes.next_ms() == min((await scores(db)).values())


async def test_w11_many_workers_see_each_delivery_exactly_once(db: Db, lanes: Lanes, log: EventLog) -> None:
    """And in the order of its lane, whoever gets it."""
    ids = await publish(db, 300)
    await relay(lanes, log, [("hook", f"lane {number}") for number in range(30)])
    seen: list[tuple[str, str]] = []

    async def work() -> None:
        while await lanes.next_ms() is not None:
            for lane in await claim(lanes, limit=3):
                seen.append((lane.lane, lane.waiting[0].id))
                await asyncio.sleep(0)
                await lanes.settle("hook", [settled(lane)])

    async with asyncio.timeout(60):
        await asyncio.gather(*(work() for _ in range(20)))
    for number in range(30):
        in_lane = [id for lane, id in seen if lane == f"lane {number}"]
        assert in_lane == [delivery_id("hook", id) for id in ids[number::30]]


async def test_a_target_stands_by_its_failures_in_a_row(db: Db, lanes: Lanes, log: EventLog) -> None:
    """A success ends the row; totals and the beginning of the row are kept."""
    await publish(db, 1)
    await relay(lanes, log, HOOK)
    for failures in (1, 2, 3):
        (lane,) = await claim(lanes)
        standing = await lanes.settle("hook", [settled(lane, "retry", 0.0)])
        assert (standing.failures, standing.announced, standing.stale) == (failures, False, 0)
    since = await db.run("HGET", db.keys.target("hook"), "failing_since")
    (lane,) = await claim(lanes)
    assert (await lanes.settle("hook", [settled(lane)])).failures == 0
    state = await db.run("HGETALL", db.keys.target("hook"))
    assert (state[b"retried"], state[b"delivered"], state[b"failing_since"]) == (b"3", b"1", since)


async def test_w19_that_a_target_fails_is_told_once_until_it_has_recovered(lanes: Lanes, log: EventLog) -> None:
    """However many workers find out at once."""
    told = await asyncio.gather(*(lanes.announce("hook", news(number), failing=True) for number in range(10)))
    assert sum(told) == 1
    assert (await lanes.settle("hook", [])).announced
    told = await asyncio.gather(
        *(lanes.announce("hook", news(number, "recovered"), failing=False) for number in range(10))
    )
    assert sum(told) == 1
    assert not await lanes.announce("hook", news(20, "recovered"), failing=False)
    assert [stored.type for stored in await log.after("0-0", 10)] == [
        "jobwire.source.failing",
        "jobwire.source.recovered",
    ]


async def test_an_idle_claim_writes_nothing(db: Db, lanes: Lanes) -> None:
    """Looking costs no memory."""
    before = await everything(db)
    assert await claim(lanes) == []
    await lanes.settle("hook", [])
    assert await everything(db) == before
