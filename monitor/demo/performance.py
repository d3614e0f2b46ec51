"""One run of a demo: workers on the stage, told as it happens, until somebody or the clock ends it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from monitor.clock import utc_now
from monitor.demo import guide
from monitor.demo.figures import Figures
from monitor.demo.happenings import Happenings
from monitor.demo.home import Home
from monitor.demo.narrator import Narrator
from monitor.demo.plan import Plan
from monitor.demo.screen import Screen
from monitor.demo.stage import Arrivals, Stage, built, role_command, role_environ
from monitor.errors import StoreUnavailable
from monitor.log import configure
from monitor.moments import parse_instant
from monitor.store.eventlog import EventLog
from monitor.supervise import Stop, keep_child, keep_store

_HOPELESS = 3  # deaths of the worker before anything was delivered
_SILENT_S = 15.0  # after which it is said that nothing arrives
_READY_S = 20.0  # at most, for the workers to begin
_SETTLE_S = 15.0  # at most, for what has happened to be told before the end
_TICK = 0.1
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
        start, began = utc_now(), time.monotonic()
        watchers = (
            self._watch_silence(),
            self._watch_life(stage, start),
            self._watch_time(stage, start),
            keep_store(stage.server, self.stop, died=self._store_died),
        )
        telling = self._kept(narrator.run())
        tasks = [self._kept(watcher) for watcher in watchers]
        environ = role_environ(stage.server.url)
        worker, web = role_command("worker", stage.home), role_command("web", stage.home)
        try:
            await asyncio.gather(
                keep_child("worker", worker, environ, self.stop, output=self.log, died=self._worker_died),
                keep_child("web", web, environ, self.stop, output=self.log),
            )
        finally:
            stage.world.freeze()
            self.lived = time.monotonic() - began
            for task in tasks:
                task.cancel()
            self.arrivals.put_nowait(None)
            await asyncio.wait([telling, *tasks])
        for task in (telling, *tasks):
            if not task.cancelled():
                task.result()
        self.waiting = len(await _ids_after(stage.store.log, place) - self.figures.delivered)

    def _kept(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task whose failure ends the demo: a fault of ours must be told, not leave it mute."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and task.exception() is not None:
                self.stop.now.set()

        task = asyncio.create_task(work)
        task.add_done_callback(ended)
        return task

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

    async def _watch_life(self, stage: Stage, began: datetime) -> None:
        """Let things happen once somebody looks: what happens before would all be told at once."""
        await self._until(lambda: _looked(stage, began, any), _READY_S)
        stage.world.sim.life.set_rate(self.plan.pace.rate)

    async def _watch_time(self, stage: Stage, began: datetime) -> None:
        """End it in time: so long after every service was looked at once."""
        if self.plan.seconds is None:
            return
        await self._until(lambda: _looked(stage, began, all), _READY_S)
        await asyncio.sleep(self.plan.seconds)
        stage.world.freeze()
        frozen = utc_now()
        if self.figures.delivered:
            await self._until(lambda: _settled(stage, frozen), _SETTLE_S)
        self.in_time = True
        self.stop.now.set()

    async def _until(self, so: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Wait until it is so, but not too long."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            with suppress(StoreUnavailable):
                if await so():
                    return
            await asyncio.sleep(_TICK)

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


async def _looked(stage: Stage, since: datetime, how_many: Callable[[Iterable[bool]], bool]) -> bool:
    """Whether any or all of the services were looked at whole, beginning after a moment."""
    states = [await stage.store.sources.state(name) for name in stage.settings.sources]
    began = [parse_instant(state.get("fresh_from")) for state in states]
    return how_many(moment is not None and moment >= since for moment in began)


async def _settled(stage: Stage, since: datetime) -> bool:
    """Whether all that had happened by a moment is seen, and all that was seen is delivered."""
    store = stage.store
    if not await _looked(stage, since, all):
        return False
    return await store.lanes.next_ms() is None and await store.lanes.cursor() == await store.log.end()


async def _ids_after(log: EventLog, place: str) -> set[str]:
    """The ids of the events that were committed after a place; none if the store cannot be asked."""
    found: set[str] = set()
    with suppress(StoreUnavailable):
        while batch := await log.after(place, _BATCH):
            found |= {stored.id for stored in batch}
            place = batch[-1].place
    return found
