"""After an outage: every event, or per resource the latest, which lists the others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from redis.asyncio import Redis

from monitor.pipeline import catchup
from monitor.pipeline.catchup import fold
from monitor.simulator import Receiver
from monitor.store.lanes import delivery_id
from tests.integration.pipeline.delivering import Work, told, working

MINUTE_MS = 60_000
JOBS = tuple("abcdef")
LATEST = "retry: [1h, 1h, 1h, 1h], catch_up: latest"


async def wait_long(work: Work, ms: int = MINUTE_MS + 1000) -> None:
    """As if everything that waits had waited for that long."""
    db = work.services.store.db
    for id in await db.run("ZRANGE", db.keys.pending("hook"), 0, -1):
        made = int(await db.run("HGET", db.keys.delivery(id.decode()), "made"))
        await db.run("HSET", db.keys.delivery(id.decode()), "made", made - ms)


def skipped(receiver: Receiver, place: int) -> list[dict[str, Any]]:
    """What a delivery lists."""
    listed: list[dict[str, Any]] = json.loads(receiver.deliveries[place].body)["data"].get("skipped", [])
    return listed


async def busy(work: Work) -> None:
    """Job `a` changes three times, `b` once."""
    await work.change("a", "b")
    await work.change("a", status="CLAIMED")
    await work.change("a", status="CLOSED")
    await work.services.consumer.relay.relay()


async def test_after_a_long_wait_only_the_latest_of_each_resource_is_sent(redis: Redis, store_url: str) -> None:
    """One message a resource; those it stands for are listed with their transitions, and settled as superseded."""
    async with working(store_url, {"hook": LATEST}) as work:
        await busy(work)
        await wait_long(work)
        assert await work.deliver() == 2
        receiver = work.receivers["hook"]
        assert sorted(told(receiver)) == [("a", "closed"), ("b", "updated")]
        (place,) = [n for n, one in enumerate(told(receiver)) if one[0] == "a"]
        assert [(one["type"], one["state"]) for one in skipped(receiver, place)] == [
            ("worklayer.job.updated", {"before": "UNCLAIMED", "after": "UNCLAIMED"}),
            ("worklayer.job.claimed", {"before": "UNCLAIMED", "after": "CLAIMED"}),
        ]
        assert skipped(receiver, 1 - place) == []
        assert all(one.verified for one in receiver.deliveries)
        statuses = sorted(one.status for one in await work.deliveries())
        assert statuses == ["delivered", "delivered", "superseded", "superseded"]
        assert (await work.view()).backlog == 0
        assert await redis.zcard("jobwire:pending:hook") == 0


async def test_all_is_all(redis: Redis, store_url: str) -> None:
    """Unless it is asked for, every event comes, in order."""
    async with working(store_url, {"hook": "retry: [1h]"}) as work:
        await busy(work)
        await wait_long(work)
        await work.deliver()
        assert [what for job, what in told(work.receivers["hook"]) if job == "a"] == ["updated", "claimed", "closed"]


async def test_what_did_not_wait_is_sent_one_by_one(redis: Redis, store_url: str) -> None:
    """`latest` is about outages, not about a busy minute."""
    async with working(store_url, {"hook": LATEST}) as work:
        await busy(work)
        await work.deliver()
        assert [what for job, what in told(work.receivers["hook"]) if job == "a"] == ["updated", "claimed", "closed"]


async def test_repetitions_carry_the_same_bytes(redis: Redis, store_url: str) -> None:
    """The list is stored before it is sent for the first time; what comes later stands for it as a whole."""
    async with working(store_url, {"hook": LATEST}) as work:
        receiver = work.receivers["hook"]
        receiver.script([500])
        await work.change("a")
        await work.change("a", status="CLAIMED")
        await work.services.consumer.relay.relay()
        await wait_long(work)
        await work.deliver()
        await work.due()
        await work.deliver()
        first, second = receiver.deliveries
        assert (first.id, first.body) == (second.id, second.body)
        assert len(skipped(receiver, 0)) == 1


async def test_what_comes_while_the_latest_fails_takes_its_list_over(redis: Redis, store_url: str) -> None:
    """No transition is lost on the way."""
    async with working(store_url, {"hook": LATEST}) as work:
        receiver = work.receivers["hook"]
        receiver.script([500])
        await work.change("a")
        await work.change("a", status="CLAIMED")
        await work.services.consumer.relay.relay()
        await wait_long(work)
        await work.deliver()
        await work.change("a", status="CLOSED")
        await wait_long(work)
        await work.due()
        assert await work.deliver() == 1
        assert told(receiver)[-1] == ("a", "closed")
        assert [one["type"] for one in skipped(receiver, 1)] == ["worklayer.job.updated", "worklayer.job.claimed"]


async def test_an_open_circuit_is_an_outage_however_short(redis: Redis, store_url: str) -> None:
    """What waited behind it is told by its latest."""
    async with working(store_url, {"hook": LATEST}, jobs=JOBS) as work:
        receiver = work.receivers["hook"]
        await receiver.stop()
        await work.change(*JOBS)
        await work.deliver()
        assert (await work.view()).circuit == "open"
        await work.change(*JOBS, status="CLAIMED")
        await receiver.start()
        await work.due(probe=True)
        await work.deliver()
        assert sorted(told(receiver)) == [(name, "claimed") for name in JOBS]


@pytest.mark.parametrize("way", ["disabled", "held"])
async def test_so_is_what_an_operator_or_the_receiver_asked_for(redis: Redis, store_url: str, way: str) -> None:
    """A disabled target that is enabled again, and a Retry-After that has passed."""
    async with working(store_url, {"hook": LATEST}) as work:
        receiver, store = work.receivers["hook"], work.services.store
        if way == "disabled":
            await store.switch.off("hook")
        else:
            receiver.script([{"status": 429, "headers": {"Retry-After": "1"}}])
            await work.change("b")
            await work.deliver()
        await busy(work)
        if way == "disabled":
            await store.switch.on("hook")
        else:
            await redis.delete("jobwire:hold:hook")
            await store.db.run("HSET", "jobwire:target:hook", "back", await store.db.now_ms())
        await work.due()
        await work.deliver()
        assert [what for job, what in told(receiver) if job == "a"] == ["closed"]


async def test_a_death_between_settling_and_sending_loses_nothing(redis: Redis, store_url: str) -> None:
    """The next worker finds the latest with its list."""
    async with working(store_url, {"hook": LATEST}) as work:
        await busy(work)
        await wait_long(work)
        lanes = work.services.store.lanes
        claimed = await lanes.claim("hook", lease_ms=60_000, limit=8, take=1, catch_up=100)
        (lane,) = [one for one in claimed if len(one.waiting) > 1]
        folded = fold(lane.waiting)
        assert await lanes.supersede(lane, folded.taken, folded.skipped)
        await work.due()
        await work.deliver()
        assert sorted(told(work.receivers["hook"])) == [("a", "closed"), ("b", "updated")]
        assert not await lanes.supersede(lane, folded.taken, folded.skipped)


async def test_a_lane_longer_than_one_look_is_folded_to_its_end(redis: Redis, store_url: str) -> None:
    """Chunk after chunk; the one that is sent is the latest of all."""
    async with working(store_url, {"hook": LATEST}) as work:
        rounds = catchup.AT_ONCE + 4
        for _ in range(rounds):
            await work.change("a")
        await work.services.consumer.relay.relay()
        await wait_long(work)
        assert await work.deliver() >= 1
        (sent,) = work.receivers["hook"].deliveries
        assert json.loads(sent.body)["data"]["revision"] == rounds + 1
        assert len(skipped(work.receivers["hook"], 0)) == catchup.LISTED
        assert delivery_id("hook", sent.id) in {one.id for one in await work.deliveries() if one.status == "delivered"}
