"""The store's clock is the one that counts, whatever a worker's own says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from redis.asyncio import Redis

from monitor.clock import utc_now
from monitor.moments import from_millis
from monitor.store.clock import SharedClock
from monitor.store.connect import connect


@pytest.mark.parametrize("minutes", [-10, 0, 10])
async def test_a_host_clock_that_is_wrong_is_corrected(minutes: int, redis: Redis, store_url: str) -> None:
    """P24: ten minutes wrong either way, scans and deadlines still go by the store's time."""
    db = await connect(store_url)
    try:
        clock = SharedClock(db, lambda: utc_now() + timedelta(minutes=minutes))
        await clock.sync()

        assert abs(clock.now() - from_millis(await db.now_ms())) < timedelta(seconds=1)
    finally:
        await db.close()
