"""Every test here runs on the embedded store and, where it is installed, on Redis 7.0, the oldest that is supported."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path

import pytest

from monitor.embedded import EmbeddedStore
from monitor.store.db import Db
from monitor.store.eventlog import EventLog
from monitor.store.items import Items
from monitor.store.keys import Keys
from monitor.store.lanes import Lanes
from monitor.store.retention import Retention
from monitor.store.sources import Sources
from tests import stores

OLDEST = "7.0."


@cache
def oldest_program() -> Path | None:
    """A redis-server of the oldest version that is supported, None where PATH has none."""
    found = shutil.which("redis-server")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout if found else ""
    return Path(found) if found and f"v={OLDEST}" in said else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test that needs a server runs once on every server there is."""
    if "server_url" in metafunc.fixturenames:
        servers = ["embedded", *(["redis-7.0"] if oldest_program() else [])]
        metafunc.parametrize("server_url", servers, indirect=True, scope="session")


@pytest.fixture(scope="session")
async def server_url(request: pytest.FixtureRequest, store_url: str) -> AsyncIterator[str]:
    """The URL of one of the servers."""
    if request.param == "embedded":
        yield store_url
        return
    with stores.short_directory() as directory:
        async with EmbeddedStore(directory, program=oldest_program()) as store:
            yield store.url


@pytest.fixture
async def db(server_url: str) -> AsyncIterator[Db]:
    """The door to an empty store."""
    async with stores.client(server_url) as client:
        await client.flushall()
        yield Db(client, Keys("t"))


@pytest.fixture
def retention() -> Retention:
    """The product's own lifetimes and bounds."""
    return Retention()


@pytest.fixture
def items(db: Db, retention: Retention) -> Items:
    """The items of that store."""
    return Items(db, retention)


@pytest.fixture
def sources(db: Db, retention: Retention) -> Sources:
    """Its sources."""
    return Sources(db, retention)


@pytest.fixture
def lanes(db: Db, retention: Retention) -> Lanes:
    """Its lanes."""
    return Lanes(db, retention)


@pytest.fixture
def log(db: Db, retention: Retention) -> EventLog:
    """Its event log."""
    return EventLog(db, retention)
