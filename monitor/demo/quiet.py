"""How much may be told: a terminal that races past is read by nobody."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

BURST = 5.0
A_SECOND = 1.5


@dataclass(slots=True)
class Allowance:
    """So many events in full at once, then so many a second."""

    clock: Callable[[], float] = time.monotonic
    _left: float = BURST
    _at: float = 0.0

    def take(self) -> bool:
        """Whether one more may be told in full."""
        allowed = self.ready()
        self._left -= allowed
        return allowed

    def ready(self) -> bool:
        """Whether the next one may."""
        now = self.clock()
        self._left = min(BURST, self._left + (now - self._at) * A_SECOND)
        self._at = now
        return self._left >= 1
