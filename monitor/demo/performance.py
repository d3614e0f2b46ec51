"""One run of a demo: workers on the stage, told as it happens, until somebody or the clock ends it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from monitor.demo import guide
from monitor.demo.figures import Figures
from monitor.demo.happenings import Happenings
from monitor.demo.home import Home
from monitor.demo.narrator import Narrator
from monitor.demo.screen import Screen
from monitor.demo.stage import Arrivals, Plan, Stage, built, worker_command, worker_environ
from monitor.errors import StoreUnavailable
from monitor.log import configure
from monitor.store.eventlog import EventLog
from monitor.supervise import Stop, keep_child, keep_store

_HOPELESS = 3  # deaths of the worker before anything was delivered
_SILENT_S = 15.0  # after which it is said that nothing arrives
_SETTLE_S = 10.0  # at most, for what has happened to be told before the end
_BATCH = 1000


async def perform(plan: Plan, screen: Screen) -> int:
    """A plan in, the exit code out, once everything has ended."""
    stop = Stop()
    stop.on_signals()
    screen.lost = stop.now.set
    home = Home(plan.data_dir)
    with home.held():
        if plan.fresh:
            home.clear()
        with _logging_to(home) as log:
            guide.welcome(screen)
            show = Show(plan, screen, stop, log)
            async with built(plan, home, show.arrivals, show.happenings) as stage:
                await show.run(stage)
        return show.close(home)


@contextmanager
def _logging_to(home: Home) -> Iterator[int]:
    """Sends the logs of this process to the file; its descriptor is for those of the others."""
    with os.fdopen(home.open_log(), "w", buffering=1) as log:
        configure(json=True, stream=log)
        try:
            yield log.fileno()
        finally:
            configure(level="error")


@dataclass(slots=True)
class Show:
    """One run, and what it knows of itself."""

    plan: Plan
    screen: Screen
    stop: Stop
    log: int
    arrivals: Arrivals = field(default_factory=asyncio.Queue)
    happenings: Happenings = field(default_factory=Happenings)
    figures: Figures = field(default_factory=Figures)
    waiting: int = 0
    lived: float = 0.0
    in_time: bool = False
    hopeless: bool = False

    async def run(self, stage: Stage) -> None:
        """Let workers work until the stop, then end them and tell what is left to tell."""
        place = await stage.store.log.end()
        narrator = await self._narrator(stage)
        tasks = [
            asyncio.create_task(narrator.run()),
            asyncio.create_task(self._watch_silence()),
            asyncio.create_task(self._watch_time(stage)),
            asyncio.create_task(keep_store(stage.server, self.stop, died=self._store_died)),
        ]
        for task in tasks:
            task.add_done_callback(self._ended)
        began = time.monotonic()
        try:
            command, environ = worker_command(stage.home), worker_environ(stage.server.url)
            await keep_child("worker", command, environ, self.stop, output=self.log, died=self._worker_died)
        finally:
            stage.world.freeze()
            self.lived = time.monotonic() - began
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
        await narrator.finish()
        self.waiting = len(await _ids_after(stage.store.log, place) - self.figures.delivered)

    def close(self, home: Home) -> int:
        """Say what happened; the exit code."""
        guide.closing(self.screen, self.figures, self.happenings.count, self.waiting, self.lived)
        well = self.figures.told > 0 and not self.figures.unverified and not (self.in_time and self.waiting)
        if self.hopeless or (self.in_time and not well):
            guide.look_at(self.screen, home.log)
            return 1
        return 0

    async def _narrator(self, stage: Stage) -> Narrator:
        """Say what stands, and make the narrator of what will come."""
        names = list(stage.settings.sources)
        counts = [await stage.store.sources.counts(name) for name in names]
        states = [await stage.store.sources.state(name) for name in names]
        known = sum(number for kinds in counts for states in kinds.values() for number in states.values())
        new = sum("baselined" not in state for state in states)
        left_at = stage.world.left_at if new < len(names) else None
        guide.opening(self.screen, stage, self.plan.pace, known, left_at)
        return Narrator(self.arrivals, stage.store.log, self.happenings, self.figures, self.screen, expected=new)

    async def _watch_time(self, stage: Stage) -> None:
        if self.plan.seconds is None:
            return
        await asyncio.sleep(self.plan.seconds)
        stage.world.freeze()
        await self._settle(stage)
        self.in_time = True
        self.stop.now.set()

    async def _settle(self, stage: Stage) -> None:
        """Wait until what has happened is seen and told, or for too long."""
        give_up = time.monotonic() + _SETTLE_S
        seen_by = time.time() + 2 * self.plan.pace.longest
        store = stage.store
        while time.monotonic() < give_up:
            with suppress(StoreUnavailable):
                idle = await store.lanes.next_ms() is None and await store.lanes.cursor() == await store.log.end()
                if time.time() > seen_by and idle:
                    return
            await asyncio.sleep(0.1)

    async def _watch_silence(self) -> None:
        await asyncio.sleep(_SILENT_S)
        if not self.figures.delivered:
            self.screen.line(("Nothing has arrived yet, which is not how it should be.", "yellow"))

    def _worker_died(self, code: int, pause: float) -> None:
        self.figures.worker_deaths += 1
        if self.figures.worker_deaths >= _HOPELESS and not self.figures.delivered:
            self.hopeless = True
            self.stop.now.set()
            return
        self._fell("worker", code, f"in {pause:.0f} s; nothing is lost")

    def _store_died(self, code: int) -> None:
        self._fell("store", code, "now; it reads back what it had")

    def _fell(self, who: str, code: int, when: str) -> None:
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self.screen.at(datetime.now(UTC), (f"The {who} {how}.", "yellow"), f" It is started again {when}.")

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A fault of ours must end the demo and be told, not leave it mute."""
        if not task.cancelled() and task.exception() is not None:
            self.stop.now.set()


async def _ids_after(log: EventLog, place: str) -> set[str]:
    """The ids of the events that were committed after a place; none if the store cannot be asked."""
    found: set[str] = set()
    with suppress(StoreUnavailable):
        while batch := await log.after(place, _BATCH):
            found |= {stored.id for stored in batch}
            place = batch[-1].place
    return found
