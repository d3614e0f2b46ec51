"""The lives of the year: some that are shaped by hand, each with its story, and a crowd that chance shapes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from monitor.ladders import Timing
from monitor.pipeline.source import Source
from monitor.stuck import StuckRule
from tests.year.clock import BEGIN, Item, Life, source

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
STUCK = (
    StuckRule("worklayer.job", "UNCLAIMED", 4 * 3600.0),
    StuckRule("devrev.job", "in_progress", 3600.0, ("progress",)),
)
OFFICE = Timing(
    send_at=time(9),
    business_days=True,
    holidays=frozenset({date(2026, 12, 25), date(2026, 12, 28)}),
    notice=28 * 86_400.0,
)


def sources() -> dict[str, Source]:
    """Four accounts; `office` is told of contracts at nine on business days, with four weeks' notice."""
    office = {"driver_jobs.contract.expiring": OFFICE}
    return {
        "uk": source("uk", "driver_jobs", {}, STUCK),
        "office": source("office", "driver_jobs", office, STUCK, timezone="America/New_York"),
        "tax": source("tax", "worklayer", {}, STUCK),
        "dev": source("dev", "devrev", {}, STUCK),
    }


def at(text: str) -> datetime:
    """`05-14 09:30` of the year, in UTC."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def contract(
    end: str | None, state: str = "active", *, id: int = 9, start: str | None = "2025-07-01"
) -> dict[str, Any]:
    """A contract as driver_jobs nests it."""
    return {"id": id, "start_date": start, "end_date": end, "state": state}


def driver(last: Mapping[str, Any], pending: Mapping[str, Any] | None = None, **fields: Any) -> Item:
    """A job_driver with its contract and, where there is one, the next."""
    offer = {"pending_contract": pending} if pending else {}
    return {
        "id": 1,
        "kind": "accepted",
        "job": {"title": "Driver"},
        "interviews": [],
        "last_contract": last,
        **offer,
        **fields,
    }


def meeting(start: str, status: str = "pending", **fields: Any) -> Item:
    """A job_driver with one interview."""
    one = {"id": 5, "status": status, "start_at": start, "end_at": None, **fields}
    return {"id": 1, "kind": "interview", "job": {"title": "Driver"}, "interviews": [one]}


def job(status: str, deadline: str | None = None, *, stamp: datetime | None = None, **fields: Any) -> Item:
    """A job at Worklayer; its stamp moves with every change."""
    own = {"deadline_time": deadline, "update_time": stamp.isoformat() if stamp else None}
    return {"id": "j1", "name": "1040", "status": status, **own, **fields}


def task(state: str, progress: int, **fields: Any) -> Item:
    """A job at DevRev."""
    return {
        "id": "don:1",
        "title": "Export",
        "state": state,
        "progress": progress,
        "job_category": "export_work",
        **fields,
    }


def _contracts() -> list[Life]:
    def life(story: str, *changes: tuple[datetime, Item | None], of: str = "uk") -> Life:
        return Life(f"A contract that {story}", of, changes)

    offer = contract("2027-06-30", "pending", id=10, start="2026-07-01")
    return [
        life(
            "ends and is closed the next morning",
            (BEGIN, driver(contract("2026-06-30"))),
            (at("07-01 06:00"), driver(contract("2026-06-30", "expired"))),
        ),
        life("nobody closes", (BEGIN, driver(contract("2026-06-30")))),
        life(
            "is renewed in time",
            (BEGIN, driver(contract("2026-06-30"))),
            (at("06-10 09:00"), driver(contract("2026-06-30"), offer)),
            (at("06-20 12:00"), driver(offer | {"state": "active"})),
        ),
        life(
            "has its renewal rejected",
            (BEGIN, driver(contract("2026-06-30"))),
            (at("05-20 09:00"), driver(contract("2026-06-30"), offer)),
            (at("06-20 12:00"), driver(contract("2026-06-30"), offer | {"state": "rejected"})),
        ),
        life("is renewed with a gap", (BEGIN, driver(contract("2026-06-30"), offer | {"start_date": "2026-07-06"}))),
        life(
            "is extended ten days before its end",
            (BEGIN, driver(contract("2026-06-30"))),
            (at("06-20 10:00"), driver(contract("2026-09-30"))),
        ),
        life(
            "is shortened to this week",
            (BEGIN, driver(contract("2026-12-31"))),
            (at("06-24 10:00"), driver(contract("2026-06-26"))),
        ),
        life(
            "flips between two dates each day",
            (BEGIN, driver(contract("2026-06-30"))),
            *(
                (at("06-10 08:00") + day * DAY, driver(contract("2026-06-30" if day % 2 else "2026-07-04")))
                for day in range(14)
            ),
        ),
        life("is first seen five days before its end", (at("06-25 14:00"), driver(contract("2026-06-30")))),
        life("is first seen three days overdue", (at("07-03 14:00"), driver(contract("2026-06-30")))),
        life("is first seen long overdue", (at("07-12 14:00"), driver(contract("2026-06-30")))),
        life(
            "has no end until it is given one",
            (BEGIN, driver(contract(None))),
            (at("06-01 09:00"), driver(contract("2026-06-30"))),
        ),
        life(
            "has an end that cannot be read",
            (BEGIN, driver(contract("30/06/2026"))),
            (at("06-18 09:00"), driver(contract("2026-06-30"))),
        ),
        life("ends on the day on which clocks go forward", (BEGIN, driver(contract("2026-03-29")))),
        life("ends on the day on which clocks go back", (BEGIN, driver(contract("2026-10-25")))),
        life("never ends, as 9999-12-31 says", (BEGIN, driver(contract("9999-12-31")))),
        life(
            "becomes active inside its ladder",
            (BEGIN, driver(contract("2026-06-30", "pending"))),
            (at("06-20 09:00"), driver(contract("2026-06-30"))),
        ),
        life("goes with its job_driver", (BEGIN, driver(contract("2026-06-30"))), (at("06-19 09:00"), None)),
        life(
            "is ended early",
            (BEGIN, driver(contract("2026-06-30"))),
            (at("06-12 09:00"), driver(contract("2026-06-30", "expired"))),
        ),
        life("an office hears of on business days", (BEGIN, driver(contract("2026-08-30"))), of="office"),
        life("an office hears of at Christmas", (BEGIN, driver(contract("2026-12-27"))), of="office"),
    ]


def _interviews() -> list[Life]:
    def life(story: str, *changes: tuple[datetime, Item | None]) -> Life:
        return Life(f"An interview that {story}", "uk", changes)

    begin, ten = at("05-11 08:00"), "2026-05-14T10:00:00Z"
    return [
        life("is agreed on and takes place", (begin, meeting(ten)), (at("05-12 09:00"), meeting(ten, "scheduled"))),
        life("nobody confirms", (begin, meeting(ten))),
        life(
            "moves to next week",
            (begin, meeting(ten, "scheduled")),
            (at("05-13 15:00"), meeting("2026-05-20T10:00:00Z", "scheduled")),
        ),
        life(
            "moves to half an hour from now",
            (begin, meeting("2026-05-20T10:00:00Z", "scheduled")),
            (at("05-14 09:30"), meeting(ten, "scheduled")),
        ),
        life(
            "is cancelled two hours before",
            (begin, meeting(ten, "scheduled")),
            (at("05-14 08:00"), meeting(ten, "cancelled")),
        ),
        life("is arranged three hours ahead", (at("05-14 07:00"), meeting(ten))),
        life(
            "has another time proposed and is forgotten",
            (begin, meeting(ten)),
            (at("05-13 18:00"), meeting(ten, "amended", amend_start_at="2026-05-15T10:00:00Z")),
        ),
        life("takes place in the hour that comes twice", (at("10-20 08:00"), meeting("2026-10-25T01:30:00+00:00"))),
    ]


def _jobs() -> list[Life]:
    def life(story: str, *changes: tuple[datetime, Item | None], of: str = "tax") -> Life:
        return Life(f"A job that {story}", of, changes)

    begin, due = at("04-06 09:00"), "2026-04-10T17:00:00Z"
    claimed, slow = at("04-06 11:00"), at("04-07 10:00")
    return [
        life(
            "is claimed and closed in time",
            (begin, job("UNCLAIMED", due, stamp=begin)),
            (claimed, job("CLAIMED", due, stamp=claimed)),
            (at("04-09 12:00"), job("CLOSED", due)),
        ),
        life("nobody claims", (begin, job("UNCLAIMED", due, stamp=begin))),
        life(
            "is claimed, given back and claimed",
            (begin, job("UNCLAIMED", stamp=begin)),
            (slow, job("CLAIMED", stamp=slow)),
            (at("04-08 10:00"), job("UNCLAIMED", stamp=at("04-08 09:50"))),
            (at("04-08 18:00"), job("CLAIMED")),
        ),
        life(
            "is put off twice",
            (begin, job("CLAIMED", due)),
            (at("04-10 15:00"), job("CLAIMED", "2026-04-12T17:00:00Z")),
            (at("04-12 16:00"), job("CLAIMED", "2026-05-12T17:00:00Z")),
        ),
        life("has a date for its deadline", (begin, job("CLAIMED", "2026-04-10"))),
        life("is closed after its deadline", (begin, job("CLAIMED", due)), (at("04-11 09:00"), job("CLOSED", due))),
        life("was due long before it was seen", (begin, job("CLAIMED", "2026-01-10T17:00:00Z"))),
        life("waited for a day when it was first seen", (BEGIN, job("UNCLAIMED", stamp=BEGIN - DAY))),
        life(
            "runs and completes",
            (begin, task("queued", 0)),
            (begin + HOUR, task("in_progress", 10)),
            (begin + 1.5 * HOUR, task("completed", 100)),
            of="dev",
        ),
        life("hangs at 40 percent", (begin, task("in_progress", 40)), of="dev"),
        life(
            "stalls, moves on and stalls",
            (begin, task("in_progress", 10)),
            (begin + 3 * HOUR, task("in_progress", 20)),
            of="dev",
        ),
        life(
            "creeps but moves",
            *((begin + part * HOUR / 2, task("in_progress", part)) for part in range(12)),
            (begin + 6 * HOUR, task("completed", 100)),
            of="dev",
        ),
        life(
            "fails, is tried again and completes",
            (begin, task("in_progress", 5, retry_count=0)),
            (begin + HOUR / 2, task("failed", 5, retry_count=0)),
            (begin + HOUR, task("in_progress", 5, retry_count=1)),
            (begin + 1.2 * HOUR, task("completed", 100, retry_count=1)),
            of="dev",
        ),
    ]


def shaped() -> list[Life]:
    """Those that a person reads in full."""
    return [*_contracts(), *_interviews(), *_jobs()]


def crowd(seed: int, size: int) -> list[Life]:
    """So many lives that chance shapes: half contracts, a quarter interviews, a quarter jobs; the same for a seed."""
    random = Random(seed)
    shapes = [_any_contract, _any_contract, _any_interview, _any_job]
    return [shapes[number % 4](random) for number in range(size)]


def _any_day(random: Random) -> datetime:
    return BEGIN + timedelta(minutes=random.randrange(0, 364 * 24 * 60, 7))


def _any_contract(random: Random) -> Life:
    end = (BEGIN + random.randrange(-20, 420) * DAY).date()
    seen = BEGIN if random.random() < 0.7 else _any_day(random)
    changes: list[tuple[datetime, Item | None]] = [(seen, driver(contract(end.isoformat())))]
    while random.random() < 0.5:
        seen = seen + timedelta(minutes=random.randrange(1, 90 * 24 * 60))
        what = random.choice(["extended", "shortened", "expired", "offered", "gone"])
        if what == "gone":
            return Life("contract", random.choice(["uk", "office"]), [*changes, (seen, None)])
        end += {"extended": 1, "shortened": -1}.get(what, 0) * random.randrange(1, 90) * DAY
        offer = contract((end + 365 * DAY).isoformat(), "pending", id=10, start=(end + DAY).isoformat())
        state = "expired" if what == "expired" else "active"
        changes.append((seen, driver(contract(end.isoformat(), state), offer if what == "offered" else None)))
    return Life("contract", random.choice(["uk", "office"]), changes)


def _any_interview(random: Random) -> Life:
    seen = _any_day(random)
    start = seen + timedelta(minutes=random.randrange(-600, 12 * 24 * 60))
    changes: list[tuple[datetime, Item | None]] = [(seen, meeting(start.isoformat()))]
    while random.random() < 0.6:
        seen = seen + timedelta(minutes=random.randrange(1, 5 * 24 * 60))
        start += random.choice([0, 0, 1, 48]) * HOUR
        changes.append(
            (seen, meeting(start.isoformat(), random.choice(["pending", "scheduled", "amended", "cancelled"])))
        )
    return Life("interview", "uk", changes)


def _any_job(random: Random) -> Life:
    seen, changes = _any_day(random), list[tuple[datetime, Item | None]]()
    if random.random() < 0.5:
        for progress in range(0, 100, random.choice([10, 30, 50])):
            changes.append((seen, task("in_progress", progress)))
            seen += timedelta(minutes=random.randrange(5, 200))
        return Life("job", "dev", [*changes, (seen, task(random.choice(["completed", "failed"]), 100))])
    due = (seen + timedelta(minutes=random.randrange(0, 10 * 24 * 60))).isoformat()
    for status in ("UNCLAIMED", "CLAIMED", "CLOSED"):
        changes.append((seen, job(status, due, stamp=seen)))
        seen += timedelta(minutes=random.randrange(10, 4 * 24 * 60))
    return Life("job", "tax", changes)
