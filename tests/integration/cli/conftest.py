"""Stand-ins of the providers, a receiver, and the command line beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from monitor.simulator import Receiver, Simulator
from tests.installation import SECRET
from tests.integration.cli.commands import Jobwire, config_of
from tests.stores import short_directory


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that run inside this process see nothing of an installation that this machine may have."""
    for name in ("JOBWIRE_CONFIG", "JOBWIRE_SERVER", "JOBWIRE_TOKEN", "JOBWIRE_STORE_URL", "JOBWIRE_USER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """Four providers that change only when told."""
    async with Simulator(seed=11) as running:
        yield running


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A webhook receiver that knows the secret of the config."""
    async with Receiver([SECRET]) as running:
        yield running


@pytest.fixture
def bare() -> Iterator[Jobwire]:
    """The command line in an empty directory."""
    with short_directory() as home:
        yield Jobwire(home)


@pytest.fixture
def jobwire(bare: Jobwire, sim: Simulator, receiver: Receiver) -> Jobwire:
    """The command line with a config for the stand-ins and an embedded store of its own."""
    bare.configure(config_of(sim, receiver, bare.home / "var"))
    return bare


@pytest.fixture
def shared(jobwire: Jobwire, store_url: str, redis: Redis) -> Jobwire:
    """The same on the store of this test run, which the test can look into."""
    jobwire.environ["JOBWIRE_STORE_URL"] = store_url
    return jobwire
