"""One browser for all tests of the page, and a world in which something has happened."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest

pytest.importorskip("playwright.async_api", reason="playwright is not installed: it has no wheel for this platform")

from playwright.async_api import Browser, Error, async_playwright

from tests.browser.worlds import World, world

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
"""Root, as in a container, has no sandbox, and small containers have little shared memory. It sees our pages only."""


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium of this machine, started once."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("there is no Chromium here: apt-get install chromium (.ci/run does)")
    async with async_playwright() as player:
        try:
            started = await player.chromium.launch(executable_path=program, args=FLAGS, timeout=120_000)
        except Error as error:
            pytest.skip(f"{program} does not start: {str(error).splitlines()[0]}")
        yield started
        await started.close()


@pytest.fixture
async def at(redis: object, store_url: str) -> AsyncIterator[World]:
    """An installation in which jobs came and changed, one is due, and one was sent in vain."""
    async with world(store_url) as made:
        yield made
