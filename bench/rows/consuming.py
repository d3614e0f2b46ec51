"""Delivering what is committed, by the resident consumer of a worker."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from bench.measure import Spent, spending
from monitor.bootstrap import Services

_WAIT_SECONDS = 120.0


async def consume(services: Services, redis: Redis, count: int) -> Spent:
    """Relay and deliver until `count` deliveries are recorded, from a standing start; what that cost."""
    consumer = services.consumer
    goal = consumer.deliverer.delivered + count
    async with spending(count, redis) as spent:
        running = asyncio.create_task(consumer.run())
        async with asyncio.timeout(_WAIT_SECONDS):
            while consumer.deliverer.delivered < goal:  # noqa: ASYNC110 - the product has no such event
                await asyncio.sleep(0.002)
    services.stopping.set()
    await running
    services.stopping.clear()
    return spent
