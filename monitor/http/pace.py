"""The budget of a credential that nobody shares: at most so many requests a second, and none while paused."""

from __future__ import annotations

from monitor.budget import LONGEST_WAIT, Outcome, Quota, left_alone
from monitor.clock import Clock

_CLOSE_ENOUGH = 1e-9


class Pace:
    """Spaces the requests of one source evenly, `rate` a second (None: no limit), and holds all while paused.

    Even spacing rather than a burst: `rate: 5` is then true of every second one could look at.
    """

    def __init__(self, rate: float | None, clock: Clock) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._clock = clock
        self._free_at = clock.monotonic()
        self._silent_until = self._free_at

    async def acquire(self) -> None:
        """Return when the next request may go out; ProviderThrottled when a pause is longer than a minute."""
        while True:
            now = self._clock.monotonic()
            silence = self._silent_until - now
            if silence > LONGEST_WAIT:
                raise left_alone(silence)
            wait = max(silence, self._free_at - now if self._interval else 0.0)
            if wait <= _CLOSE_ENOUGH:
                self._free_at = now + self._interval
                return
            await self._clock.sleep(wait)

    def observe(self, outcome: Outcome, quota: Quota | None = None) -> None:
        """Nothing: without others to share with, waits that are asked for are enough."""

    async def pause(self, seconds: float) -> None:
        """Hold everybody's next turn for so many seconds from now; a longer pause already there stays."""
        self._silent_until = max(self._silent_until, self._clock.monotonic() + seconds)
