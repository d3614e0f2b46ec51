"""What a tracked item takes in the store."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import aiohttp
from redis.asyncio import Redis

from bench.limits import sweep as limit
from bench.limits.store import call
from bench.place import Place
from bench.report import Row
from bench.rows.scanning import watching_list

BYTES = 350


async def measure(place: Place) -> Sequence[Row]:
    """Bytes an item by INFO used_memory after a baseline; the limit is one hash field with digest and deflated item."""
    size = place.sizes.items
    async with watching_list(place, size) as watch, aiohttp.ClientSession() as session:
        empty = await _used(place.redis)
        async for page in limit.pages(session, place.redis, watch.url):
            pairs = [
                part
                for id, raw, digest in zip(page.ids, page.raws, page.digests, strict=True)
                for part in (id, digest + zlib.compress(raw))
            ]
            await call(place.redis, "HSET", "limit:kept", *pairs)
        bare = (await _used(place.redis) - empty) / size
        # What scripts and connections hold once and for all is there before the items are counted.
        await watch.scan()
        await place.empty()
        empty = await _used(place.redis)
        await watch.scan()
        ours = (await _used(place.redis) - empty) / size
        kept = await _share(place.redis, f"jobwire:items:list-{size}", size)
    return [
        Row(
            "store per tracked item, last document too", "bytes", ours, bare, bare / ours, f"<= {BYTES}", ours <= BYTES
        ),
        Row("  of it in P:items:SOURCE", "bytes", kept),
    ]


async def _used(redis: Redis) -> int:
    return int((await redis.info("memory"))["used_memory"])


async def _share(redis: Redis, key: str, size: int) -> float:
    return int(await redis.memory_usage(key, samples=1000) or 0) / size
