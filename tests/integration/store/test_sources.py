"""Leases of scans: one owner at a time, a fence that grows, and an end that is written whole."""

from __future__ import annotations

import asyncio

import pytest

from monitor.errors import Fenced
from monitor.store.db import Db
from monitor.store.eventlog import EventLog
from monitor.store.items import missing_field
from monitor.store.sources import Lease, ScanClosing, Sources
from tests.integration.store.makers import everything, news

TTL = 60_000


async def claim(sources: Sources, owner: str = "w1", slot: int = 1, *, ttl_ms: int = TTL, force: bool = False) -> Lease:
    """A claim that must be granted."""
    lease = await sources.claim("shop", owner=owner, slot=slot, ttl_ms=ttl_ms, force=force)
    assert isinstance(lease, Lease), lease
    return lease


async def refused(sources: Sources, slot: int = 1, *, force: bool = False) -> str:
    """The reason why another worker's claim is refused."""
    reason = await sources.claim("shop", owner="w2", slot=slot, ttl_ms=TTL, force=force)
    assert isinstance(reason, str)
    return reason


async def lapse(db: Db) -> None:
    """The lease's time is over."""
    await db.run("PEXPIRE", db.keys.lease("shop"), 0)


async def test_a_source_is_scanned_by_one_worker_at_a_time(db: Db, sources: Sources) -> None:
    """A later slot and a poll by hand wait too; another source does not."""
    assert not await sources.running("shop")
    lease = await claim(sources)
    assert (lease.source, lease.epoch, lease.fence) == ("shop", 1, "1:w1")
    assert await sources.running("shop")
    assert await refused(sources) == "running"
    assert await refused(sources, 2) == "running"
    assert await refused(sources, force=True) == "running"
    assert isinstance(await sources.claim("other", owner="w2", slot=1, ttl_ms=TTL), Lease)
    assert 0 < await db.run("PTTL", db.keys.lease("shop")) <= TTL


async def test_p22_of_many_workers_that_claim_one_slot_at_once_one_gets_it(sources: Sources) -> None:
    """Running it is, or done, for all others."""
    claims = await asyncio.gather(
        *(sources.claim("shop", owner=f"w{number}", slot=1, ttl_ms=TTL) for number in range(20))
    )
    (lease,) = [one for one in claims if isinstance(one, Lease)]
    assert sorted(one for one in claims if isinstance(one, str)) == ["running"] * 19
    await sources.finish(lease, ScanClosing(set={"slot": 1}))
    assert await refused(sources, 1) == "done"
    assert await refused(sources, 0) == "done"
    assert (await claim(sources, slot=2)).epoch == 2


async def test_a_poll_by_hand_takes_a_slot_that_is_done_or_paused(db: Db, sources: Sources) -> None:
    """`force` asks for neither; the pause is over by the store's own clock."""
    later = await db.now_ms() + 60_000
    await sources.finish(await claim(sources), ScanClosing(set={"slot": 1, "paused_until": later}))
    assert await refused(sources, 2) == "paused"
    forced = await claim(sources, slot=1, force=True)
    await sources.finish(forced, ScanClosing(set={"paused_until": await db.now_ms() - 1}))
    assert (await claim(sources, slot=2)).epoch == 3


async def test_p21_an_expired_lease_is_taken_over_and_the_epoch_grows(db: Db, sources: Sources) -> None:
    """The worker that was paused meanwhile can neither renew, finish, nor give back what is not its own."""
    mine = await claim(sources)
    await lapse(db)
    theirs = await claim(sources, "w2")
    assert (theirs.epoch, theirs.fence) == (2, "2:w2")
    assert not await sources.renew(mine, TTL)
    await sources.release(mine)
    before = await everything(db)
    with pytest.raises(Fenced):
        await sources.finish(mine, ScanClosing(set={"slot": 9}, missing={"a": b"1"}, events=[news(1)]))
    assert await everything(db) == before
    assert await sources.renew(theirs, TTL)
    await sources.finish(theirs, ScanClosing(set={"slot": 1}))


async def test_the_same_worker_is_fenced_from_its_own_earlier_scan(db: Db, sources: Sources) -> None:
    """The epoch tells its scans apart."""
    first = await claim(sources)
    await lapse(db)
    second = await claim(sources)
    assert first.fence != second.fence
    assert not await sources.renew(first, TTL)


async def test_renewing_keeps_a_lease_for_its_time_from_now_on(db: Db, sources: Sources) -> None:
    """And revives none that has lapsed."""
    lease = await claim(sources, ttl_ms=25_000)
    assert await sources.renew(lease, 50_000)
    assert 25_000 < await db.run("PTTL", db.keys.lease("shop")) <= 50_000
    await lapse(db)
    assert not await sources.renew(lease, 50_000)
    assert not await sources.running("shop")


async def test_a_lease_given_back_lets_the_next_worker_take_the_slot_up(sources: Sources) -> None:
    """The slot is not done."""
    await sources.release(await claim(sources))
    assert (await claim(sources, "w2")).epoch == 2


async def test_a_claim_brings_the_state_of_the_source_along(db: Db, sources: Sources) -> None:
    """As it is at the moment of the claim, by the store's clock."""
    await sources.finish(await claim(sources), ScanClosing(set={"slot": 1, "fresh_at": "then", "failures": 2}))
    before = await db.now_ms()
    lease = await claim(sources, slot=2)
    noted = {"slot": "1", "fresh_at": "then", "failures": "2", "epoch": "2"}
    assert noted.items() <= lease.state.items()
    assert lease.state == await sources.state("shop")
    assert before <= lease.now_ms <= await db.now_ms()
    assert await sources.state("never seen") == {}


async def test_the_end_of_a_scan_is_written_whole(db: Db, sources: Sources, log: EventLog) -> None:
    """State set and forgotten, what is missing noted and cleared, news told once, the lease free."""
    first = await claim(sources)
    closing = ScanClosing(
        set={"slot": 1, "held": 3},
        missing={missing_field("7", ""): b"1", missing_field("8", "job/8"): b"2"},
        events=[news(1)],
    )
    await sources.finish(first, closing)
    assert not await sources.running("shop")
    second = await claim(sources, slot=2)
    closing = ScanClosing(
        set={"slot": 2}, forget=["held"], missing={missing_field("7", ""): b"3"}, found=[missing_field("8", "job/8")]
    )
    await sources.finish(second, closing)
    state = await sources.state("shop")
    assert (state["slot"], state["epoch"], "held" in state) == ("2", "2", False)
    assert await sources.missing("shop") == {("7", ""): b"3"}
    assert [stored.id for stored in await log.after("0-0", 10)] == [news(1).id]
    with pytest.raises(Fenced):
        await sources.finish(second, closing)


async def test_what_a_scan_does_not_believe_yet_is_written_with_its_end(sources: Sources) -> None:
    """New doubts take the place of old ones, settled ones go, and what was not met again stays."""
    first = ScanClosing(set={"slot": 1}, doubts={"7": b"a", "8": b"b", "9": b"c"})
    await sources.finish(await claim(sources), first)
    await sources.finish(await claim(sources, slot=2), ScanClosing(set={"slot": 2}, doubts={"7": b"d", "8": None}))
    assert await sources.doubts("shop") == {"7": b"d", "9": b"c"}
    assert await sources.doubts("never seen") == {}


async def test_only_removals_that_are_held_can_be_decided_on(sources: Sources) -> None:
    """The word is kept for the next scan."""
    assert not await sources.decide_held("shop", "release")
    await sources.finish(await claim(sources), ScanClosing(set={"slot": 1, "held": 9}))
    assert await sources.decide_held("shop", "discard")
    assert (await sources.state("shop"))["release"] == "discard"


async def test_p20_news_of_a_scan_are_written_once(sources: Sources, log: EventLog) -> None:
    """A scan that is ended again by another worker brings the same id."""
    for slot in (1, 2):
        await sources.finish(
            await claim(sources, slot=slot), ScanClosing(set={"slot": slot}, events=[news(1), news(2)])
        )
    assert [stored.id for stored in await log.after("0-0", 10)] == [news(1).id, news(2).id]


async def test_what_is_told_once_is_told_once(sources: Sources, log: EventLog) -> None:
    """By its mark, whatever the event; of many workers one tells it."""
    told = await asyncio.gather(*(sources.tell_once("shop", "state job NEW", news(number)) for number in range(10)))
    assert sorted(told) == [False] * 9 + [True]
    assert await sources.tell_once("shop", "state job NEWER", news(11))
    assert await sources.tell_once("other", "state job NEW", news(12))
    assert len(await log.after("0-0", 100)) == 3


async def test_rejected_credentials_are_tried_again_after_a_restart_and_a_wish_to_wait_is_kept(
    sources: Sources,
) -> None:
    """Only the pause that jobwire made itself is lifted."""
    for slot, reason, state in ((1, "credentials_rejected", Lease), (2, "throttled", str)):
        lease = await claim(sources, slot=slot, force=True)
        await sources.finish(lease, ScanClosing(set={"slot": slot, "reason": reason, "paused_until": 2**50}))
        await sources.try_again("shop")
        again = await sources.claim("shop", owner="w1", slot=slot + 10, ttl_ms=TTL)
        assert isinstance(again, state)
        if isinstance(again, Lease):
            await sources.release(again)
