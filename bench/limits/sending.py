"""Deliveries at their barest: batches from a stream, a signed POST each, so many in flight, one XACK a batch."""

from __future__ import annotations

import asyncio
import base64
import hmac
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import aiohttp
from redis.asyncio import Redis

from bench.limits.store import call

STREAM = "limit:outbox"
_GROUP = "limit"

Entry: TypeAlias = tuple[bytes, Mapping[bytes, bytes]]
_KEY = b"0123456789abcdef0123456789abcdef"


async def fill(redis: Redis, bodies: Sequence[tuple[str, bytes]]) -> None:
    """Put events into the stream, a hundred to a round trip."""
    for start in range(0, len(bodies), 100):
        pipeline = redis.pipeline(transaction=False)
        for id, body in bodies[start : start + 100]:
            pipeline.execute_command("XADD", STREAM, "*", "id", id, "body", body)
        await pipeline.execute()


async def open_group(redis: Redis) -> None:
    """A consumer group that has read nothing yet."""
    await redis.xgroup_create(STREAM, _GROUP, id="0", mkstream=True)


async def drain(session: aiohttp.ClientSession, redis: Redis, url: str, flights: int) -> int:
    """Send everything that is in the stream; how many."""
    waiting: deque[Entry] = deque()
    reading = asyncio.Lock()
    sent: list[bytes] = []
    total = 0

    async def refill() -> bool:
        async with reading:
            if not waiting:
                waiting.extend(await _read(redis, "COUNT", 100))
        return bool(waiting)

    async def work() -> None:
        nonlocal sent, total
        while waiting or await refill():
            place, fields = waiting.popleft()
            await post(session, url, fields)
            sent.append(place)
            total += 1
            if len(sent) >= 100:
                done, sent = sent, []
                await _acknowledge(redis, done)

    await asyncio.gather(*(work() for _ in range(flights)))
    if sent:
        await _acknowledge(redis, sent)
    return total


async def follow(session: aiohttp.ClientSession, redis: Redis, url: str, flights: int) -> None:
    """Send what comes into the stream the moment it comes, until cancelled."""
    gate = asyncio.Semaphore(flights)
    sending: set[asyncio.Task[None]] = set()

    async def one(fields: Mapping[bytes, bytes]) -> None:
        async with gate:
            await post(session, url, fields)

    while True:
        batch = await _read(redis, "COUNT", 100, "BLOCK", 1000)
        for _, fields in batch:
            task = asyncio.create_task(one(fields))
            sending.add(task)
            task.add_done_callback(sending.discard)
        if batch:
            await _acknowledge(redis, [place for place, _ in batch])


async def post(session: aiohttp.ClientSession, url: str, fields: Mapping[bytes, bytes]) -> None:
    """One signed POST, as Standard Webhooks say."""
    id, body, at = fields[b"id"], fields[b"body"], b"%d" % time.time()
    digest = hmac.digest(_KEY, b"%s.%s.%s" % (id, at, body), "sha256")
    headers = {
        "content-type": "application/cloudevents+json",
        "webhook-id": id.decode(),
        "webhook-timestamp": at.decode(),
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }
    async with session.post(url, data=body, headers=headers) as answer:
        await answer.read()
        if answer.status != 204:
            raise AssertionError(f"the sink answered {answer.status}")


async def _read(redis: Redis, *options: str | int) -> Sequence[Entry]:
    reply = await call(redis, "XREADGROUP", "GROUP", _GROUP, "one", *options, "STREAMS", STREAM, ">")
    return reply[0][1] if reply else ()


async def _acknowledge(redis: Redis, places: Sequence[bytes]) -> None:
    await call(redis, "XACK", STREAM, _GROUP, *places)
