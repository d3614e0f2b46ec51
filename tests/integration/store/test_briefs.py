"""What is open in brief: written with each ledger, gone with it, mended where another version wrote."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from monitor.conditions import Acknowledgement, Condition, Place, Snooze, condition_id
from monitor.conditions.brief import briefs_of
from monitor.conditions.ledger import Ledger
from monitor.moments import to_millis
from monitor.status import condition_view
from monitor.store.conditions import Conditions, Write
from monitor.store.db import Db

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
KEY = "shop/job/1"


@dataclass(frozen=True, slots=True)
class Seen:
    """Who has seen to a condition."""

    acknowledged: bool = False
    snoozed: timedelta | None = None
    until_change: bool = False


def condition(seen: Seen, severities: tuple[str, ...] = (), *, over: bool = False) -> Condition:
    """A condition that routes tell of with these severities."""
    snooze = Snooze("ann", NOW, "evt_1", None if seen.until_change else NOW + (seen.snoozed or timedelta()))
    return Condition(
        id=condition_id(KEY, "deadline"),
        key=KEY,
        family="deadline",
        type="acme.job.overdue",
        severity="info",
        opened_at=NOW - timedelta(hours=1),
        changed_at=NOW,
        worse_at=NOW,
        event="evt_1",
        at="1-1",
        body=msgspec.Raw(b'{"severity":"critical"}'),
        acknowledgement=Acknowledgement("ann", NOW, 1) if seen.acknowledged else None,
        snooze=snooze if seen.snoozed or seen.until_change else None,
        places=tuple(Place("ops", "lane", one, "routes[0]") for one in severities),
        ended_at=NOW if over else None,
    )


def ledger(*conditions: Condition) -> Ledger:
    """A ledger that nobody has written yet."""
    return Ledger(0, {one.family: one for one in conditions})


@given(
    st.builds(Seen, st.booleans(), st.none() | st.timedeltas(timedelta(seconds=1), timedelta(days=9)), st.booleans()),
    st.lists(st.sampled_from(["info", "warning", "critical"]), max_size=3).map(tuple),
    st.timedeltas(timedelta(), timedelta(days=10)),
)
def test_a_brief_says_what_its_condition_says(seen: Seen, severities: tuple[str, ...], later: timedelta) -> None:
    """The same state and severity as people see, at any time after."""
    one = condition(seen, severities)
    (brief,) = briefs_of(ledger(one))
    now = NOW + timedelta(seconds=round(later.total_seconds()))
    assert brief.status(to_millis(now)) in {one.status(now), one.status(now + timedelta(milliseconds=1))}
    assert brief.severity == condition_view(one, now).severity
    assert briefs_of(ledger(condition(seen, over=True))) == []


async def test_briefs_are_written_with_ledgers_and_go_with_them(db: Db) -> None:
    """Opened, acknowledged, over, forgotten; who is refused leaves no brief either."""
    conditions = Conditions(db)
    first = Write(KEY, None, ledger(condition(Seen())))
    assert await conditions.change(first, ())
    assert not await conditions.change(Write(KEY, None, ledger(condition(Seen(acknowledged=True)))), ())
    (brief,) = (await conditions.briefs())[KEY]
    assert (brief.family, brief.severity, brief.acknowledged) == ("deadline", "info", False)
    before = (await conditions.ledgers([KEY]))[KEY]
    assert await conditions.change(Write(KEY, before, before.with_(condition(Seen(acknowledged=True)))), ())
    assert (await conditions.briefs())[KEY][0].acknowledged
    before = (await conditions.ledgers([KEY]))[KEY]
    assert await conditions.change(Write(KEY, before, before.with_(condition(Seen(), over=True))), ())
    assert await conditions.briefs() == {}
    before = (await conditions.ledgers([KEY]))[KEY]
    assert await conditions.change(Write(KEY, before, before.without("deadline")), ())
    assert await db.run("EXISTS", db.keys.briefs, db.keys.conditions) == 0


async def test_what_another_version_wrote_is_mended_when_it_is_read(db: Db) -> None:
    """Ledgers without a brief get one, briefs without a ledger go; the ledgers stay what they are."""
    conditions = Conditions(db)
    old = ledger(condition(Seen(), ("critical",)))
    await db.run("HSET", db.keys.conditions, KEY, msgspec.json.encode(Ledger(7, old.conditions)))
    assert (await conditions.briefs())[KEY][0].severity == "critical"
    assert (await conditions.all())[KEY].conditions == old.conditions
    await db.run("HDEL", db.keys.conditions, KEY)
    assert await conditions.briefs() == {}
    assert await db.run("EXISTS", db.keys.briefs) == 0
