"""A receiver that cannot be reached: one delivery at a time looks whether it is back, the others wait unspent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from redis.asyncio import Redis

from monitor.exchange import Exchange
from monitor.simulator import Delivery, Reply
from monitor.targets.base import Message, Outcome
from tests.integration.pipeline.delivering import Work, told, working

JOBS = tuple(f"j{number}" for number in range(8))
SLOW_RETRY = "retry: [1h, 1h, 1h], timeout: 5s"


@asynccontextmanager
async def down(store_url: str, targets: dict[str, str] | None = None) -> AsyncIterator[Work]:
    """Eight jobs have changed while nobody listens at the target, and each was tried once."""
    async with working(store_url, targets or {"hook": SLOW_RETRY}, jobs=JOBS) as work:
        await work.receivers["hook"].stop()
        await work.change(*JOBS)
        assert await work.deliver() == len(JOBS)
        yield work


async def test_a_receiver_that_is_down_opens_the_circuit(redis: Redis, store_url: str) -> None:
    """After failures in several lanes: what comes then waits without an attempt, and the state says why."""
    async with down(store_url) as work:
        view = await work.view()
        assert (view.state, view.circuit, view.backlog) == ("failing", "open", 8)
        await work.change("j0", "j1")
        await work.due()
        assert await work.deliver() == 0
        assert {len(one.attempts) for one in await work.deliveries()} == {0, 1}
        assert {one.attempts[0].error for one in await work.deliveries() if one.attempts} != {None}


async def test_one_lane_at_a_time_probes_at_growing_intervals(redis: Redis, store_url: str) -> None:
    """Each probe that fails doubles the wait, within a fifth, up to a minute; nobody else spends an attempt."""
    async with down(store_url) as work:
        now_ms = work.services.store.db.now_ms
        for number in range(1, 9):
            before = await now_ms()
            await work.due(probe=True)
            assert await work.deliver() == 1
            wait, usual = int((await work.state())["probe_at"]), min(60_000, 1000 * 2**number)
            assert before + 0.8 * usual <= wait <= await now_ms() + 1.2 * usual
            assert await redis.zscore("jobwire:due", "hook") == wait
        assert sum(len(one.attempts) for one in await work.deliveries()) == 8 + 8


async def test_probes_take_turns_among_the_lanes(redis: Redis, store_url: str) -> None:
    """A delivery that was a probe waits for its own retry; the next probe is another one."""
    async with down(store_url) as work:
        await work.due()
        for _ in JOBS:
            await work.services.store.db.run("HSET", "jobwire:target:hook", "probe_at", 1)
            assert await work.deliver() == 1
        assert {len(one.attempts) for one in await work.deliveries()} == {2}


async def test_a_success_closes_it_and_the_rest_follows_at_once(redis: Redis, store_url: str) -> None:
    """The first probe that arrives lets everything go that is due."""
    async with down(store_url) as work:
        await work.receivers["hook"].start()
        await work.due(probe=True)
        assert await work.deliver() == 8
        view = await work.view()
        assert (view.state, view.circuit, view.backlog) == ("ok", "closed", 0)
        assert {len(one.attempts) for one in await work.deliveries()} == {2}


async def test_a_refusal_is_an_answer(redis: Redis, store_url: str) -> None:
    """A 500 shows that the receiver is there: it closes the circuit and never opens it."""
    async with down(store_url) as work:
        receiver = work.receivers["hook"]
        receiver.script([], then=500)
        await receiver.start()
        await work.due(probe=True)
        await work.deliver()
        assert (await work.view()).circuit == "closed"
        assert len(receiver.deliveries) == 8


async def test_a_gateway_without_a_receiver_is_none(redis: Redis, store_url: str) -> None:
    """502 and 504 are what a proxy says when nobody is behind it."""
    async with working(store_url, {"hook": SLOW_RETRY}, jobs=JOBS) as work:
        work.receivers["hook"].script([502, 504, 502, 504, 502, 504, 502, 504])
        await work.change(*JOBS)
        await work.deliver()
        assert (await work.view()).circuit == "open"


async def test_one_resource_in_trouble_holds_up_no_other(redis: Redis, store_url: str) -> None:
    """However often the connection breaks over one job, the others' deliveries go out at once."""
    async with working(store_url, {"hook": f"retry: [{', '.join(['1h'] * 20)}]"}, jobs=JOBS) as work:
        receiver = work.receivers["hook"]
        receiver.decide = lambda seen: Reply(reset=True) if b"tax/job/j0" in seen.body else None
        await work.change("j0")
        for _ in range(12):
            await work.due()
            assert await work.deliver() == 1
        assert (await work.view()).circuit == "closed"
        await work.change("j1")
        await work.deliver()
        assert told(receiver)[-1] == ("j1", "updated")


async def test_while_one_looks_nobody_else_does(redis: Redis, store_url: str) -> None:
    """Half open: a probe in flight keeps every worker's lanes back, and shows."""
    async with down(store_url) as work:
        receiver = work.receivers["hook"]
        receiver.script([Reply(delay=30.0)])
        await receiver.start()
        await work.due(probe=True)
        probing = asyncio.create_task(work.deliver())
        await receiver.wait_for(lambda seen: len(seen) == 1)
        assert (await work.view()).circuit == "half_open"
        assert await work.deliver() == 0
        probing.cancel()
        await asyncio.gather(probing, return_exceptions=True)
        assert (await work.view()).circuit == "open"
        assert await work.deliver() == 8


async def test_a_probe_whose_worker_died_is_made_again(redis: Redis, store_url: str) -> None:
    """The next one is due when the lease of the lost one lapses."""
    async with down(store_url) as work:
        await work.due(probe=True)
        (lost,) = await work.services.store.lanes.claim("hook", lease_ms=60_000, limit=8, take=1)
        assert int((await work.state())["probe_at"]) == int(lost.fence)
        assert await work.services.store.lanes.claim("hook", lease_ms=60_000, limit=8, take=1) == []
        await work.receivers["hook"].start()
        await work.due(probe=True)
        assert await work.deliver() == 8
        assert (await work.view()).circuit == "closed"


async def test_what_a_receiver_asked_for_is_not_undercut_by_a_probe(redis: Redis, store_url: str) -> None:
    """A probe that is answered 503 with Retry-After: nothing before that time, whatever the circuit says."""
    async with down(store_url) as work:
        receiver = work.receivers["hook"]
        receiver.script([Reply(status=503, headers={"Retry-After": "600"})])
        await receiver.start()
        await work.due(probe=True)
        assert await work.deliver() == 1
        await work.due(probe=True)
        assert await work.deliver() == 0
        assert 590_000 < await redis.pttl("jobwire:hold:hook") <= 600_000
        assert (await work.view()).circuit == "open"


async def test_a_dead_target_delays_only_itself(redis: Redis, store_url: str) -> None:
    """One target refuses, one never answers: the third gets everything, and both others get it when they are back."""
    hung = asyncio.Event()
    targets = {"hook": SLOW_RETRY, "dead": "retry: [100ms, 100ms, 100ms]", "hung": "timeout: 60s, concurrency: 4"}
    routes = "[{match: {type: 'worklayer.**'}, to: [hook, dead, hung]}]"
    async with working(store_url, targets, jobs=JOBS, routes=routes) as work:
        await work.receivers["dead"].stop()

        def hang(_: Delivery) -> Reply:
            hung.set()
            return Reply(delay=60.0)

        work.receivers["hung"].decide = hang
        running = asyncio.create_task(work.services.consumer.run())
        for _ in range(5):
            await work.change(*JOBS)
        await work.receivers["hook"].wait_for(lambda seen: len(seen) == 40, timeout=30)
        await asyncio.wait_for(hung.wait(), 10)
        assert {one.status for one in await work.deliveries()} <= {"delivered", "pending"}
        await work.receivers["dead"].start()
        await work.due(probe=True, target="dead")
        await work.receivers["dead"].wait_for(lambda seen: len({one.id for one in seen}) == 40, timeout=30)
        work.services.stopping.set()
        for pump in list(work.services.consumer._pumps.values()):
            pump.task.cancel()
        await running


async def test_the_consumer_finds_a_receiver_that_is_back_by_itself(redis: Redis, store_url: str) -> None:
    """Without anything new to send: the probe's time wakes it."""
    async with working(store_url, {"hook": "retry: [100ms, 1s, 1s, 1s, 1s, 1s, 1s, 1s]"}, jobs=JOBS) as work:
        await work.receivers["hook"].stop()
        running = asyncio.create_task(work.services.consumer.run())
        await work.change(*JOBS)
        async with asyncio.timeout(20):
            while (await work.view()).circuit == "closed":
                await asyncio.sleep(0.01)
        await work.receivers["hook"].start()
        await work.receivers["hook"].wait_for(lambda seen: len(seen) >= 8, timeout=30)
        work.services.stopping.set()
        await running
        assert (await work.view()).circuit == "closed"


async def test_a_message_that_cannot_be_made_says_nothing_about_the_receiver(redis: Redis, store_url: str) -> None:
    """It neither opens the circuit nor closes it, and is tried again like any other."""
    async with down(store_url) as work:
        hook = work.services.targets["hook"]
        broken = replace(hook, target=Broken())
        await work.due(probe=True)
        assert await work.services.consumer.deliverer.deliver(broken) == 1
        assert (await work.view()).circuit == "open"
        assert [one.error for delivery in await work.deliveries() for one in delivery.attempts if one.n == 2] == [
            "internal error: ZeroDivisionError"
        ]


class Broken:
    """A target whose messages cannot be made."""

    grouped = False

    def send(self, _: Message) -> Exchange[Outcome]:
        raise ZeroDivisionError

    def address(self) -> str:
        return "nowhere"
