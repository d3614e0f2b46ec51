"""Real stores for tests: short directories, clients, and every server program that is at hand."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from redis.asyncio import Redis

from monitor.embedded.programs import bundled_program, inspect_program

PATIENCE = 60.0
"""Seconds that a test waits for what must come: never the measure of a test, only the end of a broken one."""


@contextmanager
def short_directory() -> Iterator[Path]:
    """A new directory whose path is short enough for a socket, which pytest's own are not; removed after."""
    path = Path(tempfile.mkdtemp(prefix="jw-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@asynccontextmanager
async def client(url: str) -> AsyncIterator[Redis]:
    """A connected client of the store at `url`, closed after."""
    redis = Redis.from_url(url)
    try:
        yield redis
    finally:
        await redis.aclose()


async def programs() -> list[Path]:
    """The server programs of this machine that are new enough: the bundled one and the system's."""
    named = [shutil.which(name) for name in ("valkey-server", "redis-server")]
    found = [path for path in [bundled_program(), *(Path(name) for name in named if name)] if path]
    return [path for path in found if (program := await inspect_program(path)) and program.major >= 7]


async def until(condition: Callable[[], bool], *, within: float = PATIENCE) -> None:
    """Returns as soon as the condition holds; fails the test if it does not `within` seconds."""
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.01)
