"""A sweep at its barest: GET a page, split it into raw slices, hash each, ask for their digests in one round trip."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import aiohttp
import msgspec
from msgspec import Raw
from redis.asyncio import Redis

from bench.limits.store import call

KEY = "limit:digests"
_HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer t", "Accept-Encoding": "gzip, deflate"}


class Listed(msgspec.Struct):
    jobs: list[Raw]
    next_cursor: str | None = None


class Identified(msgspec.Struct):
    id: str


@dataclass(frozen=True, slots=True)
class Rows:
    """One page: ids, raw slices, their digests, and the digests that are stored."""

    ids: Sequence[str]
    raws: Sequence[Raw]
    digests: Sequence[bytes]
    stored: Sequence[bytes | None]


async def pages(session: aiohttp.ClientSession, redis: Redis, url: str) -> AsyncIterator[Rows]:
    """Walk the list at `url` to its end."""
    listed, identified = msgspec.json.Decoder(Listed), msgspec.json.Decoder(Identified)
    cursor: str | None = None
    while True:
        body = msgspec.json.encode({"limit": 100, "cursor": cursor} if cursor else {"limit": 100})
        async with session.post(f"{url}/jobs.list", data=body, headers=_HEADERS) as answer:
            page = listed.decode(await answer.read())
        ids = [identified.decode(raw).id for raw in page.jobs]
        digests = [hashlib.sha256(raw).digest()[:16] for raw in page.jobs]
        yield Rows(ids, page.jobs, digests, await call(redis, "HMGET", KEY, *ids))
        cursor = page.next_cursor
        if cursor is None:
            return


async def sweep(session: aiohttp.ClientSession, redis: Redis, url: str) -> int:
    """Walk the list at `url`; how many items differ from what is stored."""
    differing = 0
    async for page in pages(session, redis, url):
        differing += sum(one != other for one, other in zip(page.digests, page.stored, strict=True))
    return differing
