"""Whose turn it is: at most so many requests a second, and none while the other side asked for silence."""

from __future__ import annotations

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

    def pause(self, seconds: float) -> None:
        """Hold everybody's next turn for so many seconds from now; a longer pause already there stays."""
        self._silent_until = max(self._silent_until, self._clock.monotonic() + seconds)

    async def turn(self) -> None:
        """Return when the next request may go out."""
        while True:
            now = self._clock.monotonic()
            wait = max(self._silent_until, self._free_at if self._interval else now) - now
            if wait <= _CLOSE_ENOUGH:
                self._free_at = now + self._interval
                return
            await self._clock.sleep(wait)
