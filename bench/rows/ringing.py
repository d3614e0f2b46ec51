"""Deadlines: what armed ones cost until they are due, and how fast many that fall due in one minute are rung."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from bench.limits.store import call
from bench.measure import Spent, spending
from bench.place import Place
from bench.report import Row
from monitor.bootstrap import Services
from monitor.diff import diff_item
from monitor.moments import stamp, to_millis
from monitor.pipeline.source import Source
from monitor.pipeline.walk import commit_of
from monitor.rules import Setting, judge
from monitor.store.items import ItemCommit

LOOKS = 200
PAGE = 500
WITHIN = 60.0
SPAN = timedelta(hours=72)
CONFIG = 'sources: {tax: {provider: worklayer, base_url: "http://127.0.0.1:9", token: t, enabled: false}}\n'


async def measure(place: Place) -> Sequence[Row]:
    """A tenth as many as are armed fall due in one minute; the others in some days."""
    armed, due = place.sizes.items, place.sizes.items // 10
    await place.empty()
    async with place.installed(CONFIG) as services:
        source, now = services.sources["tax"], services.clock.now()
        before = await _memory(place)
        await _take(services, source, now, [now + SPAN + timedelta(days=5, seconds=n) for n in range(armed)], "far")
        kept = (await _memory(place) - before) / armed
        ringer = services.consumer.ringer
        async with spending(LOOKS, place.redis) as idle:
            for _ in range(LOOKS):
                if await ringer.ring():
                    raise RuntimeError("a deadline rang that was not due")
        moments = [now + SPAN - timedelta(seconds=60 * n / due) for n in range(due)]
        await _take(services, source, now, moments, "near")
        async with spending(due, place.redis) as rung:
            while await ringer.ring():
                pass
        told = int(await call(place.redis, "XLEN", "jobwire:events"))
        if told != due or await call(place.redis, "ZCARD", "jobwire:deadlines") != armed + due:
            raise RuntimeError(f"{told} rungs were told of {due}")
    return _rows(armed, due, kept, idle, rung)


def _rows(armed: int, due: int, kept: float, idle: Spent, rung: Spent) -> list[Row]:
    ringing = f"{due:,} deadlines due in one minute"
    return [
        Row(f"a look at {armed:,} armed deadlines, none due", "us CPU", idle.us),
        Row("  of the store", "us CPU", idle.store_us),
        Row("an armed deadline with its item, in the store", "bytes", kept),
        Row(f"{ringing}: rung in", "s", rung.wall, target=f"<= {WITHIN:g}", met=rung.wall <= WITHIN),
        Row("  each", "us CPU", rung.us),
        Row("  each, of the store", "us CPU", rung.store_us),
    ]


async def _take(services: Services, source: Source, now: datetime, moments: Sequence[datetime], name: str) -> None:
    """Store jobs with these deadlines, as a scan that saw them for the first time."""
    how = Setting(source.name, source.provider.vocabulary, source.clockwork, now, baseline=True)
    commits: list[ItemCommit] = []
    for number, at in enumerate(moments):
        id = f"{name}-{number}"
        item = {"id": id, "name": f"Job {number}", "status": "CLAIMED", "deadline_time": stamp(at)}
        raw = msgspec.json.encode(item)
        judgement = judge(None, diff_item(None, source.provider.resources(raw), source.tracking), how)
        digest = hashlib.blake2b(raw, digest_size=16).digest()
        commits.append(commit_of(source, id, b"", digest, None, judgement))
    for start in range(0, len(commits), PAGE):
        chunk = commits[start : start + PAGE]
        await services.store.items.commit(source.name, chunk, fence="", now_ms=to_millis(now))


async def _memory(place: Place) -> int:
    return int((await place.redis.info("memory"))["used_memory"])
