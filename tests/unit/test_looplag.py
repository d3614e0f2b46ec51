"""How late a loop wakes whoever sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from monitor.looplag import LATELY_SECONDS, LoopLag


def clock(*lags: float, after: float = 0.0) -> Iterator[float]:
    """What a clock shows before and after each sleep of no length, which ends so late."""
    now = 100.0
    for lag in lags:
        yield now
        now += lag
        yield now
        now += after
    while True:
        yield now


async def measured(*lags: float, after: float = 0.0) -> tuple[float, float]:
    """Sleeps that overran so far, so many seconds apart; the worst and the mean."""
    ticks = clock(*lags, after=after)
    left = 2 * len(lags)
    done = asyncio.Event()

    def monotonic() -> float:
        nonlocal left
        left -= 1
        if left < 0:
            done.set()
        return next(ticks)

    lag = LoopLag(monotonic, every=0.0)
    async with lag.measured():
        await done.wait()
        return lag.worst(), lag.mean()


async def test_what_sleeps_overrun_is_told_by_its_worst_and_its_mean() -> None:
    """A loop that was held up once in four has a worst that says so."""
    assert await measured(0.0, 2.0, 0.0, 0.0) == (2.0, 0.5)


async def test_only_the_last_minute_counts() -> None:
    """What was long ago is over; the last thing seen stays, so that a loop that stood for minutes says so."""
    assert await measured(5.0, 1.0, after=LATELY_SECONDS) == (1.0, 1.0)
    assert (await measured(LATELY_SECONDS * 3))[0] == LATELY_SECONDS * 3


def test_nothing_measured_is_no_lag() -> None:
    """Right after a start."""
    assert (LoopLag(lambda: 0.0).worst(), LoopLag(lambda: 0.0).mean()) == (0.0, 0.0)
