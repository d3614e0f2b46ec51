"""How many attempts a target may be sent now: its `rate`, smoothed to one second's worth at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Allowance:
    """A token bucket of `rate` a second (None: no limit); `monotonic` gives seconds. One per target and worker."""

    rate: float | None
    monotonic: Callable[[], float]
    _tokens: float = field(default=1.0)
    _at: float | None = field(default=None)

    def available(self, wanted: int) -> int:
        """How many of the wanted attempts may be made now."""
        if self.rate is None:
            return wanted
        now = self.monotonic()
        grown = 0.0 if self._at is None else (now - self._at) * self.rate
        self._tokens, self._at = min(max(1.0, self.rate), self._tokens + grown), now
        return min(wanted, int(self._tokens))

    def spend(self, made: int) -> None:
        """Attempts that are being made."""
        if self.rate is not None:
            self._tokens -= made

    def wait(self) -> float | None:
        """Seconds until one more may be made; None when there is no limit."""
        if self.rate is None:
            return None
        return max(0.001, (1.0 - self._tokens) / self.rate)
