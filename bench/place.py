"""Where everything is measured: an embedded store as users have it, the stand-in, and installations on both."""

from __future__ import annotations

import base64
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from redis.asyncio import Redis

from bench.client import StandIn, stand_in
from bench.limits.store import call
from monitor.bootstrap import Services, services
from monitor.embedded import EmbeddedStore
from monitor.log import configure
from monitor.settings import load
from monitor.store.connect import pool_of

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured: items of a list, rounds, deliveries, targets, changes a second for how many seconds."""

    name: str
    items: int
    changed: int
    rounds: int
    deliveries: int
    slow_deliveries: int
    targets: int
    events_each: int
    seconds: float
    burst: int


TINY = Sizes("tiny", 200, 200, 1, 60, 60, 4, 2, 0.3, 20)
QUICK = Sizes("quick", 20_000, 5_000, 3, 1_000, 500, 60, 8, 1.0, 1_000)
FULL = Sizes("full", 100_000, 30_000, 5, 10_000, 4_000, 1_000, 5, 6.0, 1_000)


@dataclass(frozen=True, slots=True)
class Place:
    """A running store with a client of its own, and the stand-in."""

    store_url: str
    redis: Redis
    stand: StandIn
    sizes: Sizes

    async def empty(self) -> None:
        """Forget everything that is stored, and have its memory back."""
        await call(self.redis, "FLUSHALL", "SYNC")

    @asynccontextmanager
    async def installed(self, config: str) -> AsyncIterator[Services]:
        """An installation by the product's own bootstrap."""
        with config_file(config) as path:
            settings = load(path, {})
        async with services(settings, self.store_url) as running:
            yield running


@asynccontextmanager
async def place(sizes: Sizes, *, persistent: bool = False) -> AsyncIterator[Place]:
    """Everything started; all of it ends with the block.

    The design's figures are of a store in memory. `persistent` keeps the log on disk that an embedded store has.
    """
    directory = Path(tempfile.mkdtemp(prefix="jw-"))
    try:
        async with EmbeddedStore(directory) as store, stand_in() as stand, opened(store.url) as redis:
            await redis.config_set("appendonly", "yes" if persistent else "no")
            yield Place(store.url, redis, stand, sizes)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def opened(store_url: str) -> Redis:
    """A client for the limits, on connections as good as the product's."""
    return Redis.from_pool(pool_of(store_url))


@contextmanager
def quiet() -> Iterator[None]:
    """Log as a worker does, JSON lines at level info, into nothing: making the lines is part of the work."""
    root = logging.getLogger()
    before, handlers, level = structlog.get_config(), root.handlers[:], root.level
    with Path(os.devnull).open("w") as nothing:
        configure(json=True, level="info", stream=nothing)
        try:
            yield
        finally:
            structlog.configure(**before)
            root.handlers[:] = handlers
            root.setLevel(level)


@contextmanager
def config_file(config: str) -> Iterator[Path]:
    """A config as a file that is there for the block."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "jobwire.yaml"
        path.write_text(config)
        yield path


def watching(url: str, sizes: Sequence[int]) -> str:
    """The config of sources `list-`, one for each length of list, and no targets; every walk of them is a full one."""
    states = "[queued, started, in_progress, completed, failed]"
    sources = [
        f'list-{size}: {{provider: devrev, base_url: "{url}/{size}", token: t, every: 60s, removal_limit: 1, '
        f"state: {states}}}"
        for size in sizes
    ]
    return "sources:\n" + "".join(f"  {source}\n" for source in sources)


def sending(urls: Sequence[str], concurrency: int, further: str = "") -> str:
    """The config of webhook targets `t0 t1 ...` that all get every event."""
    options = f'type: webhook, secret: "{SECRET}", concurrency: {concurrency}{further}'
    targets = [f'  t{n}: {{{options}, url: "{url}"}}\n' for n, url in enumerate(urls)]
    names = ", ".join(f"t{n}" for n in range(len(urls)))
    return (
        'sources: {bench: {provider: devrev, base_url: "http://127.0.0.1:9", token: t, enabled: false}}\n'
        f"targets:\n{''.join(targets)}egress: {{allow: [127.0.0.0/8]}}\nroutes: [{{to: [{names}]}}]\n"
    )
