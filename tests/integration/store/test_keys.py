"""Nothing is kept that is not described, nothing lives longer than described, nothing is kept for ever by accident."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from monitor.store import keys as keys_module
from monitor.store.db import Db
from monitor.store.eventlog import FIRST, EventLog
from monitor.store.items import COMMIT_SIZE, ItemCommit, Items, missing_field
from monitor.store.keys import Keys
from monitor.store.lanes import Lanes
from monitor.store.once import Once
from monitor.store.retention import Retention
from monitor.store.signedout import SignedOut
from monitor.store.sources import Lease, ScanClosing, Sources
from monitor.store.upkeep import Upkeep
from tests.integration.store.makers import HOOK, NOW_MS, change, counted, created, news, publish, relay, settled, take
from tests.unit.acme import contract, job, post

DAY_MS = 86_400_000
MOST = {
    "lease, seconds": 60_000,
    "retention": 14 * DAY_MS,
    "90 days": 90 * DAY_MS,
    "until then": 2 * 3_600_000,
    "a day": DAY_MS,
    "a minute": 60_000,
    "49 hours": 49 * 3_600_000,
    "until it would have ended": 12 * 3_600_000 + 60_000,
}
"""The longest time to live (ms) that the words of the table allow; other words mean that a key has none."""

TRIMMED = {"events", "deliveries"}
"""Kept for the retention too, but shortened by upkeep instead of expiring whole."""

ELSEWHERE = {"budget", "token", "buying", "pages", "secrets", "members", "conditions", "silences", "workers"}
ELSEWHERE |= {"state", "spans", "briefs"}
"""Written by what speaks to providers, rotates secrets or follows conditions, and tested with it."""


@dataclass(frozen=True, slots=True)
class Described:
    """One row of the table in `monitor/store/keys.py`."""

    name: str
    pattern: re.Pattern[str]
    type: str
    lives: str


def table(prefix: str) -> list[Described]:
    """The rows of the table; words in capitals stand for any text."""
    rows = re.findall(r"^\| `P:([^`]+)` \| ([^|]+) \| [^|]+ \| ([^|]+) \|$", keys_module.__doc__ or "", re.MULTILINE)
    assert len(rows) > 15
    types = {"sorted set": "zset"}
    return [
        Described(
            name.partition(":")[0],
            re.compile(prefix + ":" + re.sub(r"\b[A-Z]+\b", ".+", name)),
            types.get(type_, type_),
            lives,
        )
        for name, type_, lives in rows
    ]


async def leased(sources: Sources, slot: int) -> Lease:
    """The lease of the source for a slot."""
    lease = await sources.claim("shop", owner="w1", slot=slot, ttl_ms=15_000)
    assert isinstance(lease, Lease)
    return lease


async def live(db: Db, items: Items, sources: Sources, lanes: Lanes, log: EventLog) -> None:
    """Everything that the store can be asked to do, once at least."""
    family = [post(), contract(id="8", end_date="2026-02-04"), contract("pending", id="9", role="pending")]
    await take(items, created("7", *family), created("1", job()), created("2", job(id="2")))
    await take(items, await change(items, "7", "2", post("filled"), *family[1:]), await change(items, "2", None))
    await take(items, *(created(str(id), job(id=str(id))) for id in range(100, 130)))
    after = created("3", job(id="3")).after
    note = ItemCommit("3", b"", b"x" * 16, None, after, walked=True, note=[("job/4", b"1")])
    await take(items, note)
    closing = ScanClosing(
        set={"slot": 1, "held": 2, "fresh_at": "then", "scan": b"{}"},
        missing={missing_field("1", ""): b"1"},
        events=[news(1)],
        doubts={"1": b"{}"},
        count={"pages": 1},
    )
    await sources.finish(await leased(sources, 1), closing)
    await sources.learn(await leased(sources, 2), {"job": b"{}"}, [("new_field job a", news(3))])
    await publish(db, 4, first=2)
    await log.ring()
    await relay(lanes, log, [("hook", "a"), ("hook", "shop/job/1"), ("chat", "b")], interval=60.0)
    first, second = await lanes.claim("hook", lease_ms=60_000, limit=2, take=1)
    await lanes.settle("hook", [settled(first), settled(second, "retry", 60.0)], hold=60.0, disable=True)
    (elsewhere,) = await lanes.claim("chat", lease_ms=60_000, limit=1, take=1)
    await lanes.settle("chat", [settled(elsewhere, "failed")])
    await Once(db).end("key", "asked", 202, b"{}")
    await SignedOut(db).end("name", 12 * 3600)
    await lanes.announce("hook", news(9), failing=True)
    await items.commit("shop", [await change(items, "1", "9", job("DONE"))], fence="2:w1", now_ms=NOW_MS)


async def test_every_key_is_described_and_lives_as_long_as_it_says(
    db: Db, items: Items, sources: Sources, lanes: Lanes, log: EventLog
) -> None:
    """After everything was done once: name, type and time to live of each key are those of the table, row by row."""
    await live(db, items, sources, lanes, log)
    rows, seen = table("t"), set()
    for key in await db.run("KEYS", "*"):
        described = [row for row in rows if row.pattern.fullmatch(key.decode())]
        assert described, f"{key!r} is in no row of monitor/store/keys.py"
        row = described[0]
        seen.add(row.name)
        assert (await db.run("TYPE", key)).decode() == row.type, key
        ttl = await db.run("PTTL", key)
        if row.lives in MOST and row.name not in TRIMMED:
            assert 0 < ttl <= MOST[row.lives], f"{key!r} has {ttl} ms to live, {row.lives!r} is promised"
        else:
            assert ttl == -1, f"{key!r} expires, {row.lives!r} is promised"
    assert {row.name for row in rows} - ELSEWHERE <= seen, "live() leaves something undone"


async def test_two_installations_on_one_server_do_not_meet(db: Db, items: Items, lanes: Lanes, log: EventLog) -> None:
    """Each has its prefix, in scripts too."""
    other = Db(db.client, Keys("u"))
    sources = Sources(db, Retention())
    await live(db, items, sources, lanes, log)
    mine = set(await db.run("KEYS", "*"))
    assert {key[:2] for key in mine} == {b"t:"}
    theirs = (Items(other, Retention()), Sources(other, Retention()), Lanes(other, Retention()))
    await live(other, *theirs, EventLog(other, Retention()))
    assert {key[:2] for key in set(await db.run("KEYS", "*")) - mine} == {b"u:"}


async def test_a_finished_life_leaves_only_what_is_kept_on_purpose(
    db: Db, items: Items, sources: Sources, lanes: Lanes, log: EventLog
) -> None:
    """All delivered, all removed: no lanes, no deadlines, no digests."""
    await take(items, created("1", job(due_at="2026-02-04T10:00:00Z")))
    await take(items, await change(items, "1", None))
    await relay(lanes, log, HOOK)
    while claimed := await lanes.claim("hook", lease_ms=60_000, limit=9, take=1):
        await lanes.settle("hook", [settled(one) for one in claimed])
    left = {key.decode().split(":")[1] for key in await db.run("KEYS", "*")}
    kept = {
        "events",
        "event",
        "relay",
        "delivery",
        "deliveries",
        "target",
        "attempts",
        "attempted",
        "docs",
        "gone",
        "counts",
        "history",
        "armed",
    }
    assert left == kept
    assert await sources.counts("shop") == {}


@pytest.fixture
def upkeep(db: Db, log: EventLog, lanes: Lanes) -> Upkeep:
    """The upkeep of that store, with short lives."""
    return Upkeep(db, log, lanes, Retention(events_ms=60_000, gone_ms=60_000))


async def test_upkeep_forgets_what_has_outlived_its_time_and_nothing_else(
    db: Db, items: Items, lanes: Lanes, log: EventLog, upkeep: Upkeep
) -> None:
    """Removed items and lists of deliveries; what is there, and what went lately, stays."""
    now = await db.now_ms()
    await take(items, *(created(id, job(id=id)) for id in ("old", "new", "here")))
    for id, when in (("old", now - 61_000), ("new", now - 30_000)):
        await items.commit("shop", [await change(items, id, None)], fence="", now_ms=when)
    await relay(lanes, log, HOOK)
    (young, old) = (await db.run("ZRANGE", db.keys.deliveries("hook"), 0, -1))[:2]
    for listed in (db.keys.deliveries("hook"), db.keys.pending("hook")):
        await db.run("ZADD", listed, now - 61_000, old)
    await upkeep.run(["shop"], ["hook"])
    assert [document is None for document in await items.documents("shop", ["old", "new", "here"])] == [
        True,
        False,
        False,
    ]
    assert await db.run("ZRANGE", db.keys.gone("shop"), 0, -1) == [b"new"]
    for listed in (db.keys.deliveries("hook"), db.keys.pending("hook")):
        left = await db.run("ZRANGE", listed, 0, -1)
        assert young in left
        assert old not in left
    await upkeep.run(["shop"], ["hook"])
    assert await items.size("shop") == 1


async def test_p18_an_item_that_came_back_in_time_is_not_forgotten(db: Db, items: Items, upkeep: Upkeep) -> None:
    """Its document is the one of the item that is there."""
    now = await db.now_ms()
    await take(items, created("1", job()))
    await items.commit("shop", [await change(items, "1", None)], fence="", now_ms=now - 61_000)
    await take(items, await change(items, "1", "2", job()))
    await upkeep.run(["shop"], [])
    (document,) = await items.documents("shop", ["1"])
    assert document is not None
    assert document.known["job/1"].revision == 3
    assert await counted(items) == {"job": {"OPEN": 1}}


async def test_a_large_removal_is_forgotten_bit_by_bit(db: Db, items: Items, upkeep: Upkeep) -> None:
    """Each run takes a bounded number, and every one of them in time."""
    now = await db.now_ms()
    ids = [str(number) for number in range(1200)]
    await take(items, *(created(id, job(id=id)) for id in ids))
    for start in range(0, len(ids), COMMIT_SIZE):
        removals = [await change(items, id, None) for id in ids[start : start + COMMIT_SIZE]]
        await items.commit("shop", removals, fence="", now_ms=now - 61_000)
    left = []
    for _ in range(3):
        await upkeep.run(["shop"], [])
        left.append(await db.run("HLEN", db.keys.docs("shop")))
    assert left == [200, 0, 0]


async def test_no_upkeep_takes_an_event_that_is_not_in_its_lanes(
    db: Db, lanes: Lanes, log: EventLog, upkeep: Upkeep
) -> None:
    """The relay was down for longer than the retention: everything is still there for it."""
    for number in range(300):
        await db.run("XADD", db.keys.events, f"{number + 1}-1", "id", number, "type", "a.b.c", "body", "{}")
    await upkeep.run([], [])
    assert len(await log.after(FIRST, 1000)) == 300
    assert await relay(lanes, log, HOOK) == 300
    await upkeep.run([], [])
    assert len(await log.after(FIRST, 1000)) < 300
