"""The config file and the store of a command, for as long as it runs.

With `store.url: embedded` a command joins the server that `up` runs on the data directory. When none runs, the
command starts it for itself; others that join it meanwhile hold the lock USERS, and it stays until they are done.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from monitor.bootstrap import Services, services
from monitor.embedded import EmbeddedStore, running_url
from monitor.embedded.directory import StoreDirectory
from monitor.errors import StoreUnavailable
from monitor.settings import EMBEDDED, Settings, load

START_S = 5.0  # how long another command's server may take to come up or go
USERS_S = 30.0  # how long our server waits for other commands that have joined it
_TICK_S = 0.05


def read(config: Path) -> Settings:
    """The settings of a config file under this process's environment; ConfigError has every problem."""
    return load(config, os.environ)


def given_url(settings: Settings) -> str:
    """Where the store is: JOBWIRE_STORE_URL, else `store.url`; `embedded` for a server of our own."""
    return os.environ.get("JOBWIRE_STORE_URL") or settings.store.url


@asynccontextmanager
async def installation(config: Path) -> AsyncIterator[Services]:
    """Everything wired from a config file, on a store that answers."""
    async with wired(read(config)) as running:
        yield running


@asynccontextmanager
async def wired(settings: Settings) -> AsyncIterator[Services]:
    """Everything wired from settings, on a store that answers."""
    async with store(settings) as url, services(settings, url) as running:
        yield running


@asynccontextmanager
async def store(settings: Settings) -> AsyncIterator[str]:
    """The URL of a store that can be connected to; an embedded one runs at least as long as the block."""
    url = given_url(settings)
    if url != EMBEDDED:
        yield url
        return
    async with embedded(settings.store.data_dir) as own:
        yield own


@asynccontextmanager
async def embedded(data_dir: Path) -> AsyncIterator[str]:
    """The URL of the embedded server: the one that runs, or one for the time of the block."""
    give_up = time.monotonic() + START_S
    while True:
        url = await asyncio.to_thread(running_url, data_dir)
        if url is not None:
            with _as_user(data_dir):
                # It may have gone between the question and the lock.
                if await asyncio.to_thread(running_url, data_dir) == url:
                    yield url
                    return
        own = EmbeddedStore(data_dir)
        try:
            await own.start()
        except StoreUnavailable:
            await asyncio.sleep(_TICK_S)
            if time.monotonic() > give_up or not StoreDirectory(data_dir).is_in_use():
                raise
            continue
        try:
            yield own.url
        finally:
            async with _no_users(data_dir):
                await own.stop()
        return


@contextmanager
def _as_user(data_dir: Path) -> Iterator[None]:
    """Holds the lock of those who have joined."""
    with _users(data_dir).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@asynccontextmanager
async def _no_users(data_dir: Path) -> AsyncIterator[None]:
    """The block runs when nobody has joined our server any more, or has for too long; nobody joins meanwhile."""
    give_up = time.monotonic() + USERS_S
    with _users(data_dir).open("ab") as file:
        while time.monotonic() < give_up:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_TICK_S)
        yield


def _users(data_dir: Path) -> Path:
    return StoreDirectory(data_dir).home / "USERS"
