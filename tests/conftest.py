"""Fixtures of every test: one real store for the whole run, emptied before each test that uses it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from monitor.embedded import EmbeddedStore
from tests import stores


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--chaos` adds the long suites: many random worlds, and trouble at a thousand points."""
    parser.addoption("--chaos", action="store_true", help="run the long chaos suites as well (a quarter of an hour)")


def pytest_configure(config: pytest.Config) -> None:
    """Warnings are errors, but for connections that asyncio itself loses before Python 3.11.3.

    There a task that is cancelled while it waits for a connection may drop it, and redis-py cannot close it.
    """
    if sys.version_info < (3, 11, 3):
        config.addinivalue_line("filterwarnings", "ignore:unclosed:ResourceWarning")
        config.addinivalue_line("filterwarnings", "ignore::pytest.PytestUnraisableExceptionWarning")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long suites are left out, and counted as such, unless they are asked for."""
    if not config.getoption("--chaos"):
        long = [item for item in items if item.get_closest_marker("chaos")]
        items[:] = [item for item in items if item not in long]
        config.hook.pytest_deselected(items=long)


@pytest.fixture(scope="session")
async def store_url() -> AsyncIterator[str]:
    """The URL of an embedded store that runs as long as the tests do."""
    with stores.short_directory() as directory:
        async with EmbeddedStore(directory) as store:
            yield store.url


@pytest.fixture
async def redis(store_url: str) -> AsyncIterator[Redis]:
    """A client of that store, which it finds empty; answers are bytes."""
    async with stores.client(store_url) as connected:
        await connected.flushall()
        yield connected
