"""The one commit of state and events: whole or not at all, once, and only by whoever holds the lease."""

from __future__ import annotations

import asyncio
import json

import pytest
from msgspec.structs import replace

from monitor.errors import Fenced, StoreFull
from monitor.events import encode
from monitor.store.db import Db
from monitor.store.deadlines import Deadlines
from monitor.store.eventlog import EventLog
from monitor.store.items import (
    COMMIT_SIZE,
    DIGEST_SIZE,
    HEAD_SIZE,
    ItemCommit,
    Items,
    missing_field,
    next_value,
    raw_digest,
)
from monitor.store.pages import PageCommit, Pages, Remembered
from monitor.store.retention import Retention
from monitor.store.sources import Lease, Sources
from tests.integration.store.makers import NOW_MS, change, counted, created, digest, everything, take
from tests.unit.acme import contract, document, job, known, post


async def lease(sources: Sources, owner: str = "w1", slot: int = 1) -> Lease:
    """The lease of the source, which is free."""
    taken = await sources.claim("shop", owner=owner, slot=slot, ttl_ms=60_000)
    assert isinstance(taken, Lease)
    return taken


async def ids(log: EventLog) -> list[str]:
    """The ids of all events in the log."""
    return [stored.id for stored in await log.after("0-0", 10_000)]


async def test_state_and_event_are_written_together(db: Db, items: Items, log: EventLog) -> None:
    """Digest, document, counts, deadline, history and event: what a reader finds after one commit."""
    commit = created("1", job(due_at="2026-02-01T00:00:00Z", name="Shed"))
    assert await take(items, commit) == []
    (stored,) = await log.after("0-0", 10)
    (revision,) = commit.revisions
    assert stored.body == encode(revision.event)
    assert (stored.id, stored.type) == (revision.event.id, "acme.job.created")
    assert await log.get(stored.id) == stored
    value, none = await items.stored("shop", ["1", "2"])
    assert (value or b"")[:HEAD_SIZE] == digest("1") + b"\0\0\0\1"
    assert none is None
    assert await items.documents("shop", ["1", "2"]) == [commit.after, None]
    assert await items.size("shop") == 1
    (armed,) = await Deadlines(db).due(2**50, 10)
    assert (armed.source, armed.item, armed.ref, armed.type) == ("shop", "1", "job/1", "acme.job.deadline_approaching")
    (line,) = await db.run("LRANGE", db.keys.history("shop/job/1"), 0, -1)
    assert json.loads(line) == {
        "revision": 1,
        "at": "2026-01-05T09:30:02.114Z",
        "type": "acme.job.created",
        "event": stored.id,
        "state": {"before": None, "after": "OPEN"},
        "changes": [],
    }


async def test_p22_the_same_commit_again_writes_nothing(db: Db, items: Items) -> None:
    """Its answer was lost, say: the second time it is a conflict, and every key is as it was."""
    commit = created("1", job(due_at="2026-02-01T00:00:00Z"))
    for _ in range(2):
        assert await take(items, commit) == []
        before = await everything(db)
        assert await take(items, commit) == ["1"]
        assert await everything(db) == before
        commit = await change(items, "1", "2", job("CLAIMED"))


async def test_p22_a_removal_again_writes_nothing(db: Db, items: Items) -> None:
    """The item is gone, and it went once."""
    await take(items, created("1", job(due_at="2026-02-01T00:00:00Z")))
    removal = await change(items, "1", None)
    assert await take(items, removal) == []
    before = await everything(db)
    assert await take(items, removal) == ["1"]
    assert await everything(db) == before
    assert await items.size("shop") == 0
    assert await Deadlines(db).next_ms() is None


async def test_p20_the_same_event_is_in_the_log_once_whatever_is_committed(items: Items, log: EventLog) -> None:
    """A state that was lost and is derived again brings its event with the same id: it is not written again."""
    commit = created("1", job())
    await take(items, commit)
    await take(items, replace(commit, id="twin"))
    assert await ids(log) == [commit.revisions[0].event.id]


async def test_each_item_is_written_whole_or_not_at_all(db: Db, items: Items, log: EventLog) -> None:
    """One that somebody else changed meanwhile is named, nothing of it is written, and the others are."""
    await take(items, created("1", job(id="1")), created("2", job(id="2")), created("3", job(id="3")))
    stale = await change(items, "2", "2", job("CLAIMED", id="2", due_at="2026-02-01T00:00:00Z"))
    await take(items, await change(items, "2", "other", job("DONE", id="2")))
    fresh = [await change(items, id, "2", job("CLAIMED", id=id)) for id in ("1", "3")]
    before = await items.documents("shop", ["2"])
    assert await take(items, fresh[0], stale, fresh[1]) == ["2"]
    assert await items.documents("shop", ["2"]) == before
    assert await Deadlines(db).next_ms() is None
    assert [stored.type for stored in await log.after("0-0", 10)][3:] == [
        "acme.job.done",
        "acme.job.claimed",
        "acme.job.claimed",
    ]
    assert await counted(items) == {"job": {"CLAIMED": 2, "DONE": 1}}


@pytest.mark.parametrize("more", [0, COMMIT_SIZE], ids=["one step", "two steps"])
async def test_p28_a_page_is_forgotten_when_an_item_on_it_was_not_written(more: int, db: Db, items: Items) -> None:
    """P28: else "not modified" would hide the item that somebody else changed meanwhile; another page stays."""
    pages = Pages(db)
    mine, other = (PageCommit(key, Remembered('"1"', {}, ["1"], 9)) for key in (b"mine", b"other"))
    await items.commit("shop", [created("1", job(id="1"))], fence="", now_ms=NOW_MS, page=mine)
    await items.commit("shop", [], fence="", now_ms=NOW_MS, page=other)
    stale = await change(items, "1", "2", job("CLAIMED", id="1"))
    await take(items, await change(items, "1", "other", job("DONE", id="1")))
    assert await pages.recall("shop", [b"mine", b"other"]) == [mine.page, other.page]
    fresh = [created(f"n{number}", job(id=f"n{number}")) for number in range(more)]
    again = PageCommit(b"mine", Remembered('"2"', {}, ["1"], 9))
    assert await items.commit("shop", [stale, *fresh], fence="", now_ms=NOW_MS, page=again) == ["1"]
    assert await pages.recall("shop", [b"mine", b"other"]) == [None, other.page]


async def test_an_item_twice_in_one_commit_is_written_once(items: Items, log: EventLog) -> None:
    """The first is, the second is a conflict."""
    assert await take(items, created("1", job()), created("1", job("DONE"), raw="2")) == ["1"]
    assert len(await ids(log)) == 1


async def test_many_items_go_in_bounded_steps_in_their_order(items: Items, log: EventLog) -> None:
    """More than one script call takes, and all events are in the order they were handed in."""
    commits = [created(str(number), job(id=str(number))) for number in range(2 * COMMIT_SIZE + 50)]
    assert await take(items, *commits) == []
    assert await ids(log) == [commit.revisions[0].event.id for commit in commits]


async def test_p21_whoever_lost_the_lease_writes_nothing(db: Db, items: Items, sources: Sources) -> None:
    """Lapsed, taken over or given back: Fenced, and every key is as it was."""
    mine = await lease(sources)
    assert await take(items, created("1", job()), fence=mine.fence) == []
    await db.run("DEL", db.keys.lease("shop"))
    with pytest.raises(Fenced):
        await take(items, created("2", job(id="2")), fence=mine.fence)
    theirs = await lease(sources, "w2")
    before = await everything(db)
    with pytest.raises(Fenced, match="another worker took over this scan"):
        await take(items, created("2", job(id="2")), fence=mine.fence)
    assert await everything(db) == before
    assert await take(items, created("2", job(id="2")), fence=theirs.fence) == []


async def test_a_commit_without_a_fence_needs_no_lease_but_the_expected_state(items: Items, sources: Sources) -> None:
    """The ring tells deadlines while a scan runs: whoever comes second meets a conflict."""
    scan = await lease(sources)
    await take(items, created("1", job()), fence=scan.fence)
    by_ring = await change(items, "1", "1", job(name="rung"))
    by_scan = await change(items, "1", "2", job("CLAIMED"))
    assert await take(items, by_ring) == []
    assert await take(items, by_scan, fence=scan.fence) == ["1"]


async def test_of_many_that_commit_one_change_at_once_one_wins(items: Items, log: EventLog) -> None:
    """The others are told so."""
    await take(items, created("1", job()))
    commits = [await change(items, "1", "2", job("CLAIMED", amount=number)) for number in range(20)]
    conflicts = await asyncio.gather(*(take(items, commit) for commit in commits))
    assert sorted(conflicts) == [[]] + [["1"]] * 19
    assert len(await ids(log)) == 2


async def test_a_full_store_takes_nothing_rather_than_half(db: Db, items: Items) -> None:
    """Out of memory is an error before the first write; with room again the same commit goes through."""
    await take(items, created("1", job(id="1")), created("2", job(id="2")))
    removal, later = await change(items, "1", None), await change(items, "2", "2", job("DONE", id="2"))
    before = await everything(db)
    await db.run("CONFIG", "SET", "maxmemory", 1)
    try:
        with pytest.raises(StoreFull, match="jobwire doctor"):
            await take(items, later)
        assert await everything(db) == before
    finally:
        await db.run("CONFIG", "SET", "maxmemory", 0)
    assert await take(items, removal, later) == []


async def test_a_script_is_loaded_again_after_the_store_forgot_it(db: Db, items: Items) -> None:
    """A restarted store knows no scripts."""
    await take(items, created("1", job()))
    await db.run("SCRIPT", "FLUSH")
    assert await take(items, await change(items, "1", "2", job("DONE"))) == []


async def test_counts_follow_every_change(items: Items, sources: Sources) -> None:
    """By kind and state, removed ones left out, no state as `-`."""
    await take(items, created("7", post(), contract(id="8"), contract(None, id="9")), created("1", job()))
    assert await sources.counts("shop") == {
        "post": {"open": 1},
        "contract": {"active": 1, "-": 1},
        "job": {"OPEN": 1},
    }
    await take(items, await change(items, "7", "2", post("filled"), contract("expired", id="8")))
    await take(items, await change(items, "1", None))
    assert await sources.counts("shop") == {"post": {"filled": 1}, "contract": {"expired": 1, "-": 1}}
    await take(items, await change(items, "1", "3", job("DONE")))
    assert (await sources.counts("shop"))["job"] == {"DONE": 1}


async def test_history_keeps_the_latest_revisions_only(db: Db) -> None:
    """Newest first, bounded in number and time."""
    items = Items(db, Retention(history_max=3, history_ms=60_000))
    await take(items, created("1", job(amount=0)))
    for amount in range(1, 6):
        await take(items, await change(items, "1", str(amount), job(amount=amount)))
    lines = [json.loads(line) for line in await db.run("LRANGE", db.keys.history("shop/job/1"), 0, -1)]
    assert [line["revision"] for line in lines] == [6, 5, 4]
    assert 0 < await db.run("PTTL", db.keys.history("shop/job/1")) <= 60_000


async def test_what_scans_missed_is_noted_once_and_cleared(items: Items, sources: Sources) -> None:
    """A later commit of the same item leaves the first note as it is."""
    first = created("7", post())
    noted = [("contract/8", b"1"), ("", b"2")]
    commit = ItemCommit("7", b"", first.digest, None, first.after, note=noted)
    await take(items, commit)
    assert await sources.missing("shop") == {("7", "contract/8"): b"1", ("7", ""): b"2"}
    value = next_value(b"", digest("1"))
    again = ItemCommit("7", value, digest("1"), first.after, first.after, clear=[""], note=[("contract/8", b"3")])
    await take(items, again)
    assert await sources.missing("shop") == {("7", "contract/8"): b"1"}
    assert missing_field("7", "") != missing_field("7", "contract/8")


async def test_items_that_narrow_walks_show_are_known_as_such(items: Items) -> None:
    """As of their last commit; a removed one is not expected any more."""
    await take(items, *(replace(created(id, job(id=id)), walked=True) for id in ("1", "2", "3")))
    assert {id async for id in items.walked_ids("shop")} == {"1", "2", "3"}
    await take(items, await change(items, "1", "2", job("DONE", id="1")), await change(items, "2", None))
    assert [id async for id in items.walked_ids("shop")] == ["3"]


async def test_a_removed_item_is_remembered_and_known_when_it_returns(db: Db, items: Items) -> None:
    """Its document outlives it; once it is back it is not counted as gone."""
    await take(items, created("1", job()))
    await take(items, await change(items, "1", None))
    assert await items.stored("shop", ["1"]) == [None]
    (remembered,) = await items.documents("shop", ["1"])
    assert remembered is not None
    assert remembered.known["job/1"].gone
    assert await db.run("ZRANGE", db.keys.gone("shop"), 0, -1, "WITHSCORES") == [b"1", str(NOW_MS).encode()]
    await take(items, await change(items, "1", "2", job()))
    assert await db.run("EXISTS", db.keys.gone("shop")) == 0


async def test_ids_and_documents_of_many_items_come_in_bounded_steps(items: Items) -> None:
    """All of them, however many there are."""
    commits = [created(f"item {number}", job(id=str(number))) for number in range(1500)]
    await take(items, *commits)
    assert {id async for id in items.ids("shop")} == {commit.id for commit in commits}
    assert len({id async for id, _ in items.all_documents("shop")}) == 1500
    assert await items.stored("shop", []) == []
    assert await items.documents("shop", []) == []


def test_versions_make_every_stored_value_another_one() -> None:
    """A change back to the same bytes is still noticed; the version wraps around."""
    one = next_value(b"", digest("a"))
    assert one == digest("a") + b"\0\0\0\1"
    assert next_value(one, digest("a")) == digest("a") + b"\0\0\0\2"
    assert next_value(digest("a") + b"\xff" * 4, digest("b")) == digest("b") + b"\0" * 4


def test_p30_another_config_gives_other_digests() -> None:
    """What is tracked is part of the fingerprint, so every item is read anew."""
    assert raw_digest(b"{}", b"one") != raw_digest(b"{}", b"two")
    assert len(raw_digest(b"{}", b"one")) == DIGEST_SIZE


async def test_documents_survive_the_store_whatever_is_in_them(items: Items) -> None:
    """Any JSON, exact integers, what was told of deadlines."""
    spoken = {"acme.job.deadline_approaching": {"2026-02-01T00:00:00.000Z": "24h"}}
    odd = {"n": 12345678901234567890, "text": "Żółw\x00\U0001f600", "deep": [{"a": [None, True, 1.5]}]}
    whole = document(known(job(name=odd), revision=9, sequence=4, gone=True, spoken=spoken))
    await take(items, ItemCommit("1", b"", digest("1"), None, whole))
    assert await items.documents("shop", ["1"]) == [whole]
