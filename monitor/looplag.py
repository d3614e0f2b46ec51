"""How late an event loop wakes whoever sleeps: a call that holds it up delays all scans and deliveries of a process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

EVERY_SECONDS = 1.0
LATELY_SECONDS = 60.0


@dataclass(slots=True)
class LoopLag:
    """What short sleeps overran in the last minute; `monotonic` gives the seconds it goes by."""

    monotonic: Callable[[], float]
    every: float = EVERY_SECONDS
    _seen: deque[tuple[float, float]] = field(default_factory=deque)

    def worst(self) -> float:
        """The longest overrun of the last minute, in seconds; 0 before the first."""
        return max(self._lately(), default=0.0)

    def mean(self) -> float:
        """The mean of the last minute, in seconds; 0 before the first."""
        found = self._lately()
        return sum(found) / len(found) if found else 0.0

    @asynccontextmanager
    async def measured(self) -> AsyncIterator[None]:
        """Measure for the time of the block."""
        measuring = asyncio.create_task(self._measure())
        try:
            yield
        finally:
            measuring.cancel()
            with suppress(asyncio.CancelledError):
                await measuring

    async def _measure(self) -> None:
        while True:
            before = self.monotonic()
            await asyncio.sleep(self.every)
            now = self.monotonic()
            self._seen.append((now, max(0.0, now - before - self.every)))
            self._lately()

    def _lately(self) -> list[float]:
        # What was seen last stays, however long ago: a loop that was held up for minutes says so.
        while len(self._seen) > 1 and self._seen[0][0] < self._seen[-1][0] - LATELY_SECONDS:
            self._seen.popleft()
        return [lag for _, lag in self._seen]
