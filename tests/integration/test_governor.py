"""One budget for each credential: shared by workers, fair between sources, and it hears what providers ask for."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from redis.asyncio import Redis

from monitor.clock import Clock
from monitor.errors import ProviderThrottled
from monitor.http.pace import Pace
from monitor.simulator import Simulator
from monitor.simulator.limits import Windows
from monitor.simulator.server import Call
from monitor.store.db import Db
from monitor.store.governor import Budget, SharedGovernor
from monitor.store.keys import Keys
from tests.installation import Hands, Installation, installed
from tests.integration.sharing import Desk, office, read
from tests.stores import until

ROOT = Path(__file__).resolve().parents[2]
BUDGET = "jobwire:budget:c1"


async def test_p29_two_workers_keep_one_rate(redis: Redis, store_url: str) -> None:
    """P29: `rate: 50/s` is the credential's: two callers with their own connections send 50 a second together."""
    desk = Desk()
    async with office(store_url, desk) as place:
        started = time.monotonic()
        await asyncio.gather(
            *(place.send(place.caller(name, Budget(50.0, 4)), name, 15) for name in ("first", "second"))
        )
    assert len(desk.times) == 30
    for number, at in enumerate(desk.times):
        assert at - started >= number * 0.02 - 0.001


async def test_p29_a_source_with_many_requests_starves_none_with_few(redis: Redis, store_url: str) -> None:
    """P29: turns are taken in order: one request at a time gets as many turns as eight at a time."""
    desk = Desk()
    async with office(store_url, desk) as place:
        greedy = place.caller("greedy", Budget(50.0, 8), concurrency=8)
        modest = place.caller("modest", Budget(50.0, 8), concurrency=1)
        flood = asyncio.create_task(place.send(greedy, "greedy", 40))
        await until(lambda: len(desk.asked) > 2)
        before = len(desk.asked)
        for _ in range(10):
            await modest.run(read(f"{place.url}/modest"))
        between = [name for name, _ in desk.asked[before:]]
        flood.cancel()
        await asyncio.wait([flood])
    assert between.count("modest") == 10
    # One by one on a quiet machine; eight to one if turns went to whoever asks most.
    assert between.count("greedy") <= 25


async def test_p29_requests_in_flight_are_counted_for_all_workers(redis: Redis, store_url: str) -> None:
    """P29: `concurrency: 2` holds for the credential, not for each of three workers, and all of them get on."""
    desk = Desk(seconds=0.02)
    async with office(store_url, desk) as place:
        callers = {name: place.caller(name, Budget(None, 2)) for name in ("a", "b", "c")}
        await asyncio.gather(*(place.send(caller, name, 12) for name, caller in callers.items()))
    assert len(desk.asked) == 36
    assert desk.most <= 2
    first_half = [name for name, _ in desk.asked[:18]]
    assert all(first_half.count(name) >= 3 for name in "abc")


async def test_p29_processes_share_a_budget_too(redis: Redis, store_url: str) -> None:
    """P29: two real processes, one credential: never more than two requests at once, never above the rate."""
    desk = Desk(seconds=0.01)
    async with office(store_url, desk) as place:
        workers = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.integration.sharing", store_url, place.url, name, "12", "40", "2", cwd=ROOT
            )
            for name in ("first", "second")
        ]
        assert [await worker.wait() for worker in workers] == [0, 0]
    assert {name for name, _ in desk.asked} == {"first", "second"}
    assert desk.most <= 2
    # Each for itself they would take half of this.
    assert desk.times[-1] - desk.times[0] >= 23 * 0.025 - 0.15


async def test_a_caller_alone_asks_the_store_now_and_then_and_not_at_every_request(
    redis: Redis, store_url: str
) -> None:
    """With nobody to share with and nothing to count, a hundred requests cost a few questions."""
    desk = Desk()
    async with office(store_url, desk) as place:
        caller = place.caller("alone", Budget(None, 2))
        calls = Counting(place.db)
        place.governors[0]._db = calls
        for _ in range(100):
            await caller.run(read(f"{place.url}/alone"))
        spent = desk.times[-1] - desk.times[0]
    assert calls.made <= 4 + spent / 0.05


class Counting(Db):
    """A door that counts what goes through it."""

    def __init__(self, door: Db) -> None:
        super().__init__(door.client, door.keys)
        self.made = 0

    async def script(self, name: str, keys: Any, args: Any) -> Any:
        self.made += 1
        return await super().script(name, keys, args)


async def test_concurrency_falls_at_trouble_and_rises_while_all_is_well(redis: Redis, store_url: str) -> None:
    """Halved by a 503, once however many come at the same time, never below one; a tenth more for each good answer."""
    bad = iter([True] * 4)
    desk = Desk(seconds=0.01)
    desk.answer = lambda: web.Response(status=503 if next(bad, False) else 200, headers={"retry-after": "0"})
    async with office(store_url, desk) as place:
        caller = place.caller("a", Budget(None, 8))
        assert await place.send(caller, "a", 12) == [200] * 12
        fallen = float((await stored(redis))[b"allowed"])
        assert 4 <= fallen < 8
        desk.most = 0
        await place.send(caller, "a", 5)
        assert desk.most <= 5
        for _ in range(6):
            await place.send(caller, "a", 10)
        await until_async(redis, lambda state: b"allowed" not in state)


async def test_a_timeout_is_trouble_too(redis: Redis, store_url: str) -> None:
    """A provider that is too slow is asked less at once."""
    desk = Desk(seconds=5)
    async with office(store_url, desk) as place:
        governor = SharedGovernor(place.db, "c1", "a", Budget(None, 4), Pace(None, Clock()), Clock())
        place.governors.append(governor)
        await governor.acquire()
        governor.observe("bad")
        await until_async(redis, lambda state: state.get(b"allowed") == b"2.000")


async def stored(redis: Redis, key: bytes | str = BUDGET) -> dict[bytes, bytes]:
    """A budget as it is stored."""
    found: dict[bytes, bytes] = await redis.execute_command("HGETALL", key)  # type: ignore[no-untyped-call]
    return found


async def until_async(redis: Redis, condition: Callable[[dict[bytes, bytes]], bool]) -> None:
    """Returns as soon as the stored budget is as the condition wants it."""
    async with asyncio.timeout(60):
        while not condition(await stored(redis)):
            await asyncio.sleep(0.01)


async def test_what_a_dead_worker_held_is_free_after_a_second(redis: Redis, store_url: str) -> None:
    """Its requests in flight and its place in the queue lapse; nobody has to clean up."""
    async with office(store_url, Desk()) as place:
        dead = place.caller("dead", Budget(None, 1))
        await place.governors[0].acquire()
        keeper = place.governors[0]._keeper
        assert keeper is not None
        keeper.cancel()
        place.governors[0]._db = Gone(place.db)
        started = time.monotonic()
        ghost = ("HSET", BUDGET, "waits ghost", f"0 {(time.time() + 0.5) * 1000:.3f}")
        await redis.execute_command(*ghost)  # type: ignore[no-untyped-call]  # redis-py is untyped here
        assert await place.send(place.caller("alive", Budget(None, 1)), "alive", 1) == [200]
        assert 0.3 < time.monotonic() - started < 30.0
        assert dead.stats.requests == 0


class Gone(Db):
    """A door that leads nowhere any more."""

    def __init__(self, door: Db) -> None:
        super().__init__(Redis.from_url("redis://127.0.0.1:1/0"), door.keys)


async def test_without_the_store_the_local_pace_decides(caplog: pytest.LogCaptureFixture) -> None:
    """Scans go on at the configured rate, and pauses still count for this process."""
    db = Db(Redis.from_url("redis://127.0.0.1:1/0"), Keys("t"))
    clock = Clock()
    governor = SharedGovernor(db, "c1", "a", Budget(50.0, 2), Pace(50.0, clock), clock)
    started = time.monotonic()
    for _ in range(6):
        await governor.acquire()
        governor.observe("good")
    assert 0.09 <= time.monotonic() - started < 30.0
    await governor.pause(300)
    with pytest.raises(ProviderThrottled) as caught:
        await governor.acquire()
    assert caught.value.retry_after == pytest.approx(300, abs=5)
    await governor.close()
    await db.close()


# ------------------------------------------------------------------------------------- whole scans


CONFIG = """
sources:
  one:   {{provider: devrev, base_url: "{url}", token: "{token}", every: 60s{options}}}
  two:   {{provider: devrev, base_url: "{url}", token: "{token}", every: 60s, limit: 7{options}}}
  other: {{provider: bindbee, base_url: "{other.base_url}", token: "{other.token}", every: 60s,
           connector_token: "{other.connector_token}"}}
"""


@asynccontextmanager
async def workers(sim: Simulator, store_url: str, options: str = "") -> AsyncIterator[list[Installation]]:
    """Two workers on one config: sources `one` and `two` have the same credentials, `other` has not."""
    config = CONFIG.format(
        url=sim.devrev.base_url, token=sim.devrev.token, other=sim.bindbee, options=f", {options}" if options else ""
    )
    hands = Hands(datetime.now(UTC))
    async with installed(store_url, config, hands) as first, installed(store_url, config, hands) as second:
        yield [first, second]


class Times:
    """When a stand-in was asked for a list."""

    def __init__(self) -> None:
        self.at: list[float] = []

    def __call__(self, call: Call, page: int) -> None:
        self.at.append(time.monotonic())


SILENT = {"type": "too_many_requests"}
FORMS: dict[str, dict[str, Any]] = {
    "seconds": {"retry_after": 1, "body": SILENT},
    "a fraction": {"retry_after": 1.2, "body": SILENT},
    "a date": {"retry_after_date": 2.5, "body": SILENT},
    "the body": {"body": {"type": "too_many_requests", "retry_after": 1.1}},
}


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", FORMS)
async def test_p29_a_wait_holds_all_scans_of_the_credential_in_all_workers(
    form: str, status: int, redis: Redis, store_url: str
) -> None:
    """P29: said as seconds, fraction, date or in the body: the other source in the other worker waits as well, and a
    third with other credentials does not. It uses up no retry, and every scan ends complete."""
    async with Simulator(seed=3, population=20) as sim, workers(sim, store_url) as (first, second):
        for name in ("one", "two", "other"):
            await first.scan(name)
        second.slots = first.slots
        times = sim.devrev.on_call = Times()
        fault = sim.devrev.fault(status=status, **FORMS[form])
        waiting = asyncio.create_task(first.scan("one"))
        await until(lambda: fault.hits == 1)
        assert len(await until_paused(redis)) == 1
        assert (await second.scan("other")).reason is None
        reports = [await second.scan("two"), await waiting]
        assert [report.reason for report in reports] == [None, None]
        held = second.services.sources["two"].runner
        waits = (held.stats.waits, held.stats.retries)  # type: ignore[attr-defined]  # the product's own caller
    asked = times.at
    assert min(later - asked[0] for later in asked[1:]) >= 0.98
    assert waits == (0, 0)


async def until_paused(redis: Redis) -> list[bytes]:
    """The budgets that are paused, as soon as some credential is."""
    async with asyncio.timeout(60):
        while not (paused := [key for key in await redis.keys("*:budget:*") if b"paused" in await stored(redis, key)]):
            await asyncio.sleep(0.005)
    return paused


async def test_p29_a_wait_longer_than_a_minute_ends_the_scans_and_removes_nothing(redis: Redis, store_url: str) -> None:
    """P29: the scan that hears it and the next of that credential end as throttled until then, without another request;
    leases are given back, nothing is removed, and another credential is asked as ever."""
    async with Simulator(seed=3, population=20) as sim, workers(sim, store_url) as (first, second):
        for name in ("one", "two", "other"):
            await first.scan(name)
        second.slots = first.slots
        sizes = [await first.services.store.items.size(name) for name in ("one", "two")]
        sim.devrev.fault(status=429, retry_after=300, page=1)
        reports = [await first.scan("one"), await second.scan("two")]
        asked = len(sim.devrev.requests)
        states = [await first.services.store.sources.state(name) for name in ("one", "two")]
        now_ms = await first.services.store.db.now_ms()
        assert [report.reason for report in reports] == ["throttled", "throttled"]
        assert [int(state["paused_until"]) - now_ms for state in states] == pytest.approx([300_000] * 2, abs=60_000)
        assert [await first.services.store.sources.running(name) for name in ("one", "two")] == [False, False]
        assert (await second.scan("other")).reason is None
        again = await second.services.scanner.scan(second.services.sources["two"], 99, force=True)
        assert again.reason == "throttled"
        assert "asked these credentials to wait" in (again.error or "")
        assert len(sim.devrev.requests) == asked
        assert [await first.services.store.items.size(name) for name in ("one", "two")] == sizes
        assert not [event for event in await first.news() if event["type"].endswith(".removed")]


async def test_p29_a_quota_is_spent_slowly_at_its_end_and_never_overdrawn(redis: Redis, store_url: str) -> None:
    """P29: what X-RateLimit says is left counts for both workers: more requests than a window allows, and no 429."""
    async with Simulator(seed=3, population=6) as sim, workers(sim, store_url) as (first, second):
        sim.devrev.limits = Windows(6, 1.0)
        times = sim.devrev.on_call = Times()

        async def scan(worker: Installation, name: str) -> None:
            for _ in range(4):
                assert (await worker.scan(name)).reason is None

        await asyncio.gather(scan(first, "one"), scan(second, "two"))
        assert {seen.status for seen in sim.devrev.requests} == {200}
    assert len(times.at) >= 8
    assert max(later - earlier for earlier, later in pairwise(times.at)) < 30


async def test_p29_rejected_credentials_pause_their_source_and_are_told_once(redis: Redis, store_url: str) -> None:
    """P29: 401 and 403 are told at once and only once, and nobody asks again for fifteen minutes."""
    async with Simulator(seed=3, population=6) as sim, workers(sim, store_url) as (first, second):
        await first.scan("one")
        await first.news()
        for status in (401, 403):
            sim.devrev.fault(status=status)
            assert (await first.scan("one")).reason == "credentials_rejected"
            asked = len(sim.devrev.requests)
            second.slots = first.slots
            assert (await second.scan("one")).refused == "paused"
            assert len(sim.devrev.requests) == asked
            await first.services.store.sources.try_again("one")
            first.slots = second.slots
        assert await first.told() == ["jobwire.source.credentials_rejected"]
        assert (await first.scan("one")).reason is None
        assert await first.told() == ["jobwire.source.recovered"]


async def test_the_store_never_sees_a_credential(redis: Redis, store_url: str) -> None:
    """Keys are named by a hash, and nothing in any of them holds the token."""
    async with Simulator(seed=3, population=6) as sim, workers(sim, store_url) as (first, _):
        for name in ("one", "two", "other"):
            await first.scan(name)
        budgets = [key for key in await redis.keys("*") if b":budget:" in key]
        assert len(budgets) == 2
        for key in await redis.keys("*"):
            dump = key + (await redis.dump(key) or b"")
            assert sim.devrev.token.encode() not in dump
            assert sim.bindbee.connector_token.encode() not in dump


async def test_waits_are_counted(redis: Redis, store_url: str) -> None:
    """Seconds spent waiting for a turn stand in the caller's figures, also when another worker's 429 was the cause."""
    async with office(store_url, Desk()) as place:
        one, two = place.caller("one", Budget(None, 2)), place.caller("two", Budget(None, 2))
        await place.send(one, "one", 1)
        await place.governors[0].pause(1.0)
        await place.send(two, "two", 1)
    assert 0.1 < two.stats.waited < 30
    assert two.stats.waits == 0
