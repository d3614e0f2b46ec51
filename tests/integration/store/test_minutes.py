"""What is counted by the minute for charts: once, whoever repeats what, and not for ever."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from monitor.errors import Fenced
from monitor.store import minutes as minutes_module
from monitor.store.db import Db
from monitor.store.eventlog import FIRST, EventLog
from monitor.store.lanes import Lanes
from monitor.store.minutes import MORE, NO_SOURCE, AttemptMinutes, Happened, Minutes
from monitor.store.sources import SCANS_KEPT, Lease, ScanClosing, Sources
from tests.integration.store.makers import HOOK, everything, publish, relay, settled

HOUR_MS = 3_600_000


async def attempted(db: Db) -> AttemptMinutes:
    """What the last two hours came to."""
    minute = await db.now_ms() // 60_000
    return await Minutes(db).attempts(minute - 120, minute)


async def test_attempts_and_arrivals_are_counted_in_their_minute(db: Db, lanes: Lanes, log: EventLog) -> None:
    """By outcome and by how long after the change they arrived; a record that is repeated counts once."""
    await publish(db, 2)
    await relay(lanes, log, [("hook", "a"), ("hook", "b")])
    first, second = await lanes.claim("hook", lease_ms=60_000, limit=2, take=1)
    await lanes.settle("hook", [settled(first), settled(second, "retry", 90.0)])
    before = await attempted(db)
    assert {name: sum(found.values()) for name, found in before.made.items()} == {
        "delivered": 1,
        "retry": 1,
        "failed": 0,
    }
    assert sum(amount for found in before.after.values() for amount in found.values()) == 1
    assert all(0 <= number <= MORE for found in before.after.values() for number in found)
    await lanes.settle("hook", [settled(first), settled(second, "retry", 90.0)])
    assert await attempted(db) == before


async def test_events_are_counted_once_by_the_minute_they_were_stored_in(db: Db, lanes: Lanes, log: EventLog) -> None:
    """Of many relays at once only those that move the cursor count; a minute that is long gone is not kept."""
    await publish(db, 3)
    stored, end = await log.after(FIRST, 10), await log.end()
    minute = stored[0].at_ms // 60_000
    happened = {Happened(minute, "shop"): 2, Happened(minute, NO_SOURCE): 1, Happened(1, "shop"): 7}
    done = await asyncio.gather(*(lanes.relay(FIRST, end, [], happened=happened) for _ in range(5)))
    assert sorted(done) == [-1, -1, -1, -1, 0]
    found = await Minutes(db).sources(["shop", NO_SOURCE, "other"], minute - 5, minute)
    assert (found["shop"].events, found[NO_SOURCE].events, found["other"].events) == ({minute: 2}, {minute: 1}, {})
    assert (await Minutes(db).sources(["shop"], 0, 59))["shop"].events == {}


async def test_complete_scans_leave_when_they_ended_and_what_they_did(db: Db, sources: Sources) -> None:
    """Others leave what they did only; the last fifty are kept; whoever lost the lease writes neither."""
    begun_ms, lease = await db.now_ms(), await leased(sources, 1)
    closing = ScanClosing(set={"fresh_at": "2026-01-05T09:30:00Z", "scan": b'{"ms":7}'})
    await sources.finish(lease, closing)
    before = await everything(db)
    with pytest.raises(Fenced):
        await sources.finish(lease, closing)
    assert await everything(db) == before
    now_ms = await db.now_ms()
    found = (await Minutes(db).sources(["shop"], now_ms // 60_000 - 60, now_ms // 60_000))["shop"]
    (ended,) = found.fresh_ms.values()
    assert begun_ms <= ended <= now_ms
    for number in range(SCANS_KEPT):
        await sources.finish(await leased(sources, number + 2), ScanClosing(set={"scan": f'{{"ms":{number}}}'}))
    scans = await sources.recent("shop")
    assert [one["ms"] for one in scans] == [*range(SCANS_KEPT - 1, -1, -1)]
    assert (await Minutes(db).sources(["shop"], now_ms // 60_000 - 60, now_ms // 60_000 + 60))["shop"] == found


async def leased(sources: Sources, slot: int) -> Lease:
    """The lease of the source for a slot."""
    lease = await sources.claim("shop", owner="w1", slot=slot, ttl_ms=15_000)
    assert isinstance(lease, Lease)
    return lease


async def test_what_is_counted_ends_by_itself(db: Db, lanes: Lanes, log: EventLog, sources: Sources) -> None:
    """Each key lives at most 49 hours from the beginning of its hour, however often it is written."""
    await sources.finish(await leased(sources, 1), ScanClosing(set={"fresh_at": "x"}))
    await publish(db, 1)
    await relay(lanes, log, HOOK)
    minute = (await db.now_ms()) // 60_000
    await lanes.relay(await lanes.cursor(), await log.end(), [], happened={Happened(minute, "shop"): 1})
    for lane in await lanes.claim("hook", lease_ms=60_000, limit=1, take=1):
        await lanes.settle("hook", [settled(lane)])
    keys = [key.decode() for key in await db.run("KEYS", "t:*") if re.match(r"t:(minutes|attempted):", key.decode())]
    assert {key.split(":")[1] for key in keys} == {"minutes", "attempted"}
    for key in keys:
        hour = int(key.rpartition(":")[2])
        assert await db.run("PEXPIRETIME", key) == (hour + 49) * HOUR_MS, key


def test_scripts_and_readers_agree_on_how_long_a_minute_is_kept() -> None:
    """The hours in the scripts are those of which readers may ask, and one more for the hour that has begun."""
    hours = minutes_module.KEPT_MINUTES // 60 + 1
    for name in ("settle", "relay", "finish_scan"):
        script = Path(minutes_module.__file__).with_name(f"{name}.lua").read_text()
        assert f"+ {hours}) * 3600000" in script
