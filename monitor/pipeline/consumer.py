"""The resident consumer of a worker: sleeps on the event log, and relays and delivers the moment there is work.

Beside that it rings deadlines and watches what time alone brings about sources.

A committed event does not wait for any queue's poll: the blocking read returns within a millisecond. The
ARQ tasks `relay` and `deliver` do the same work and are the net below this loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from monitor.errors import StoreUnavailable
from monitor.pipeline.caretaker import EVERY_SECONDS as CARE_SECONDS
from monitor.pipeline.caretaker import Caretaker
from monitor.pipeline.deliver import Deliverer
from monitor.pipeline.digesting import EVERY_SECONDS as DIGEST_SECONDS
from monitor.pipeline.digesting import Digesting
from monitor.pipeline.relay import Relay
from monitor.pipeline.ring import BATCH, Ringer
from monitor.pipeline.rotation import LOOK_SECONDS, Rotation
from monitor.pipeline.target import TargetRuntime
from monitor.pipeline.watch import EVERY_SECONDS, Watch
from monitor.store.db import Db
from monitor.store.eventlog import EventLog
from monitor.store.lanes import Assignment, Lanes

BLOCK_MS = 1000
TICK = 0.5
DRAIN = 10.0
_PAUSE_AFTER_ERROR = 1.0


@dataclass(frozen=True, slots=True)
class _Pump:
    task: asyncio.Task[int]
    kick: asyncio.Event


@dataclass(slots=True)
class Consumer:
    """Runs relay, delivery, ring and watch until `stopping` is set, through any outage of the store."""

    db: Db
    log: EventLog
    lanes: Lanes
    relay: Relay
    deliverer: Deliverer
    ringer: Ringer
    watch: Watch
    caretaker: Caretaker
    rotation: Rotation
    digesting: Digesting
    stopping: asyncio.Event
    _work: asyncio.Event = field(default_factory=asyncio.Event)
    _pumps: dict[str, _Pump] = field(default_factory=dict)
    _place: str | None = field(default=None)

    async def run(self) -> None:
        """Consume until told to stop; then what is in flight gets up to ten seconds."""
        loops = [
            asyncio.create_task(self._forever("relay", self._relay_once)),
            asyncio.create_task(self._forever("deliver", self._deliver_once)),
            asyncio.create_task(self._forever("ring", self._ring_once)),
            asyncio.create_task(self._forever("watch", self._watch_once)),
            asyncio.create_task(self._forever("conditions", self._care_once)),
            asyncio.create_task(self._forever("secrets", self._secrets_once)),
            asyncio.create_task(self._forever("digests", self._digests_once)),
        ]
        try:
            await self.stopping.wait()
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            await self._drain()

    async def _forever(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        while not self.stopping.is_set():
            try:
                await step()
            except StoreUnavailable as error:
                structlog.get_logger().warning("consumer.store_unavailable", loop=name, error=str(error))
                await asyncio.sleep(_PAUSE_AFTER_ERROR)
            except Exception:  # noqa: BLE001 - one bad event must not silence the others
                structlog.get_logger().exception("consumer.failed", loop=name)
                await asyncio.sleep(_PAUSE_AFTER_ERROR)

    async def _relay_once(self) -> None:
        # Forgotten while it is used: after any failure the store is asked again.
        place, self._place = self._place or await self.lanes.cursor(), None
        place = await self.relay.follow(place, self._filled)
        await self.log.wait(place, BLOCK_MS)
        self._place = place

    def _filled(self, deliveries: Sequence[Assignment], new: int) -> None:
        """Send at once what is due at once; for the rest look again when the next lane is due."""
        for name in {one.target for one in deliveries if not one.wait} if new else ():
            self._wake(name)
        if any(one.wait for one in deliveries):
            self._work.set()

    async def _deliver_once(self) -> None:
        self._work.clear()
        agenda = await self.lanes.agenda()
        for name in agenda.due:
            self._wake(name)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._work.wait(), min(TICK, agenda.next_in))

    def _wake(self, name: str) -> None:
        runtime = self.relay.targets.get(name)
        if runtime is not None and (pump := self._pumps.get(name)) is not None:
            pump.kick.set()
        elif runtime is not None:
            self._start(runtime)

    def _start(self, runtime: TargetRuntime) -> None:
        kick = asyncio.Event()
        task = asyncio.create_task(self.deliverer.deliver(runtime, kick))
        self._pumps[runtime.name] = _Pump(task, kick)
        task.add_done_callback(lambda done: self._ended(runtime.name, done))

    def _ended(self, name: str, task: asyncio.Task[int]) -> None:
        self._pumps.pop(name, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            structlog.get_logger().warning("delivery.interrupted", target=name, error=str(error))
        self._work.set()

    async def _ring_once(self) -> None:
        if await self.ringer.ring() < BATCH:
            await asyncio.sleep(TICK)

    async def _watch_once(self) -> None:
        await self.watch.look()
        await asyncio.sleep(EVERY_SECONDS)

    async def _secrets_once(self) -> None:
        await self.rotation.look()
        await asyncio.sleep(LOOK_SECONDS)

    async def _digests_once(self) -> None:
        await self.digesting.look()
        await asyncio.sleep(DIGEST_SECONDS)

    async def _care_once(self) -> None:
        if await self.caretaker.look():
            self._work.set()
        await asyncio.sleep(CARE_SECONDS)

    async def _drain(self) -> None:
        pumps = [pump.task for pump in self._pumps.values()]
        if pumps:
            _, late = await asyncio.wait(pumps, timeout=DRAIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
