"""Delivering one target's lanes: claim what is due, send with a bounded number in flight, record, go on.

A lane under claim is invisible to others until its lease lapses, so a worker may die here at any moment:
its lanes come back by themselves. What was sent but not recorded is sent again with the same id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from monitor.errors import StoreUnavailable
from monitor.grouping.message import GROUP_LIMIT
from monitor.pipeline.attempt import Attempts, Made
from monitor.pipeline.backlog import CatchingUp, catches_up
from monitor.pipeline.catchup import AT_ONCE, fold
from monitor.pipeline.target import TargetRuntime
from monitor.pipeline.turns import Turns, takes_turns
from monitor.store.backlog import BACKLOG
from monitor.store.lanes import Claim, ClaimedLane, Lanes, Settled, Standing

_LEASE_MARGIN_MS = 10_000


@dataclass(slots=True)
class Deliverer:
    """Delivers one target at a time on demand; `stopping` ends it after what is in flight."""

    lanes: Lanes
    attempts: Attempts
    turns: Turns
    catching_up: CatchingUp
    clock: Callable[[], datetime]
    stopping: asyncio.Event
    delivered: int = field(default=0)

    async def deliver(self, runtime: TargetRuntime, kick: asyncio.Event | None = None) -> int:
        """Deliver until no lane of this target is due; how many attempts were made.

        `kick` says that more lanes came due while some were in flight: a slow attempt holds up no other lane.
        """
        kick = kick or asyncio.Event()
        inflight: dict[asyncio.Task[Made], ClaimedLane] = {}
        made = 0
        try:
            while True:
                kick.clear()
                done = [task for task in inflight if task.done()]
                free = runtime.options.concurrency - len(inflight) + len(done)
                may = 0 if self.stopping.is_set() else runtime.allowance.available(free)
                claimed = await self._turn(runtime, [task.result() for task in done], may)
                for task in done:
                    del inflight[task]
                made += len(done)
                runtime.allowance.spend(len(claimed))
                for lane in claimed:
                    task = asyncio.create_task(self._attempt(runtime, lane))
                    task.add_done_callback(lambda _: kick.set())
                    inflight[task] = lane
                throttled = may < free and not self.stopping.is_set()
                if not inflight and not (throttled and may <= 0):
                    return made
                with suppress(TimeoutError):
                    await asyncio.wait_for(kick.wait(), runtime.allowance.wait() if throttled else None)
        finally:
            await self._leave(runtime, inflight)

    async def _turn(self, runtime: TargetRuntime, made: Sequence[Made], may: int) -> list[ClaimedLane]:
        """Record what was made and claim up to `may` lanes, in one round trip."""
        lease_ms = round(runtime.options.timeout * 1000) + _LEASE_MARGIN_MS
        take = GROUP_LIMIT if runtime.target.grouped else 1
        catch_up = AT_ONCE if runtime.options.catch_up == "latest" and not runtime.target.grouped else 0
        if may <= 0:
            await self._record(runtime, made)
            return []
        fold_above = catches_up(runtime)
        if not made:
            return await self.lanes.claim(
                runtime.name,
                lease_ms=lease_ms,
                limit=may,
                take=take,
                catch_up=catch_up,
                grouped=runtime.target.grouped,
                fold_above=fold_above,
            )
        standing, claimed = await self.lanes.settle_and_claim(
            runtime.name,
            [one.settled for one in made],
            Claim(lease_ms, may, take, catch_up, fold_above, runtime.target.grouped),
            hold=_hold(made),
            disable=_disable(made),
        )
        await self._recorded(runtime, made, standing)
        return claimed

    async def _attempt(self, runtime: TargetRuntime, lane: ClaimedLane) -> Made:
        """One attempt; where a lane catches up by the latest, what need not be sent is settled first."""
        if lane.lane == BACKLOG:
            return await self.catching_up.take(runtime, lane)
        if takes_turns(runtime, lane):
            return await self.turns.take(runtime, lane)
        if len(lane.waiting) == 1:
            return await self.attempts.make(runtime, lane)
        folded = fold(lane.waiting)
        if folded.taken and not await self.lanes.supersede(lane, folded.taken, folded.skipped):
            return _untried(lane)
        if lane.more and folded.taken and len(folded.stay) == 1:
            return _untried(lane)  # what waits further back may stand for this one as well
        return await self.attempts.make(runtime, replace(lane, waiting=(folded.stay[0],)))

    async def _record(self, runtime: TargetRuntime, made: Sequence[Made]) -> None:
        if made:
            settled = [one.settled for one in made]
            standing = await self.lanes.settle(runtime.name, settled, hold=_hold(made), disable=_disable(made))
            await self._recorded(runtime, made, standing)

    async def _recorded(self, runtime: TargetRuntime, made: Sequence[Made], standing: Standing) -> None:
        """Count, and say that a target has recovered where no attempt could know that there was something to say."""
        arrived = [one.settled for one in made if one.settled.verdict == "delivered"]
        self.delivered += len(arrived)
        if standing.stale:
            structlog.get_logger().warning("delivery.lease_lost", target=runtime.name, lanes=standing.stale)
        if arrived and standing.announced and not standing.failures:
            event = self.attempts.recovered(arrived[-1].lane)
            await self.lanes.announce(runtime.name, event, failing=False)

    async def _leave(self, runtime: TargetRuntime, inflight: dict[asyncio.Task[Made], ClaimedLane]) -> None:
        """Leaving with attempts in flight: what is known is recorded, what was cancelled is due again at once.

        An attempt that failed in here, not at the receiver, keeps its lease: it comes back when that lapses,
        not in a loop.
        """
        for task in inflight:
            task.cancel()
        await asyncio.gather(*inflight, return_exceptions=True)
        known = [task.result() for task in inflight if not task.cancelled() and task.exception() is None]
        back = [_untried(lane) for task, lane in inflight.items() if task.cancelled()]
        if known or back:
            try:
                await asyncio.shield(self._record(runtime, [*back, *known]))
            except StoreUnavailable as error:
                structlog.get_logger().warning("delivery.not_recorded", target=runtime.name, error=str(error))


def _hold(made: Sequence[Made]) -> float:
    return max((one.hold for one in made), default=0.0)


def _disable(made: Sequence[Made]) -> bool:
    return any(one.disable for one in made)


def _untried(lane: ClaimedLane) -> Made:
    """A lane that is handed back: due again at once, nothing counted."""
    return Made(Settled(lane, "retry", 0.0, ()))
