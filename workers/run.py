"""A worker process: the resident consumer, the bell, and ARQ, until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import structlog
from arq.connections import ArqRedis
from arq.worker import Worker
from redis.exceptions import RedisError

from monitor.bootstrap import Services, services
from monitor.errors import StoreUnavailable
from monitor.settings import Settings
from workers.bell import Bell
from workers.queue import make_worker, open_queue

_RESTART_SECONDS = 1.0
_LOOK_UP_THREADS = 64


async def run_worker(settings: Settings, store_url: str) -> None:
    """Work until SIGTERM or Ctrl-C: no new work then, deliveries in flight end, leases are handed back."""
    async with services(settings, store_url) as running:
        loop = asyncio.get_running_loop()
        # Names are looked up in threads: a few that hang must not keep all other targets waiting.
        loop.set_default_executor(ThreadPoolExecutor(_LOOK_UP_THREADS, "look-up"))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, running.stopping.set)
        structlog.get_logger().info(
            "worker.started", pid=os.getpid(), sources=len(running.sources), targets=len(running.targets)
        )
        await work(running, store_url)
        structlog.get_logger().info("worker.stopped")


async def work(running: Services, store_url: str) -> None:
    """Run the consumer, the bell and ARQ side by side until `stopping` is set."""
    for source in running.sources:
        await running.store.sources.try_again(source)
    consumer = asyncio.create_task(running.consumer.run())
    queue = asyncio.create_task(_keep_arq(running, store_url))
    try:
        await running.stopping.wait()
    finally:
        await _end(queue)
        await consumer


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel a task until it ends: Python 3.11 can lose a cancellation that meets an answer (gh-86296)."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=1.0)


async def _keep_arq(running: Services, store_url: str) -> None:
    """ARQ ends its worker on any Redis error, so it is started again for as long as we work."""
    while not running.stopping.is_set():
        try:
            await _arq(running, store_url)
        except (RedisError, StoreUnavailable, OSError) as error:
            structlog.get_logger().warning("queue.interrupted", error=str(error))
        except asyncio.CancelledError:
            # A cancelled job can end ARQ's loop with its own cancellation; ours is counted by the task.
            if running.stopping.is_set() or _cancelled():
                raise
        except Exception:  # noqa: BLE001 - whatever ends ARQ, the scans must go on
            structlog.get_logger().exception("queue.failed")
        await asyncio.sleep(_RESTART_SECONDS)


def _cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _arq(running: Services, store_url: str) -> None:
    queue = open_queue(running, store_url)
    worker = make_worker(running, queue)
    bell = asyncio.create_task(Bell(running, queue).ring_until(running.stopping))
    try:
        await worker.async_run()
    finally:
        bell.cancel()
        await _close(worker, queue)


async def _close(worker: Worker, queue: ArqRedis) -> None:
    """End a worker's jobs and connections. ARQ's own `close` warns of itself on redis-py 5."""
    tasks = [task for task in (worker.main_task, *worker.tasks.values()) if task is not None]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    with suppress(RedisError, OSError):
        await queue.delete(worker.health_check_key)
        await queue.aclose(close_connection_pool=True)
