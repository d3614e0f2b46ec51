"""What operators hear about a target: in order, once, on another target; and when it is given up."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from redis.asyncio import Redis

from monitor.simulator import Receiver, Reply
from monitor.store.lanes import Settled
from tests.integration.pipeline.delivering import Work, working

DAY_MS = 86_400_000
NEWS = "[{match: {type: 'worklayer.**'}, to: [hook]}, {match: {type: 'jobwire.target.*'}, to: [ops, hook]}]"
TEN = tuple(f"j{number}" for number in range(10))


def news(receiver: Receiver) -> list[dict[str, Any]]:
    """The events that arrived at a receiver, oldest first."""
    return [json.loads(one.body) for one in receiver.deliveries]


def kinds(receiver: Receiver) -> list[str]:
    """The last words of their types."""
    return [event["type"].rpartition(".")[2] for event in news(receiver)]


async def age(work: Work, **fields: int) -> None:
    """As if something had happened so many milliseconds ago by the store's clock."""
    db = work.services.store.db
    for name, ago in fields.items():
        await db.run("HSET", db.keys.target("hook"), name, await db.now_ms() - ago)


async def test_w20_news_arrive_signed_and_in_order(redis: Redis, store_url: str) -> None:
    """W20: failing, exhausted, disabled, and recovered on a late success, with target and events, on another target."""
    async with working(store_url, {"hook": "retry: [1h, 1h]", "ops": ""}, routes=NEWS) as work:
        hook, ops = work.receivers["hook"], work.receivers["ops"]
        hook.script([500, 500, 500, 410, 204, 204])
        await work.change("a")
        for _ in range(3):
            await work.due()
            await work.deliver()
        await work.change("b")
        await work.deliver()
        assert (await work.view()).state == "disabled"
        assert await work.services.store.switch.on("hook")
        await work.change("c")
        await work.deliver()
        await work.deliver("ops")

        assert kinds(ops) == ["failing", "exhausted", "disabled", "recovered"]
        assert all(one.verified for one in ops.deliveries)
        failing, exhausted, disabled, recovered = news(ops)
        sent = [one.id for one in hook.deliveries]
        assert {event["subject"] for event in news(ops)} == {"target/hook"}
        assert [event["data"]["details"]["events"] for event in news(ops)] == [sent[:1], sent[:1], sent[3:4], sent[4:5]]
        assert (failing["data"]["details"]["failures"], failing["data"]["details"]["status"]) == (3, 500)
        assert failing["data"]["details"]["since"] <= failing["time"]
        assert exhausted["data"]["details"]["attempts"] == 3
        assert disabled["data"]["details"]["reason"] == "asked"
        assert recovered["data"]["details"]["status"] == 204
        assert not [kind for kind in kinds(hook) if kind in {"failing", "exhausted", "disabled", "recovered"}]


async def test_w19_ten_failures_at_once_in_two_workers_are_told_once(redis: Redis, store_url: str) -> None:
    """W19: `failing` once however many find out; each delivery that is given up has its own `exhausted`."""
    options = {"hook": "retry: [], timeout: 30s, concurrency: 5", "ops": ""}
    async with (
        working(store_url, options, jobs=TEN, routes=NEWS) as work,
        working(store_url, options, jobs=TEN, routes=NEWS) as other,
    ):
        for one in (work, other):
            one.receivers["hook"].script([], then=Reply(status=500, delay=0.3))
        await work.change(*TEN)
        await work.services.consumer.relay.relay()
        await asyncio.gather(work.deliver(), other.deliver())
        assert sum(len(one.receivers["hook"].deliveries) for one in (work, other)) == 10
        await work.deliver("ops")
        assert sorted(kinds(work.receivers["ops"])) == ["exhausted"] * 10 + ["failing"]
        assert len({event["id"] for event in news(work.receivers["ops"])}) == 11


async def test_w19_ten_that_say_gone_disable_once(redis: Redis, store_url: str) -> None:
    """W19: one `disabled`, whichever of them was first."""
    async with working(store_url, {"hook": "", "ops": ""}, jobs=TEN, routes=NEWS) as work:
        work.receivers["hook"].script([], then=410)
        await work.change(*TEN)
        await work.deliver()
        await work.deliver("ops")
        assert kinds(work.receivers["ops"]).count("disabled") == 1


async def test_w20_news_that_is_given_up_makes_no_news(redis: Redis, store_url: str) -> None:
    """W20: two failing targets that hear of each other tell of the events they lost, not of lost news."""
    options = {"hook": "retry: []", "ops": "retry: []"}
    routes = "[{match: {type: ['worklayer.**', 'jobwire.target.*']}, to: [hook, ops]}]"
    async with working(store_url, options, routes=routes) as work:
        for receiver in work.receivers.values():
            receiver.script([], then=500)
        await work.change("a", "b", "c")
        for _ in range(4):
            for name in work.receivers:
                await work.deliver(name)
        heard = {name: sorted(kind for kind in kinds(one) if kind != "updated") for name, one in work.receivers.items()}
        assert heard == {name: [*["exhausted"] * 3, "failing"] for name in ("hook", "ops")}
        assert {one.status for one in await work.deliveries()} == {"failed"}


async def test_w19_an_attempt_recorded_twice_counts_once(redis: Redis, store_url: str) -> None:
    """W19: a record whose reply was lost is written again, and changes neither the list nor the count of failures."""
    async with working(store_url, {"hook": "retry: [1h, 1h]"}) as work:
        work.receivers["hook"].script([], then=500)
        await work.change("a")
        await work.services.consumer.relay.relay()
        lanes = work.services.store.lanes
        (lane,) = await lanes.claim("hook", lease_ms=60_000, limit=1, take=1)
        made = await work.services.consumer.deliverer.attempts.make(work.services.targets["hook"], lane)
        for _ in range(3):
            await lanes.settle("hook", [made.settled])
        (delivery,) = await work.deliveries()
        assert len(delivery.attempts) == 1
        assert (await work.state())["failures"] == "1"
        assert (await work.state())["retried"] == "1"


async def test_a_recovery_that_no_attempt_foresaw_is_told(redis: Redis, store_url: str) -> None:
    """A success that was under way when the target was said to fail."""
    async with working(store_url, {"hook": "retry: [1h]", "ops": ""}, jobs=TEN, routes=NEWS) as work:
        work.receivers["hook"].script([500, 500, 500, 204])
        await work.change(*TEN[:4])
        await work.services.consumer.relay.relay()
        deliverer, hook = work.services.consumer.deliverer, work.services.targets["hook"]
        lanes = await work.services.store.lanes.claim("hook", lease_ms=60_000, limit=4, take=1)
        made = [await deliverer.attempts.make(hook, lane) for lane in lanes]
        await deliverer._record(hook, made[:3])
        await deliverer._record(hook, made[3:])
        await work.deliver("ops")
        assert kinds(work.receivers["ops"]) == ["failing", "recovered"]


async def test_w18_five_days_of_nothing_but_failures_disable(redis: Redis, store_url: str) -> None:
    """W18: the first failure after five days, by the store's clock, disables the target and says since when."""
    async with working(store_url, {"hook": "retry: [1h, 1h, 1h]", "ops": ""}, routes=NEWS) as work:
        work.receivers["hook"].script([], then=500)
        await work.change("a")
        await work.deliver()
        await age(work, failing_since=5 * DAY_MS - 60_000, failed_at=DAY_MS)
        await work.due()
        await work.deliver()
        assert (await work.view()).state == "ok"
        await age(work, failing_since=5 * DAY_MS)
        await work.due()
        await work.deliver()
        await work.deliver("ops")

        assert (await work.view()).state == "disabled"
        assert kinds(work.receivers["ops"]) == ["failing", "disabled"]
        disabled = news(work.receivers["ops"])[1]
        assert disabled["data"]["details"]["reason"] == "failing"
        assert disabled["data"]["details"]["since"] < disabled["time"]


async def test_w18_one_success_in_between_prevents_it(redis: Redis, store_url: str) -> None:
    """W18: the clock begins anew with the failure after it."""
    async with working(store_url, {"hook": "retry: [1h, 1h, 1h]"}) as work:
        work.receivers["hook"].script([500, 204], then=500)
        await work.change("a")
        await work.deliver()
        await age(work, failing_since=6 * DAY_MS, failed_at=DAY_MS)
        await work.due()
        await work.deliver()
        await work.change("b")
        await work.deliver()
        await work.due()
        await work.deliver()
        assert (await work.view()).state == "ok"
        assert int((await work.state())["failing_since"]) > await work.services.store.db.now_ms() - DAY_MS


async def test_w18_failures_far_apart_do_not_add_up(redis: Redis, store_url: str) -> None:
    """W18: more than two days without an attempt are forgiven."""
    async with working(store_url, {"hook": "retry: [1h, 1h, 1h]"}) as work:
        work.receivers["hook"].script([], then=500)
        await work.change("a")
        await work.deliver()
        await age(work, failing_since=9 * DAY_MS, failed_at=2 * DAY_MS + 1000)
        await work.due()
        await work.deliver()
        assert (await work.view()).state == "ok"
        assert int((await work.state())["failing_since"]) > await work.services.store.db.now_ms() - DAY_MS


async def test_w17_what_waits_for_a_disabled_target_is_delivered_when_it_is_enabled(
    redis: Redis, store_url: str
) -> None:
    """W17: new events wait without a call; enabled again all arrive in order, and old failures are forgiven."""
    async with working(store_url, {"hook": "retry: [1h, 1h, 1h]"}) as work:
        receiver = work.receivers["hook"]
        receiver.script([500])
        await work.change("a")
        await work.deliver()
        await age(work, failing_since=6 * DAY_MS, failed_at=DAY_MS)
        await work.due()
        assert await work.services.store.switch.off("hook")
        assert not await work.services.store.switch.off("hook")
        await work.change("a", "b")
        assert await work.deliver() == 0
        assert (await work.view()).backlog == 3
        running = asyncio.create_task(work.services.consumer.run())
        assert await work.services.store.switch.on("hook")
        await receiver.wait_for(lambda seen: len(seen) == 4)
        work.services.stopping.set()
        await running
        of_a = [event["sequence"] for event in news(receiver) if event["data"]["resource"]["id"] == "a"]
        assert of_a == sorted(of_a)
        assert "failing_since" not in await work.state()
        assert (await work.view()).backlog == 0


async def test_a_lost_lease_gives_nothing_up(redis: Redis, store_url: str) -> None:
    """A failure for good that comes after another worker took over is recorded, and ends nothing."""
    async with working(store_url, {"hook": "retry: []"}) as work:
        work.receivers["hook"].script([500])
        await work.change("a")
        await work.services.consumer.relay.relay()
        lanes = work.services.store.lanes
        (late,) = await lanes.claim("hook", lease_ms=-1000, limit=1, take=1)
        made = await work.services.consumer.deliverer.attempts.make(work.services.targets["hook"], late)
        assert made.settled.verdict == "failed"
        (owner,) = await lanes.claim("hook", lease_ms=60_000, limit=1, take=1)
        await lanes.settle("hook", [made.settled])
        (delivery,) = await work.deliveries()
        assert (delivery.status, len(delivery.attempts)) == ("pending", 1)
        assert "jobwire.target.exhausted" not in await work.watch.told()
        await lanes.settle("hook", [Settled(owner, "retry", 0.0, ())])
        assert await work.deliver() == 1
        assert [one.status for one in await work.deliveries()] == ["delivered"]
