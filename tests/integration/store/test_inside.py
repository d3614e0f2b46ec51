"""What lies inside an item is found by its ref at once, as long as the item is kept, and leaves nothing behind."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from monitor.store.db import Db
from monitor.store.eventlog import EventLog
from monitor.store.inside import inside
from monitor.store.items import Items
from monitor.store.lanes import Lanes
from monitor.store.retention import Retention
from monitor.store.upkeep import Upkeep
from tests.integration.store.makers import change, created, take
from tests.unit.acme import contract, job, post

FAMILY = [post(), contract(id="8", end_date="2026-02-04"), contract("pending", id="9", role="pending")]


async def notes(db: Db) -> int:
    """How many resources are noted."""
    keys = await db.run("KEYS", db.keys.inside("shop", "*"))
    return sum([int(await db.run("HLEN", key)) for key in keys])


async def whole(db: Db, items: Items) -> None:
    """The one walk through everything is over."""
    assert await items.holding("shop", "contract/none") is None
    assert await db.run("HGET", db.keys.source("shop"), "inside") == b"1"


async def reads(db: Db, redis: Redis) -> int:
    """How often the server went through a hash so far."""
    stats = await redis.info("commandstats")
    return int(stats.get("cmdstat_hscan", {}).get("calls", 0))


async def test_what_lies_inside_is_found_without_going_through_all(db: Db, items: Items) -> None:
    """Its document at once; what does not exist costs one walk in the life of a source, then a look."""
    await take(items, created("7", *FAMILY), *(created(str(id), job(id=str(id))) for id in range(100, 130)))
    before = await reads(db, db.client)
    document = await items.holding("shop", "contract/8")
    assert document is not None
    assert document.known["contract/8"].resource.id == "8"
    assert await reads(db, db.client) == before
    await whole(db, items)
    walked = await reads(db, db.client)
    assert walked > before
    assert await items.holding("shop", "contract/none either") is None
    assert await reads(db, db.client) == walked
    assert await notes(db) == len(inside("7", document))


async def test_what_an_older_version_stored_is_found_and_noted(db: Db, items: Items) -> None:
    """Without notes everything is gone through once; afterwards they are there."""
    await take(items, created("7", *FAMILY))
    for key in await db.run("KEYS", db.keys.inside("shop", "*")):
        await db.run("DEL", key)
    assert await items.holding("shop", "contract/9") is not None
    assert await notes(db) > 0
    before = await reads(db, db.client)
    assert await items.holding("shop", "contract/8") is not None
    assert await reads(db, db.client) == before


async def test_a_write_that_is_refused_notes_nothing(db: Db, items: Items) -> None:
    """Somebody else has stored the item meanwhile."""
    await take(items, created("7", post()))
    before = await notes(db)
    assert await take(items, created("7", *FAMILY)) == ["7"]
    assert await notes(db) == before


@pytest.mark.parametrize("back", [False, True])
async def test_notes_go_with_the_document(db: Db, items: Items, lanes: Lanes, log: EventLog, *, back: bool) -> None:
    """A removed item is found until it is forgotten; one that came back in time stays."""
    await take(items, created("7", *FAMILY))
    now = await db.now_ms()
    await items.commit("shop", [await change(items, "7", None)], fence="", now_ms=now - 61_000)
    assert await items.holding("shop", "contract/8") is not None
    if back:
        await take(items, await change(items, "7", "2", *FAMILY))
    await Upkeep(db, log, lanes, Retention(events_ms=60_000, gone_ms=60_000)).run(["shop"], [])
    assert (await items.holding("shop", "contract/8") is not None) is back
    assert (await notes(db) > 0) is back
