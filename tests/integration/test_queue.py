"""ARQ rings bells and keeps no books: what it loses, doubles or delays costs latency and nothing else (docs/arq.md)."""

from __future__ import annotations

import asyncio
import inspect
import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from arq.connections import ArqRedis
from arq.worker import Worker
from redis.asyncio import Redis

from monitor.store.totals import Totals
from tests.installation import Hands, Installation, installed, listing
from tests.stores import until
from workers.bell import Bell
from workers.queue import MAX_JOBS, QUEUE_READ_LIMIT, functions, make_worker, open_queue
from workers.run import work


@asynccontextmanager
async def watching(
    store_url: str, every: str = "1s", hands: Hands | None = None
) -> AsyncIterator[tuple[Installation, list[str]]]:
    """A Worklayer source with one job; the requests it gets."""
    asked: list[str] = []

    def body(request: web.Request) -> dict[str, Any]:
        asked.append(request.path)
        return {"data": [{"id": "j", "status": "UNCLAIMED"}], "next_page_token": ""}

    async with listing(body) as (url, _):
        config = f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t, every: {every}}}}}\n'
        async with installed(store_url, config, hands) as watch:
            yield watch, asked


class StumblingQueue:
    """A queue whose first answer is an error that nobody foresaw."""

    def __init__(self, queue: ArqRedis) -> None:
        self._queue = queue
        self._stumbled = False

    async def enqueue_job(self, *args: Any, **options: Any) -> Any:
        """Fail once, then enqueue."""
        if not self._stumbled:
            self._stumbled = True
            raise TypeError("nobody foresaw this")
        return await self._queue.enqueue_job(*args, **options)


async def test_a_slot_is_scanned_once_however_often_it_is_enqueued(redis: Redis, store_url: str) -> None:
    """P22: the same slot again, at once or after it was done, is refused by the store's books (ARQ 1, 2, 8)."""
    async with watching(store_url) as (watch, asked):
        scanner, source = watch.services.scanner, watch.services.sources["tax"]
        slot = await watch.services.timetable.current_slot("tax")
        reports = await asyncio.gather(*(scanner.scan(source, slot) for _ in range(5)))
        again = await scanner.scan(source, slot)

        assert sorted(report.refused or "made" for report in reports) == ["made", *["running"] * 4]
        assert again.refused == "done"
        assert len(asked) == 1


async def test_missed_slots_are_one_scan(redis: Redis, store_url: str) -> None:
    """P30: after a long silence one scan is due, for the latest slot, and the missed ones are counted."""
    async with watching(store_url) as (watch, _):
        now = await watch.services.store.db.now_ms()
        await watch.services.store.db.run("HSET", "jobwire:source:tax", "slot", str((now // 1000 - 60) * 1000))
        (due,) = await watch.services.timetable.due()

        assert 58 <= due.missed <= 61
        report = await watch.services.scanner.scan(watch.services.sources["tax"], due.slot)
        assert (report.refused, report.tally.missed) == (None, due.missed)
        (totals,) = await Totals(watch.services.store.db).scans(["tax"])
        assert totals.sums["missed"] == due.missed
        assert [one.slot > due.slot for one in await watch.services.timetable.due()] in ([], [True])


async def test_a_source_that_is_running_or_paused_is_not_due(redis: Redis, store_url: str) -> None:
    """P30: overlap is skipped, and a pause that the provider asked for is kept by every worker."""
    async with watching(store_url) as (watch, _):
        assert [due.source for due in await watch.services.timetable.due()] == ["tax"]
        await redis.set("jobwire:lease:tax", "1:somebody")
        assert await watch.services.timetable.due() == []
        await redis.delete("jobwire:lease:tax")
        await watch.services.store.db.run(
            "HSET", "jobwire:source:tax", "paused_until", str(await watch.services.store.db.now_ms() + 60_000)
        )
        assert await watch.services.timetable.due() == []


async def test_many_bells_enqueue_one_job(redis: Redis, store_url: str) -> None:
    """All workers ring for the same slot; its job has one name, so one is enqueued (ARQ 2)."""
    async with watching(store_url, every="1h") as (watch, _):
        queue = open_queue(watch.services, store_url)
        try:
            await asyncio.gather(*(Bell(watch.services, queue).ring() for _ in range(5)))

            names = [name.decode() for name in await redis.zrange("jobwire:arq:queue", 0, -1)]
            assert len([name for name in names if ":tax:" in name]) == 1
        finally:
            await queue.aclose(close_connection_pool=True)


async def test_a_job_whose_bell_was_lost_is_rung_again(redis: Redis, store_url: str) -> None:
    """A dead worker's claim has grown the epoch: the next bell has another name, so ARQ does not hold it up (ARQ 3)."""
    async with watching(store_url, every="1h") as (watch, _):
        queue = open_queue(watch.services, store_url)
        try:
            bell = Bell(watch.services, queue)
            await bell.ring()
            lease = await watch.services.store.sources.claim("tax", owner="dead", slot=1, ttl_ms=60_000)
            assert not isinstance(lease, str)
            await redis.delete("jobwire:lease:tax")
            await bell.ring()

            names = [name.decode() for name in await redis.zrange("jobwire:arq:queue", 0, -1)]
            assert len([name for name in names if ":tax:" in name]) == 2
        finally:
            await queue.aclose(close_connection_pool=True)


async def test_the_bell_goes_on_after_whatever_goes_wrong(redis: Redis, store_url: str) -> None:
    """P30: one look at the timetable that fails in here is logged, and the next one enqueues what is due."""
    async with watching(store_url, every="1h") as (watch, _):
        queue = open_queue(watch.services, store_url)
        stopping = asyncio.Event()
        try:
            bell = Bell(watch.services, StumblingQueue(queue))  # type: ignore[arg-type]  # a queue that fails once
            ringing = asyncio.create_task(bell.ring_until(stopping))

            async with asyncio.timeout(60):
                while not any(b":tax:" in name for name in await redis.zrange("jobwire:arq:queue", 0, -1)):
                    await asyncio.sleep(0.02)
            stopping.set()
            await ringing
        finally:
            await queue.aclose(close_connection_pool=True)


async def test_nothing_in_the_queue_is_pickled(redis: Redis, store_url: str) -> None:
    """A job in Redis is JSON: whoever can write there cannot make a worker run code."""
    async with watching(store_url, every="1h") as (watch, _):
        queue = open_queue(watch.services, store_url)
        try:
            await Bell(watch.services, queue).ring()
            (name,) = [key async for key in redis.scan_iter("arq:job:*tax*")]
            stored = await redis.get(name)

            assert stored is not None
            assert stored.startswith(b"{")
            with pytest.raises(pickle.UnpicklingError):
                pickle.loads(stored)  # noqa: S301 - to show that it is none
        finally:
            await queue.aclose(close_connection_pool=True)


async def test_every_setting_is_one_that_arq_knows(redis: Redis, store_url: str) -> None:
    """ARQ drops settings that it does not know without a word; results are never kept, and retries are allowed."""
    async with watching(store_url) as (watch, _):
        worker = make_worker(watch.services, open_queue(watch.services, store_url))
        known = inspect.signature(Worker).parameters

        assert {"queue_read_limit", "health_check_key", "job_serializer", "keep_result"} <= set(known)
        assert (worker.keep_result_s, worker.queue_read_limit) == (0, QUEUE_READ_LIMIT)
        assert QUEUE_READ_LIMIT >= 2 * MAX_JOBS
        assert all(task.keep_result_s == 0 and (task.max_tries or 0) > 1 for task in functions())
        assert worker.cron_jobs == []
        await worker.pool.aclose(close_connection_pool=True)


async def test_a_worker_scans_by_itself_and_stops_cleanly(redis: Redis, store_url: str) -> None:
    """Bell, queue and scan work together: slots are scanned as they come, and a stop leaves no lease (ARQ 4, 7)."""
    async with watching(store_url) as (watch, asked):
        running = asyncio.create_task(work(watch.services, store_url))
        await until(lambda: len(asked) >= 3)
        watch.services.stopping.set()
        await asyncio.wait_for(running, 60)

        assert await redis.exists("jobwire:lease:tax") == 0


async def test_the_worker_outlives_its_store(redis: Redis, store_url: str) -> None:
    """ARQ ends on any Redis error; ours starts it again, and the scans go on (connections killed by the server)."""
    async with watching(store_url) as (watch, asked):
        running = asyncio.create_task(work(watch.services, store_url))
        await until(lambda: len(asked) >= 1)
        await watch.services.store.db.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        before = len(asked)
        await until(lambda: len(asked) >= before + 2)
        watch.services.stopping.set()
        await asyncio.wait_for(running, 60)
