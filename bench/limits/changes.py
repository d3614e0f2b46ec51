"""Changed items at their barest: parse each, and write everything that must be written by one script a page.

What is written is what the product writes, uncompressed and unnamed: digest, document, event, the event's place,
a line of history. The stored document is read and parsed, because there is no diff without it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import chain

import aiohttp
import msgspec
from redis.asyncio import Redis

from bench.limits.store import call
from bench.limits.sweep import KEY, Rows, pages

_DOCUMENTS = "limit:documents"
_EVENTS = "limit:events"
_SCRIPT = """
local told = ARGV[1] == '1'
for at = 2, #ARGV, 5 do
  redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
  redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 2])
  if told then
    local id = redis.call('XADD', KEYS[3], '*', 'id', ARGV[at + 3], 'body', ARGV[at + 4])
    redis.call('SET', 'limit:event:' .. ARGV[at + 3], id, 'PX', 1209600000)
    redis.call('LPUSH', 'limit:history:' .. ARGV[at], ARGV[at + 3])
  end
end
return #ARGV
"""
_ENVELOPE = b'{"specversion":"1.0","id":"%b","source":"/sources/limit","type":"devrev.job.changed","data":%b}'


async def take(session: aiohttp.ClientSession, redis: Redis, url: str, *, told: bool) -> int:
    """Walk the list at `url` and write everything that differs, with one event each if `told`; how many items."""
    script = str(await redis.script_load(_SCRIPT))
    written = 0
    async for page in pages(session, redis, url):
        changed = [at for at, digest in enumerate(page.digests) if digest != page.stored[at]]
        if changed:
            await _write(redis, script, page, changed, told=told)
        written += len(changed)
    return written


async def _write(redis: Redis, script: str, page: Rows, changed: Sequence[int], *, told: bool) -> None:
    before = await call(redis, "HMGET", _DOCUMENTS, *(page.ids[at] for at in changed))
    rows = (_row(page, at, old) for at, old in zip(changed, before, strict=True))
    keys = (KEY, _DOCUMENTS, _EVENTS)
    await call(redis, "EVALSHA", script, len(keys), *keys, int(told), *chain.from_iterable(rows))


def _row(page: Rows, at: int, before: bytes | None) -> tuple[str | bytes, ...]:
    id, raw = page.ids[at], bytes(page.raws[at])
    item = msgspec.json.decode(raw)
    if before is not None and msgspec.json.decode(before) == item:
        raise AssertionError("an item whose digest differs does not differ")
    event = hashlib.sha256(page.digests[at]).hexdigest()[:28]
    return (id, page.digests[at], raw, event, _ENVELOPE % (event.encode(), raw))
