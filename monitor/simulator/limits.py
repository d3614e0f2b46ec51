"""Requests in, "go on" or "wait" out: the fixed windows in which two of the services count requests."""

from __future__ import annotations

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
        return Allowance(passes, self.limit, self.limit - used, int(-(-ends // 1)), max(1, int(-(-(ends - now) // 1))))
