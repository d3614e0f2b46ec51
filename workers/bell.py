"""The bell: every worker looks at the timetable a few times a second and enqueues what is due.

All workers may ring at once: a job's id is made of source, slot and epoch, so one of them is enqueued, and
the scan itself claims the slot. After a crash the epoch has grown, so the new job is not held up by what
ARQ still remembers of the dead one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog
from arq.connections import ArqRedis
from redis.exceptions import RedisError

from monitor.bootstrap import Services
from monitor.errors import StoreUnavailable
from workers.queue import EXPIRES_SECONDS

TICK = 0.2
OVERDUE_MS = 5_000
_NET_EVERY_MS = 5_000
_UPKEEP_EVERY_MS = 60_000


@dataclass(slots=True)
class Bell:
    """Rings for scans when their slot has come, and for the nets when the resident consumers are behind."""

    services: Services
    queue: ArqRedis
    _checked_ms: int = field(default=0)

    async def ring_until(self, stopping: asyncio.Event) -> None:
        """Ring until told to stop, through any outage of the store."""
        while not stopping.is_set():
            try:
                await self.ring()
                await asyncio.sleep(TICK)
            except (StoreUnavailable, RedisError, OSError) as error:
                structlog.get_logger().warning("bell.store_unavailable", error=str(error))
                await asyncio.sleep(1.0)
            except Exception:  # noqa: BLE001 - whatever goes wrong with one look, the next one must come
                structlog.get_logger().exception("bell.broken")
                await asyncio.sleep(1.0)

    async def ring(self) -> None:
        """Enqueue what is due now."""
        for due in await self.services.timetable.due():
            job = await self._enqueue("scan", due.source, due.slot, id=f"{due.source}:{due.slot}:{due.epoch}")
            if job and due.missed:
                structlog.get_logger().warning("scan.slots_missed", source=due.source, missed=due.missed)
        now_ms = await self.services.store.db.now_ms()
        if now_ms - self._checked_ms >= _NET_EVERY_MS:
            self._checked_ms = now_ms
            await self.services.clock.sync()
            await self._spread_nets(now_ms)

    async def _spread_nets(self, now_ms: int) -> None:
        store, beat = self.services.store, now_ms // _NET_EVERY_MS
        waiting = await store.log.after(await store.lanes.cursor(), 1)
        if waiting and now_ms - waiting[0].at_ms > OVERDUE_MS:
            await self._enqueue("relay", id=f"relay:{beat}")
        for target in await store.lanes.due_targets(now_ms - OVERDUE_MS):
            if target in self.services.targets:
                await self._enqueue("deliver", target, id=f"deliver:{target}:{beat}")
        ring_ms = await store.deadlines.next_ms()
        if ring_ms is not None and now_ms - ring_ms > OVERDUE_MS:
            await self._enqueue("ring", id=f"ring:{beat}")
        await self._enqueue("upkeep", id=f"upkeep:{now_ms // _UPKEEP_EVERY_MS}")

    async def _enqueue(self, task: str, *args: str | int, id: str) -> bool:
        prefix = self.services.store.db.keys.prefix
        job = await self.queue.enqueue_job(task, *args, _job_id=f"{prefix}:{id}", _expires=EXPIRES_SECONDS)
        return job is not None
