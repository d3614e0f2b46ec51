"""A seed in, four living provider servers and a control server out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from random import Random
from types import TracebackType
from typing import Self

from monitor.simulator import stamps
from monitor.simulator.bindbee import Bindbee
from monitor.simulator.control import Control
from monitor.simulator.devrev import DevRev
from monitor.simulator.driver_jobs import DriverJobs
from monitor.simulator.life import Change, Life, Story
from monitor.simulator.server import ProviderServer
from monitor.simulator.story_bindbee import BindbeeStory
from monitor.simulator.story_devrev import DevRevStory
from monitor.simulator.story_driver_jobs import DriverJobsStory
from monitor.simulator.story_worklayer import WorklayerStory
from monitor.simulator.worklayer import Worklayer


class Simulator:
    """The four provider stand-ins on real sockets, for use as ``async with Simulator(...) as sim``.

    ``seed`` decides everything that happens; ``rate`` is the number of changes a second over all providers
    (0: none by themselves, ``step()`` makes one); ``ports`` are those of driver_jobs, worklayer, bindbee,
    devrev and the control server (0: any free one); ``now`` is the clock the documents are stamped by;
    ``population`` is how many documents each provider begins with and hovers around (0: an empty world to
    fill with ``put``).
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        rate: float = 0.0,
        host: str = "127.0.0.1",
        ports: Sequence[int] = (0, 0, 0, 0, 0),
        now: Callable[[], datetime] | None = None,
        population: int = 12,
        candidates: bool = False,
    ) -> None:
        clock = now or stamps.utc_now
        rngs = [Random(f"{seed}/{part}") for part in range(9)]
        self.driver_jobs = DriverJobs(rng=rngs[0], now=clock, host=host, port=ports[0])
        self.worklayer = Worklayer(rng=rngs[1], now=clock, host=host, port=ports[1])
        self.bindbee = Bindbee(rng=rngs[2], now=clock, host=host, port=ports[2])
        self.devrev = DevRev(rng=rngs[3], now=clock, host=host, port=ports[3])
        stories: tuple[Story, ...] = (
            DriverJobsStory(self.driver_jobs, rngs[4], population),
            WorklayerStory(self.worklayer, rngs[5], population),
            BindbeeStory(self.bindbee, rngs[6], population, candidates=candidates),
            DevRevStory(self.devrev, rngs[7], population),
        )
        for story in stories:
            for _ in range(population):
                story.born()
        self.life = Life(stories, rngs[8], rate)
        self._control = Control(self.servers, self.life, host=host, port=ports[4])
        self._stack = AsyncExitStack()

    @property
    def servers(self) -> dict[str, ProviderServer]:
        """The four stand-ins by provider name."""
        both: tuple[ProviderServer, ...] = (self.driver_jobs, self.worklayer, self.bindbee, self.devrev)
        return {server.name: server for server in both}

    @property
    def control_url(self) -> str:
        """Where to make one particular thing happen with curl."""
        return self._control.url

    def step(self, provider: str | None = None) -> Change:
        """Make one change, at the given provider or the next in turn, and tell what it was."""
        return self.life.step(provider)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for server in self.servers.values():
                await server.start()
                stack.push_async_callback(server.stop)
            await self._control.start()
            stack.push_async_callback(self._control.stop)
            self.life.start()
            stack.push_async_callback(self.life.stop)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()
