"""Fixtures of the simulator's tests: an empty world with a clock that stands still, and a client for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from monitor.simulator import Simulator
from tests.simulator.calls import Client, Clock


@pytest.fixture
def clock() -> Clock:
    """A clock that moves only when told."""
    return Clock()


@pytest.fixture
async def sim(clock: Clock) -> AsyncIterator[Simulator]:
    """A running simulator without any document."""
    async with Simulator(seed=7, now=clock, population=0) as running:
        yield running


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[Client]:
    """A client of that simulator."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
        yield Client(sim, http)
