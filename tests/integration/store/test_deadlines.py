"""Armed deadlines in the store: the commit that changes a resource arms and disarms them."""

from __future__ import annotations

from datetime import timedelta

from monitor.deadlines import speaking
from monitor.moments import to_millis
from monitor.resources import Document
from monitor.ringing import judge_rung
from monitor.store.db import Db
from monitor.store.deadlines import Armed, Deadlines
from monitor.store.items import Items
from tests.integration.store.makers import change, commit_of, created, take
from tests.unit.acme import DUE_AT, clockwork, contract, job, post, setting, utc

ALL = 2**50


async def armed(db: Db) -> dict[str, str]:
    """Every armed deadline: its ref, and when it is due."""
    deadlines = Deadlines(db)
    found = {}
    for one in await deadlines.due(ALL, 100):
        score = await db.run("ZSCORE", db.keys.deadlines, one.member)
        found[one.ref] = f"{utc('1970-01-01 00:00') + timedelta(milliseconds=score):%Y-%m-%d %H:%M}"
    return found


async def test_a_new_date_arms_the_deadline_anew_and_an_end_disarms_it(db: Db, items: Items) -> None:
    """One entry a resource, whatever becomes of its date."""
    await take(items, created("1", job(due_at="2026-02-04T10:00:00Z")))
    assert await armed(db) == {"job/1": "2026-02-01 10:00"}
    await take(items, await change(items, "1", "2", job(due_at="2026-03-04T10:00:00Z")))
    assert await armed(db) == {"job/1": "2026-03-01 10:00"}
    await take(items, await change(items, "1", "3", job(due_at=None)))
    assert await armed(db) == {}
    await take(items, await change(items, "1", "4", job(due_at="2026-03-04T10:00:00Z")))
    await take(items, await change(items, "1", "5", job("DONE", due_at="2026-03-04T10:00:00Z")))
    assert await armed(db) == {}


async def test_a_removal_disarms_all_deadlines_of_the_item_and_a_return_arms_them(db: Db, items: Items) -> None:
    """Those of what is inside it too."""
    family = [post(), contract(id="8", end_date="2026-02-04"), contract(id="9", end_date="2026-03-04")]
    await take(items, created("7", *family))
    assert await armed(db) == {"contract/8": "2026-01-05 00:00", "contract/9": "2026-02-02 00:00"}
    await take(items, await change(items, "7", None))
    assert await armed(db) == {}
    await take(items, await change(items, "7", "2", *family))
    assert await armed(db) == {"contract/8": "2026-01-05 00:00", "contract/9": "2026-02-02 00:00"}


async def rung(items: Items, now: str) -> str | None:
    """Ring the job's deadline and commit it; which rung spoke."""
    (stored,), (document,) = await items.stored("shop", ["1"]), await items.documents("shop", ["1"])
    assert isinstance(document, Document)
    found = speaking(document.known["job/1"], DUE_AT, clockwork(), utc(now))
    if found is None or stored is None:
        return None
    judgement = judge_rung(document, "job/1", DUE_AT, found, setting(utc(now)))
    await take(items, commit_of("1", "1", document, judgement, stored))
    return found.name


async def test_a_told_rung_arms_the_next_one_and_the_last_one_none(db: Db, items: Items) -> None:
    """And what was told is remembered in the same commit."""
    await take(items, created("1", job(due_at="2026-02-04T10:00:00Z")))
    assert await rung(items, "2026-02-01 10:00") == "72h"
    assert await rung(items, "2026-02-01 10:00") is None
    assert await armed(db) == {"job/1": "2026-02-03 10:00"}
    assert await rung(items, "2026-02-04 09:00") == "4h"
    assert await armed(db) == {"job/1": "2026-02-04 10:00"}
    assert await rung(items, "2026-02-09 10:00") == "deadline_missed"
    assert await armed(db) == {}


async def test_due_deadlines_come_earliest_first_and_not_early(db: Db, items: Items) -> None:
    """Up to a limit; to the millisecond."""
    days = ("07", "05", "06")
    await take(items, *(created(day, job(id=day, due_at=f"2026-02-{day}T10:00:00Z")) for day in days))
    deadlines = Deadlines(db)
    first = to_millis(utc("2026-02-02 10:00"))
    assert await deadlines.next_ms() == first
    assert await deadlines.due(first - 1, 10) == []
    assert [one.item for one in await deadlines.due(first, 10)] == ["05"]
    assert [one.item for one in await deadlines.due(ALL, 2)] == ["05", "06"]


async def test_what_was_due_before_anybody_knew_of_it_is_late_since_then(db: Db, items: Items) -> None:
    """By the store's clock, whatever the worker's says; and nothing is noted for what lies ahead."""
    deadlines = Deadlines(db)
    assert await deadlines.late_ms() is None
    await take(items, created("1", job(id="1", due_at="2090-02-04T10:00:00Z")))
    assert await deadlines.late_ms() == await deadlines.next_ms()
    before = await db.now_ms()
    await take(items, created("2", job(id="2", due_at="2026-02-04T10:00:00Z")))
    assert before <= (await deadlines.late_ms() or 0) <= await db.now_ms()


async def test_a_deadline_is_dropped_or_put_off_only_while_it_is_armed(db: Db, items: Items) -> None:
    """One that was disarmed meanwhile does not come back."""
    await take(items, created("1", job(due_at="2026-02-04T10:00:00Z")))
    deadlines = Deadlines(db)
    (one,) = await deadlines.due(ALL, 10)
    await deadlines.postpone([one], to_millis(utc("2026-05-01 00:00")))
    assert await armed(db) == {"job/1": "2026-05-01 00:00"}
    await deadlines.drop([one])
    await deadlines.postpone([one], 1)
    assert await deadlines.next_ms() is None


async def test_no_id_of_a_provider_can_jam_the_ring(db: Db) -> None:
    """Separators, quotes and line breaks come back as they went in, beside the deadlines of others."""
    odd = [Armed("shop", id, f"job/{id}", "acme.job.stuck") for id in ("a\x1fb", "c:d", 'e"\\', "f\ng", "Żółw", " ")]
    for place, one in enumerate(odd):
        await db.run("ZADD", db.keys.deadlines, place, one.member)
    assert await Deadlines(db).due(ALL, 100) == odd
    await Deadlines(db).drop(odd)
    assert await Deadlines(db).next_ms() is None
