"""`jobwire up` and `jobwire worker`: the processes that do the work."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from monitor import __version__
from monitor.cli import session
from monitor.cli.options import DEFAULT_CONFIG, ConfigFile, LogLevel
from monitor.cli.output import say
from monitor.cli.phrases import plural
from monitor.embedded import EmbeddedStore, running_url
from monitor.embedded.directory import StoreDirectory
from monitor.errors import StoreUnavailable, UsageError
from monitor.log import configure
from monitor.settings import EMBEDDED, ConfigWatch, Settings
from monitor.store.connect import connect, shown
from monitor.supervise import Stop, follow_parent, keep_child, keep_store
from monitor.web.address import free_to_listen, where

_OTHERS_S = 3.0  # a command that looks at the stored data has the store for about this long

Workers = Annotated[int, Parameter(help="Worker processes.", validator=validators.Number(gte=1, lte=64))]


async def up(*, workers: Workers = 1, config: ConfigFile = DEFAULT_CONFIG, log_level: LogLevel = "info") -> int:
    """Run everything that a config file says, until Ctrl-C: the embedded store if there is one, workers, and web.

    What dies is started again. SIGTERM and Ctrl-C end everything in order; deliveries in flight get 10 seconds.
    """
    start_logging(log_level)
    settings = session.read(config)
    stop = Stop()
    stop.on_signals()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(_store(settings, stop))
        environ = {**os.environ, "JOBWIRE_STORE_URL": url}
        taken = free_to_listen(settings.web)
        say(_greeting(config, settings, url, workers, f"none: {taken}" if taken else f"http://{where(settings.web)}"))
        roles = [(f"worker-{number}", "worker") for number in range(1, workers + 1)]
        roles += [] if taken else [("web", "web")]
        words = ("-c", str(config), "--log-level", log_level)
        python = (sys.executable, "-m", "monitor.cli")
        await asyncio.gather(*(keep_child(name, [*python, role, *words], environ, stop) for name, role in roles))
    say("stopped")
    return 0


async def worker(*, config: ConfigFile = DEFAULT_CONFIG, log_level: LogLevel = "info") -> int:
    """Run one worker until SIGTERM or Ctrl-C; any number may share one Redis, on any number of machines.

    With an embedded store it joins the one that `up` runs, or runs it itself. It takes up each valid new config file
    by itself, within seconds, or at once on SIGHUP; one with problems is refused in the log.
    """
    start_logging(log_level)
    parent = follow_parent(os.environ)
    settings = session.read(config)
    # By name: the product does not depend on its ARQ glue, only this process needs it.
    run_worker = import_module("workers.run").run_worker
    stop = Stop()
    async with AsyncExitStack() as stack:
        url = await _own_or_joined(settings, stop, stack)
        await run_worker(settings, url, ConfigWatch(config, os.environ))
        stop.ask()
    if parent is not None:
        parent.cancel()
    return 0


def start_logging(level: str) -> None:
    """Logs from the given level on; UsageError when there is no such level."""
    try:
        configure(level=level)
    except ValueError as error:
        raise UsageError(f"--log-level: {error}") from None


@asynccontextmanager
async def _store(settings: Settings, stop: Stop) -> AsyncIterator[str]:
    """The URL of a store that answers; an embedded one is kept running until the block ends."""
    url = session.given_url(settings)
    if url != EMBEDDED:
        await (await connect(url, settings.store.prefix)).close()
        yield url
        return
    store = EmbeddedStore(settings.store.data_dir)
    await _start(store, settings.store.data_dir, stop)
    keeper = asyncio.create_task(keep_store(store, stop))
    try:
        # What cannot be read is said once, not by each worker each time that it is started again.
        await (await connect(store.url, settings.store.prefix)).close()
        yield store.url
        await keeper
    finally:
        keeper.cancel()
        await store.stop()


async def _own_or_joined(settings: Settings, stop: Stop, stack: AsyncExitStack) -> str:
    """The URL of a store that answers: another's if `up` runs the embedded one, else kept until the stack ends."""
    try:
        return await stack.enter_async_context(_store(settings, stop))
    except StoreUnavailable:
        embedded = session.given_url(settings) == EMBEDDED
        url = await asyncio.to_thread(running_url, settings.store.data_dir) if embedded else None
        if url is None:
            raise
        return url


async def _start(store: EmbeddedStore, data_dir: Path, stop: Stop) -> None:
    """Starts the store; a command such as `events` may have it for a moment, another `up` has it for good."""
    give_up = time.monotonic() + _OTHERS_S
    while True:
        try:
            await store.start()
            return
        except StoreUnavailable:
            if time.monotonic() > give_up or stop.now.is_set() or not StoreDirectory(data_dir).is_in_use():
                raise
            await asyncio.sleep(0.1)


def _greeting(config: Path, settings: Settings, url: str, workers: int, web: str) -> str:
    watched = f"{plural(len(settings.sources), 'source')}, {plural(len(settings.targets), 'target')}"
    where = f"embedded, in {settings.store.data_dir}" if session.given_url(settings) == EMBEDDED else shown(url)
    return (
        f"jobwire {__version__} is up: {watched}, from {config}\n"
        f"  store    {where}\n"
        f"  workers  {workers}\n"
        f"  web      {web}\n"
        f"  look     jobwire events --follow, jobwire sources, jobwire targets\n"
        f"  logs     on standard error; Ctrl-C ends everything"
    )
