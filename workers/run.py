"""A worker process: the resident consumer, the bell, and ARQ, until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import structlog
from arq.connections import ArqRedis
from arq.worker import Worker
from redis.exceptions import RedisError

from monitor.bootstrap import Services, services
from monitor.errors import StoreUnavailable
from monitor.settings import ConfigWatch, Settings
from workers.bell import Bell
from workers.heart import Heart
from workers.queue import make_worker, open_queue

_RESTART_SECONDS = 1.0
_LOOK_UP_THREADS = 64


async def run_worker(settings: Settings, store_url: str, config: ConfigWatch | None = None) -> None:
    """Work until SIGTERM or Ctrl-C: no new work then, deliveries in flight end, leases are handed back.

    Each new config that `config` finds takes the place of the one before in the same way: what is in flight ends
    under the old one, and only then the new one begins.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Names are looked up in threads: a few that hang must not keep all other targets waiting.
    loop.set_default_executor(ThreadPoolExecutor(_LOOK_UP_THREADS, "look-up"))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if config is not None:
        loop.add_signal_handler(signal.SIGHUP, _hung_up, config.asked, stop, os.isatty(0))
    before: Settings | None = None
    now: Settings | None = settings
    while now is not None:
        async with _opened(now, store_url, stop if before else None) as running:
            if running is None:
                break
            _say_started(running, before)
            news = await _period(running, store_url, stop, config, changed_sources(before, now))
        before, now = now, news
    structlog.get_logger().info("worker.stopped")


def _hung_up(asked: asyncio.Event, stop: asyncio.Event, had_terminal: bool) -> None:
    """SIGHUP asks for the config to be read anew, unless it says that the terminal we were started at is closed."""
    (stop if had_terminal and not os.isatty(0) else asked).set()


def changed_sources(before: Settings | None, now: Settings) -> list[str]:
    """The sources that are new or other than they were under the config before; all where there was none."""
    known = before.sources if before else {}
    return [name for name, source in now.sources.items() if known.get(name) != source]


@asynccontextmanager
async def _opened(settings: Settings, store_url: str, stop: asyncio.Event | None) -> AsyncIterator[Services | None]:
    """Everything wired; with `stop`, an outage of the store is waited out until then, and None says that it came."""
    async with AsyncExitStack() as stack:
        running: Services | None = None
        while running is None and not (stop and stop.is_set()):
            try:
                running = await stack.enter_async_context(services(settings, store_url))
            except StoreUnavailable as error:
                if stop is None:
                    raise
                structlog.get_logger().warning("worker.store_unavailable", error=str(error))
                await asyncio.sleep(_RESTART_SECONDS)
        yield running


def _say_started(running: Services, before: Settings | None) -> None:
    now, log = running.settings, structlog.get_logger()
    facts = {"pid": os.getpid(), "sources": len(now.sources), "targets": len(now.targets)}
    if before is None:
        log.info("worker.started", **facts)
        return
    changed = changed_sources(before, now)
    gone = [name for name in before.sources if name not in now.sources]
    log.info("config.taken", **facts, changed_sources=changed, removed_sources=gone)
    if (now.store.url, now.store.data_dir) != (before.store.url, before.store.data_dir):
        log.warning("config.restart_needed", section="store", text="the store before stays in use until a restart")


async def _period(
    running: Services, store_url: str, stop: asyncio.Event, config: ConfigWatch | None, changed: Sequence[str]
) -> Settings | None:
    """Work under one config to its end; the next one comes back, None when it is time to stop."""
    working = asyncio.create_task(work(running, store_url, changed, config))
    stopped = asyncio.create_task(stop.wait())
    news = asyncio.create_task(config.news(running.settings)) if config else None
    waited_for = {working, stopped, *([news] if news else [])}
    try:
        await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
        running.stopping.set()
        await working
    finally:
        for task in waited_for:
            task.cancel()
    return news.result() if news and news.done() and not news.cancelled() and not stop.is_set() else None


async def work(
    running: Services, store_url: str, changed: Sequence[str] | None = None, config: ConfigWatch | None = None
) -> None:
    """Run the consumer, the bell, the heart and ARQ side by side until `stopping` is set.

    Credentials of the `changed` sources (all if not given) that were rejected are tried again at once.
    """
    for source in running.sources if changed is None else changed:
        await running.store.sources.try_again(source)
    consumer = asyncio.create_task(running.consumer.run())
    queue = asyncio.create_task(_keep_arq(running, store_url))
    heart = asyncio.create_task(Heart(running, config).beat_until(running.stopping))
    try:
        await running.stopping.wait()
    finally:
        await _end(queue)
        await consumer
        await asyncio.wait([heart], timeout=1.0)
        await _end(heart)


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
