"""Documents beside the digests they belong to: packed, learnt from, and read from stores of every age."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import msgspec
import pytest

from monitor.errors import Unreadable
from monitor.resources import Document, Resource
from monitor.store.db import Db
from monitor.store.eventlog import EventLog
from monitor.store.items import COMMIT_SIZE, COMMIT_WORK, HEAD_SIZE, WORD, ItemCommit, Items
from monitor.store.retention import Retention
from tests.integration.store.makers import change, counted, created, digest, take
from tests.unit.acme import job

MANY = 60


def several(count: int = MANY, text: str = "") -> list[ItemCommit]:
    """So many new items."""
    return [created(str(n), job(id=str(n), name=f"Shed {n} {text}")) for n in range(count)]


def other_worker(db: Db) -> Items:
    """The items of the same store as another process sees them."""
    return Items(db, Retention())


def as_before(document: Document) -> bytes:
    """A document as it was stored before it moved beside its digest."""
    known = {
        ref: {name: getattr(one, name) for name in ("revision", "sequence", "since", "first_seen", "gone", "spoken")}
        | {"resource": {name: getattr(one.resource, name) for name in Resource.__struct_fields__}}
        for ref, one in document.known.items()
    }
    return zlib.compress(msgspec.json.encode({"known": known}))


async def make_old(db: Db, commits: Sequence[ItemCommit]) -> None:
    """Turn what these commits have written into what the version before would have written."""
    for commit in commits:
        (value,) = await db.run("HMGET", db.keys.items("shop"), commit.id)
        if value is not None:
            await db.run("HSET", db.keys.items("shop"), commit.id, value[:HEAD_SIZE])
        await db.run("HSET", db.keys.docs("shop"), commit.id, as_before(commit.after))
    await db.run("DEL", db.keys.dictionaries("shop"))


async def everything(items: Items) -> list[tuple[str, Document]]:
    """All documents there are."""
    return sorted([pair async for pair in items.all_documents("shop")], key=lambda pair: pair[0])


async def test_a_store_of_before_is_read_and_moves_over_as_items_change(db: Db, items: Items) -> None:
    """Present, removed and returning items of the old layout: nothing is lost, nothing shows twice."""
    commits = [created(str(n), job(id=str(n))) for n in range(4)]
    await take(items, *commits)
    gone = await change(items, "3", None)
    await take(items, gone)
    await make_old(db, [*commits[:3], gone])
    items = other_worker(db)

    old = [*(commit.after for commit in commits[:3]), gone.after]
    assert await items.documents("shop", ["0", "1", "2", "3", "4"]) == [*old, None]
    assert await everything(items) == [(str(n), document) for n, document in enumerate(old)]
    changed = await change(items, "0", "new", job("DONE", id="0"))
    removed = await change(items, "1", None)
    returned = await change(items, "3", "back", job(id="3"))
    await take(items, changed, removed, returned)

    assert set(await db.run("HKEYS", db.keys.docs("shop"))) == {b"1", b"2"}
    new = [changed.after, removed.after, commits[2].after, returned.after]
    assert await items.documents("shop", ["0", "1", "2", "3"]) == new
    assert await everything(items) == [(str(n), document) for n, document in enumerate(new)]
    assert await items.size("shop") == 3
    assert returned.after.known["job/3"].revision == 3


async def test_a_source_learns_its_dictionary_once_and_every_worker_reads_by_it(db: Db, items: Items) -> None:
    """The one of the first commit that is large enough serves all that come later."""
    small = created("first", job(id="first"))
    await take(items, small)
    assert await db.run("EXISTS", db.keys.dictionaries("shop")) == 0
    await take(items, *several())
    names = await db.run("HKEYS", db.keys.dictionaries("shop"))
    assert len(names) == 1
    later = other_worker(db)
    await take(later, *(await change_all(later, [str(n) for n in range(MANY)])))

    assert await db.run("HKEYS", db.keys.dictionaries("shop")) == names
    found = await items.documents("shop", ["first", *map(str, range(MANY))])
    assert found[0] == small.after
    assert [one.known[f"job/{n}"].resource.state for n, one in enumerate(found[1:]) if one] == ["DONE"] * MANY


async def change_all(items: Items, ids: Sequence[str]) -> list[ItemCommit]:
    """Each of these jobs is done."""
    return [await change(items, id, "done", job("DONE", id=id)) for id in ids]


async def test_an_emptied_store_gets_the_dictionary_again(db: Db, items: Items) -> None:
    """Somebody flushes the store under a worker that goes on: what it writes then can be read by others."""
    await take(items, *several())
    await db.run("FLUSHALL")
    await take(items, *several())

    assert (await other_worker(db).documents("shop", ["7"]))[0] == several()[7].after
    await db.run("FLUSHALL")
    one = created("1", job())
    await take(items, one)
    assert await other_worker(db).documents("shop", ["1"]) == [one.after]


async def test_a_damaged_document_is_named_with_the_way_out(db: Db, items: Items) -> None:
    """Whoever reads the error knows which item of which source it is, and how to go on without it."""
    await take(items, *several())
    (value,) = await db.run("HMGET", db.keys.items("shop"), "7")
    await db.run("HSET", db.keys.items("shop"), "7", value[:-3])
    with pytest.raises(
        Unreadable, match=r"item '7' of source 'shop' cannot be read: it is damaged.* HDEL t:items:shop"
    ):
        await items.documents("shop", ["6", "7", "8"])
    assert len(await items.documents("shop", ["6", "8"])) == 2


@pytest.mark.parametrize("broken", [None, b"not deflated", zlib.compress(b"another")], ids=["gone", "torn", "other"])
async def test_a_dictionary_that_is_lost_or_damaged_is_named(db: Db, items: Items, broken: bytes | None) -> None:
    """Documents by it cannot be read, and the error says where it should be."""
    await take(items, *several())
    (name,) = await db.run("HKEYS", db.keys.dictionaries("shop"))
    await db.run("DEL", db.keys.dictionaries("shop"))
    if broken is not None:
        await db.run("HSET", db.keys.dictionaries("shop"), name, broken)
    with pytest.raises(Unreadable, match=f"item '7' of source 'shop' .*dictionary {name.hex()}"):
        await other_worker(db).documents("shop", ["7"])


async def test_large_items_are_committed_a_few_at_a_time(db: Db, items: Items, log: EventLog) -> None:
    """A script's work is bounded by what it writes and not by the number of items alone; all of it is written."""
    await take(items, *several(COMMIT_SIZE, text="x" * WORD * COMMIT_WORK))
    assert await items.size("shop") == COMMIT_SIZE
    assert await counted(items) == {"job": {"OPEN": COMMIT_SIZE}}
    assert len(await log.after("0-0", 1000)) == COMMIT_SIZE
    calls = (await db.run("INFO", "commandstats"))["cmdstat_evalsha"]["calls"]
    assert calls >= COMMIT_SIZE
    assert (await items.stored("shop", ["99"]))[0][:16] == digest("1")  # type: ignore[index]  # it was just written
