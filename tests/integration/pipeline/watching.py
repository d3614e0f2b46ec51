"""One provider stand-in that starts empty, and an installation that watches it by the same clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from monitor.pipeline.scan import ScanReport
from monitor.simulator import Simulator
from monitor.simulator.server import ProviderServer, Seen
from tests.installation import Hands, Installation, installed

CREDENTIALS: Mapping[str, Callable[[Simulator], str]] = {
    "driver_jobs": lambda sim: f"token: {sim.driver_jobs.token}",
    "worklayer": lambda sim: f"token: {sim.worklayer.static_token}",
    "bindbee": lambda sim: f"token: {sim.bindbee.token}, connector_token: {sim.bindbee.connector_token}",
    "devrev": lambda sim: f"token: {sim.devrev.token}",
}


FULL_EVERY = {"worklayer": "24h", "bindbee": "6h", "devrev": "6h"}


@dataclass(slots=True)
class Watching:
    """A stand-in and the installation that watches it; `seen` is how many of its requests were looked at."""

    sim: Simulator
    server: ProviderServer
    watch: Installation
    seen: int = 0

    async def scan(self, **later: float) -> tuple[ScanReport, list[str]]:
        """Let time pass, scan once; the report and what was told, as `what subject`."""
        self.watch.hands.pass_(**later)
        report = await self.watch.scan()
        return report, [f"{event['type']} {event['subject']}" for event in await self.watch.news()]

    async def told(self, **later: float) -> list[str]:
        """Let time pass, scan once, completely; what was told."""
        report, news = await self.scan(**later)
        assert report.reason is None, report
        return news

    async def baseline(self) -> None:
        """The first scan, whose news are thrown away."""
        await self.told()
        self.asked()

    def asked(self) -> list[Seen]:
        """The requests since the last call."""
        new = self.server.requests[self.seen :]
        self.seen = len(self.server.requests)
        return new

    async def state(self) -> dict[str, str]:
        """What is stored of the source."""
        return await self.watch.services.store.sources.state("it")


@asynccontextmanager
async def watching(
    provider: str, store_url: str, *documents: dict[str, Any], hands: Hands | None = None, **options: Any
) -> AsyncIterator[Watching]:
    """A provider, the documents it has at first and options as YAML in; the world and who watches it out."""
    hands = hands or Hands()
    async with Simulator(population=0, now=hands.now) as sim:
        for document in documents:
            sim.servers[provider].put(document)
        async with rewatched(provider, store_url, sim, hands, **options) as one:
            yield one


@asynccontextmanager
async def rewatched(
    provider: str, store_url: str, sim: Simulator, hands: Hands, **options: Any
) -> AsyncIterator[Watching]:
    """The same world under another config: what was stored of it before counts."""
    server = sim.servers[provider]
    if provider in FULL_EVERY:
        # Named in the config, so that small lists are walked narrowly as well.
        options.setdefault("full_every", FULL_EVERY[provider])
    given = "".join(f", {name}: {value}" for name, value in options.items())
    source = f"provider: {provider}, base_url: {server.base_url}, {CREDENTIALS[provider](sim)}{given}"
    async with installed(store_url, f"sources: {{it: {{{source}}}}}\n", hands) as watch:
        yield Watching(sim, server, watch, len(server.requests))
