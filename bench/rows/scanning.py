"""Scanning the stand-in's list as the product does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bench.limits.store import call
from bench.place import Place, watching
from monitor.bootstrap import Services
from monitor.pipeline.scan import ScanReport

KEPT_PAGES = 1000
"""The stand-in keeps so many pages; a longer list repeats them under other ids."""


@dataclass(slots=True)
class Watch:
    """An installation that watches a list of so many items; scans are made by hand."""

    place: Place
    services: Services
    size: int
    slots: int = field(default=0)

    @property
    def url(self) -> str:
        """The list, for those who read it otherwise."""
        return f"{self.place.stand.url}/{self.size}"

    async def show(self, generation: int) -> None:
        """From now on every item is in the state of that generation."""
        await self.place.stand.prepare(pages_of(self.size), generation)

    async def scan(self) -> ScanReport:
        """One scan; it has to be complete."""
        self.slots += 1
        report = await self.services.scanner.scan(self.services.sources[f"list-{self.size}"], self.slots, force=True)
        if report.refused or report.reason:
            raise RuntimeError(f"the scan was not complete: {report.refused or report.error}")
        return report


def pages_of(size: int) -> int:
    """How many pages the stand-in keeps of a list."""
    return min(KEPT_PAGES, -(-size // 100))


@asynccontextmanager
async def watching_list(place: Place, size: int, *, known: bool = False) -> AsyncIterator[Watch]:
    """An installation that watches a list of `size` items of generation 0, on an empty store.

    `known`: on a store that knows every item of it, which the measurement before may have left.
    """
    if not known or await call(place.redis, "HLEN", f"jobwire:items:list-{size}") != size:
        await place.empty()
    async with place.installed(watching(place.stand.url, [size])) as services:
        watch = Watch(place, services, size)
        await watch.show(0)
        if known:
            await watch.scan()
        yield watch
