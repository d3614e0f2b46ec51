"""One governor for each credential, in the store: every worker and every source with it spends from one budget.

A caller that is alone, with no rate and no quota to count, asks once in a while and not at every request; otherwise
each request is granted by `governor.lua`, in the order in which callers came. Time is the store's.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import structlog

from monitor.budget import LONGEST_WAIT, Outcome, Quota, left_alone
from monitor.clock import Clock
from monitor.errors import StoreUnavailable
from monitor.store.db import Db, text

FREE_SECONDS = 0.1
"""A caller that is alone may send so long without asking: what others do meanwhile reaches it that late at most."""

_BEAT_SECONDS = 0.25
_WITHOUT_STORE_SECONDS = 1.0


class Local(Protocol):
    """The budget as this process knows it by itself (`monitor.http.pace.Pace`)."""

    async def acquire(self) -> None:
        """Return when the next request may go out."""
        ...

    async def pause(self, seconds: float) -> None:
        """Hold the next requests for so long."""
        ...


@dataclass(frozen=True, slots=True)
class Budget:
    """What the config allows one credential: requests a second (None: any number) and in flight."""

    rate: float | None
    concurrency: int


@dataclass(slots=True)
class _Learnt:
    """What answers said since the store was told."""

    good: int = 0
    bad: bool = False
    quota: Quota | None = None


class SharedGovernor:
    """The budget of `credential` for one `caller`; the same for all callers that name the same credential.

    While the store cannot be reached, `local` decides: scans go on at the configured rate, counted for this
    process alone, because a poller that stops is worse than one that is a little less courteous.
    """

    def __init__(self, db: Db, credential: str, caller: str, budget: Budget, local: Local, clock: Clock) -> None:
        self._db = db
        self._key = db.keys.budget(credential)
        self._caller = caller
        self._budget = budget
        self._local = local
        self._clock = clock
        self._turn = asyncio.Lock()
        # One call at a time: a report that overtakes a grant would take it back.
        self._line = asyncio.Lock()
        self._learnt = _Learnt()
        self._in_flight = 0
        self._wanted = 0
        self._granted = 0
        self._free_until = 0.0
        self._without_until = 0.0
        self._shared = False
        self._keeper: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    async def acquire(self) -> None:
        """Return when the next request may go out; ProviderThrottled when the provider wants more than a minute."""
        self._wanted += 1
        try:
            async with self._turn:
                await self._admitted()
        finally:
            self._wanted -= 1
        self._in_flight += 1
        self._keep()

    async def _admitted(self) -> None:
        try:
            while self._in_flight >= self._granted or self._clock.monotonic() >= self._free_until:
                if not await self._ask():
                    return
        except BaseException:
            # A place in the queue that is given up must not hold others until it lapses.
            self._report_soon()
            raise

    async def _ask(self) -> bool:
        """Ask the store once, and wait as it says; whether to look again."""
        reply = await self._call(ask=True)
        if reply is None:
            await self._local.acquire()
            return False
        granted, wait, why = reply
        self._shared = why != "free"
        if granted:
            self._granted = self._in_flight + granted
            self._free_until = self._clock.monotonic() + FREE_SECONDS if why == "free" else 0.0
            return False
        if why in {"paused", "quota"} and wait > LONGEST_WAIT:
            raise left_alone(wait)
        await self._clock.sleep(wait)
        return True

    def observe(self, outcome: Outcome, quota: Quota | None = None) -> None:
        """A request has ended: what its answer says of the load, and of what is left."""
        self._in_flight -= 1
        learnt = self._learnt
        learnt.good += outcome == "good"
        learnt.bad = learnt.bad or outcome == "bad"
        if quota is not None:
            learnt.quota = quota
        if learnt.bad or quota is not None:
            self._free_until = 0.0
        if learnt.bad or self._shared:
            self._report_soon()

    async def pause(self, seconds: float) -> None:
        """Nobody sends with this credential for so long, in any worker."""
        self._free_until = 0.0
        await self._local.pause(seconds)
        await self._call(pause=seconds)

    async def close(self) -> None:
        """Give up what is held; nothing is asked for after this."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper

    def _report_soon(self) -> None:
        self._news.set()
        self._keep()

    def _keep(self) -> None:
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep_told())

    async def _keep_told(self) -> None:
        """Tell the store who is in flight, at once when others wait for it, until nobody is."""
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_BEAT_SECONDS):
                        await self._news.wait()
                self._news.clear()
                reply = await self._call()
                # What was granted beyond what is in flight is given back by this.
                self._free_until = 0.0
                self._shared = reply is not None and reply[2] != "free"
                if not self._in_flight and not self._news.is_set():
                    return
        except asyncio.CancelledError:
            self._in_flight = self._wanted = 0
            await self._call()
            raise

    async def _call(self, *, ask: bool = False, pause: float = 0.0) -> tuple[int, float, str] | None:
        """Tell the store what was learnt, and ask it for what is wanted; None when it cannot be reached."""
        async with self._line:
            keeps_its_turn = 0 if self._wanted else -1
            return await self._told(self._wanted if ask else keeps_its_turn, pause)

    async def _told(self, wanted: int, pause: float) -> tuple[int, float, str] | None:
        if self._clock.monotonic() < self._without_until:
            return None
        rate, learnt, self._learnt = self._budget.rate, self._learnt, _Learnt()
        quota = learnt.quota or Quota(-1, -1, 0.0)
        try:
            granted, wait_us, why = await self._db.script(
                "governor",
                [self._key],
                [
                    self._caller,
                    self._budget.concurrency,
                    1000 / rate if rate else 0,
                    self._in_flight,
                    wanted,
                    learnt.good,
                    1 if learnt.bad else 0,
                    round(pause * 1000),
                    quota.left,
                    quota.limit,
                    round(quota.reset_in * 1000),
                ],
            )
        except StoreUnavailable as error:
            self._without_until = self._clock.monotonic() + _WITHOUT_STORE_SECONDS
            structlog.get_logger().warning("governor.store_unavailable", error=str(error))
            return None
        return int(granted), int(wait_us) / 1_000_000, text(why)
