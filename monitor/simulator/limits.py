"""Requests in, "go on" or "wait" out: the fixed windows in which two of the services count requests."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple


class Allowance(NamedTuple):
    """Where a caller stands: whether this request passes, what is left, and when the window ends (epoch
    seconds).
    """

    passes: bool
    limit: int
    remaining: int
    reset: int
    wait: int

    def headers(self, prefix: str) -> dict[str, str]:
        """Give the three headers both services send, with their own prefix."""
        return {
            f"{prefix}-Limit": str(self.limit),
            f"{prefix}-Remaining": str(self.remaining),
            f"{prefix}-Reset": str(self.reset),
        }


class Windows:
    """Counts requests per caller in windows of ``seconds`` by the wall clock; ``limit`` None lets all pass
    uncounted.
    """

    def __init__(self, limit: int | None, seconds: float, clock: Callable[[], float] = time.time) -> None:
        self.limit = limit
        self._seconds = seconds
        self._clock = clock
        self._used: dict[str, tuple[float, int]] = {}

    def take(self, caller: str) -> Allowance | None:
        """Count one request of ``caller`` and tell where it stands; None when nothing is counted."""
        if self.limit is None:
            return None
        now = self._clock()
        ends, used = self._used.get(caller, (0.0, 0))
        if now >= ends:
            ends, used = now + self._seconds, 0
        passes = used < self.limit
        used += passes
        self._used[caller] = (ends, used)
        return Allowance(passes, self.limit, self.limit - used, math.ceil(ends), max(1, math.ceil(ends - now)))


class Bucket:
    """A token bucket per caller: ``burst`` at once, then ``rate`` a second, by a clock that never goes back."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._held: dict[str, tuple[float, float]] = {}

    def take(self, caller: str) -> int:
        """Give 0 when the caller may go on, else the whole seconds it has to wait."""
        now = self._clock()
        tokens, since = self._held.get(caller, (float(self._burst), now))
        tokens = min(float(self._burst), tokens + (now - since) * self._rate)
        passes = tokens >= 1
        self._held[caller] = (tokens - passes, now)
        return 0 if passes else max(1, math.ceil((1 - tokens) / self._rate))
