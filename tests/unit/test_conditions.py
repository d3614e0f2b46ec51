"""What opens a condition, what makes it worse, what ends it, and what people's words do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from monitor.conditions.condition import Condition, Place, Status
from monitor.conditions.ending import Facts, Sight, keys_of, over_by_facts, over_by_sight, put_off
from monitor.conditions.families import FAMILIES, MERELY_ENDS, family_of, grade
from monitor.conditions.ledger import Ledger, move
from monitor.conditions.life import Told, acknowledged, calm_at, snoozed, times
from monitor.eventschema import MONITOR
from monitor.status.conditions import condition_view

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
KEY = "tax/job/7"

OPENING = {
    "driver_jobs.contract.expiring": "contract_end",
    "driver_jobs.contract.overdue": "contract_end",
    "driver_jobs.interview.overdue": "interview_overdue",
    "worklayer.job.deadline_approaching": "deadline",
    "worklayer.job.deadline_missed": "deadline",
    "devrev.job.failed": "failed",
    "devrev.job.stuck": "stuck",
    "driver_jobs.contract.stuck": "stuck",
    "jobwire.source.failing": "source_failing",
    "jobwire.source.credentials_rejected": "source_failing",
    "jobwire.source.stale": "source_stale",
    "jobwire.source.credentials_expiring": "credentials_expiring",
    "jobwire.source.removals_held": "removals_held",
    "jobwire.target.failing": "target_failing",
    "jobwire.target.disabled": "target_disabled",
}
"""Every event type that opens a condition by the public contract, and the condition's family."""


def told(type_: str, *, key: str = KEY, state: str | None = None, **data: Any) -> Told:
    """An event as the relay reads it."""
    job: dict[str, Any] = {"kind": "job", "state": state, "fields": {}, "title": "Job"}
    resource = None if type_.startswith("jobwire.") else job
    event = {
        "id": f"evt_{type_}_{sorted(data.items())}",
        "type": type_,
        "data": {"key": key, "source": "tax", "provider": "devrev", "resource": resource, **data},
    }
    return Told("1-0", msgspec.json.encode(event), event)


def stands(condition: Condition, sight: Sight, now: datetime) -> str | None:
    """A world in which whatever was told still stands unless the state is `done`."""
    return None if sight.state == "done" else condition.type


def after(*events: Told, ledger: Ledger | None = None, apart: float = 60.0) -> Ledger:
    """A ledger after some events, a minute apart."""
    ledger = ledger or Ledger()
    for number, one in enumerate(events):
        for moved in move(ledger, str(one.data["key"]), one, stands, NOW + timedelta(seconds=apart * number)):
            ledger = ledger.with_(moved.after)
    return ledger


def rung(name: str, left: int, date: str = "2026-02-01") -> dict[str, Any]:
    """The deadline of an event."""
    return {"date": date, "rung": name, "days_left": left, "late": "0s"}


def test_the_types_of_the_contract_open_conditions_and_all_others_are_occurrences() -> None:
    """Each is declared beside its family; news about the monitor itself are among them or not."""
    assert {type_: family.name for type_ in OPENING if (family := family_of(type_))} == OPENING
    others = [*MONITOR.keys() - OPENING.keys(), "worklayer.job.claimed", "driver_jobs.interview.upcoming", "a.b", "x"]
    assert [one for one in others if family_of(one)] == []
    assert {"jobwire.source.recovered", "jobwire.target.recovered"} == MERELY_ENDS
    assert all(family.ends for family in FAMILIES)


@pytest.mark.parametrize(
    ("first", "second", "worse"),
    [
        (told("a.contract.expiring", deadline=rung("30d", 30)),
         told("a.contract.expiring", deadline=rung("14d", 14)), True),
        (told("a.contract.expiring", deadline=rung("3d", 3)), told("a.contract.overdue", deadline=rung("o", -1)), True),
        (told("a.contract.expiring", deadline=rung("3d", 3)),
         told("a.contract.expiring", deadline=rung("14d", 13, "2026-02-11")), False),
        (told("a.contract.expiring", deadline=rung("30d", 30)),
         told("a.contract.expiring", deadline=rung("30d", 29, "2026-01-31")), True),
        (told("a.contract.overdue", deadline=rung("o", -1)),
         told("a.contract.expiring", deadline=rung("30d", 30, "2026-03-03")), False),
        (told("a.job.failed", state="failed"), told("a.job.failed", state="failed", n=2), True),
        (told("jobwire.source.failing", details={"reason": "timeout"}),
         told("jobwire.source.failing", details={"reason": "not_found"}), False),
        (told("jobwire.source.failing"), told("jobwire.source.credentials_rejected"), True),
        (told("jobwire.source.credentials_expiring", details={"expires_at": "2026-02-01", "days_left": 7}),
         told("jobwire.source.credentials_expiring", details={"expires_at": "2026-02-01", "days_left": 3}), True),
    ],
)  # fmt: skip
def test_an_acknowledgement_ends_when_it_gets_worse(first: Told, second: Told, worse: bool) -> None:
    """A tighter rung, an earlier date, a graver word, failed once more; a date moved out or another reason is not."""
    (condition,) = after(first).open
    ledger = Ledger().with_(acknowledged(condition, "ann", "on it", NOW))
    (later,) = after(second, ledger=ledger).open
    assert later.revision == condition.revision + 1
    assert later.status(NOW) is (Status.OPEN if worse else Status.ACKNOWLEDGED)


def test_a_condition_keeps_its_id_and_counts_how_often_it_opened() -> None:
    """The id is of the thing and what is wrong with it; five openings in two hours flap until it is calm."""
    failing, well = told("jobwire.source.failing", key="source/tax"), told("jobwire.source.recovered", key="source/tax")
    ledger = after(*[failing, well] * 4, failing)
    (condition,) = ledger.open
    now = condition.changed_at
    assert times(condition, now) == 5
    assert calm_at(condition, now) == condition.opened_at + timedelta(minutes=15)
    assert times(condition, now + timedelta(hours=3)) == 1
    assert {one.id for one in after(failing).open} == {condition.id}


@pytest.mark.parametrize(
    ("opening", "state", "event", "ends"),
    [
        ("a.job.failed", "failed", told("a.job.queued", state="queued"), True),
        ("a.job.failed", "failed", told("a.job.updated", state="failed"), False),
        ("a.job.failed", "failed", told("a.job.removed"), True),
        ("a.job.stuck", "open", told("a.job.updated", state="open"), False),
        ("a.job.stuck", "open", told("a.job.done", state="done"), True),
        ("a.job.deadline_missed", "open", told("a.job.claimed", state="claimed"), False),
        ("a.job.deadline_missed", "open", told("a.job.done", state="done"), True),
        ("a.job.stuck", "open", told("a.job.deadline_missed", state="open"), False),
    ],
)
def test_a_condition_of_a_resource_ends_with_what_it_rests_on(
    opening: str, state: str, event: Told, ends: bool
) -> None:
    """It left the state, its dates call for nothing, or it is gone; what ended it and the event are kept."""
    ledger = after(told(opening, state=state))
    (before,) = ledger.open
    ended = after(event, ledger=ledger).conditions[before.family]
    assert ended.ended is ends
    if ends:
        assert (ended.status(NOW), ended.ended_event) == (Status.RESOLVED, event.id)
        assert ended.ended_by


def test_what_goes_with_its_parent_ends_with_it() -> None:
    """The removal of a driver names its contracts, which have no event of their own."""
    contract = "uk/contract/9"
    ledger = after(told("a.contract.expiring", key=contract, deadline=rung("3d", 3), state="active"))
    removed = told("a.job_driver.removed", key="uk/job_driver/1", related=[{"key": contract}])
    assert list(keys_of(removed.event)) == ["uk/job_driver/1", contract]
    (moved,) = move(ledger, contract, removed, stands, NOW)
    assert moved.after.ended_by == "it went with uk/job_driver/1"


def test_ends_that_no_event_tells_are_seen_in_what_is_stored() -> None:
    """Removals that are held no more, a token that ends later, a target that is enabled again."""
    held = after(told("jobwire.source.removals_held", key="source/tax")).open[0]
    assert over_by_facts(held, Facts(frozenset({"removals_held"}))) is None
    assert over_by_facts(held, Facts()) == "they are back, released or discarded"
    ends = {"expires_at": "2026-02-01T00:00:00.000Z", "days_left": 7}
    token = after(told("jobwire.source.credentials_expiring", key="source/tax", details=ends)).open[0]
    same, later = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    assert [over_by_facts(token, Facts(expires_at=one)) is None for one in (None, same, later)] == [True, True, False]
    job = after(told("a.job.failed", state="failed")).open[0]
    assert over_by_sight(job, Sight("failed"), stands, NOW) is None
    assert over_by_sight(job, Sight("failed", gone=True), stands, NOW) == "it is gone"


def test_people_see_the_severity_that_routes_give() -> None:
    """The gravest of those that tell of it now; the type's own where none does."""
    (open_,) = after(told("devrev.job.failed", state="failed")).open
    here = [Place("chat", "a", "critical", "routes[0]"), Place("more", "b", "info", "routes[1]")]
    left = Place("boss", "c", "critical", "routes[2]", left=True)

    def seen(*places: Place) -> str:
        return condition_view(msgspec.structs.replace(open_, places=places), NOW).severity

    assert seen(*here, left) == "critical"
    assert seen(here[1], left) == "info"
    assert seen(left) == open_.severity


def test_an_end_says_what_is_different_now() -> None:
    """The new state or the new date, not everything that might have been."""
    data: dict[str, Any] = {"deadline": {"date": "2026-06-30", "rung": "14d"}}
    fields = {"start_date": "2025-07-01", "end_date": "2026-06-30"}
    resource = {"kind": "contract", "state": "active", "fields": fields, "title": "Contract"}
    (open_,) = after(told("driver_jobs.contract.expiring", **data, resource=resource)).open

    def over(state: str | None, **fields: Any) -> str | None:
        return over_by_sight(open_, Sight(state, {"start_date": "2025-07-01", **fields}), lambda *_: None, NOW)

    assert over("expired", end_date="2026-06-30") == "the state is expired now"
    assert over("active", end_date="2026-09-30") == "extended to 30 Sep 2026"
    assert over("active", end_date="2026-05-30") == "the end date is 2026-05-30 now"
    assert over("active", end_date=None) == "the end date is none now"
    assert over("active", end_date="2026-06-30") == FAMILIES[0].ends


@pytest.mark.parametrize(
    ("field", "was", "now", "words"),
    [
        ("date", "2026-06-30", "2026-07-01", "moved to 1 Jul 2026"),
        ("at", "2026-06-30T10:00:00Z", "2026-06-30T12:00:00+01:00", "moved to 30 Jun 2026 11:00 UTC"),
        ("date", "2026-06-30", "2026-06-29", None),
        ("at", "2026-06-30T10:00:00Z", "2026-06-30T11:00:00+01:00", None),
        ("date", "2026-06-30", "2026-06-30", None),
        ("date", "2026-06-30", None, None),
        ("date", "2026-06-30", "next year", None),
        (None, "2026-06-30", "2026-07-01", None),
    ],
)
def test_what_was_told_of_a_date_is_over_when_that_is_put_off(
    field: str | None, was: str, now: str | None, words: str | None
) -> None:
    """Only where the new date can be compared and is later; what is earlier or cannot be read is no relief."""
    resource = {"kind": "job", "state": "CLAIMED", "fields": {"name": "x", "deadline_time": was}, "title": "Job"}
    deadline = {field: was, "rung": "24h"} if field else None
    (open_,) = after(told("worklayer.job.deadline_approaching", deadline=deadline, resource=resource)).open
    assert put_off(open_, Sight("CLAIMED", {"name": "x", "deadline_time": now})) == words


def test_a_snooze_ends_by_time_or_by_change() -> None:
    """Put off until then, or until something happens; getting worse ends either."""
    (condition,) = after(told("a.contract.expiring", deadline=rung("30d", 30))).open
    until = snoozed(condition, "ann", "", NOW + timedelta(hours=1), NOW)
    assert [until.status(NOW + timedelta(minutes=minutes)) for minutes in (0, 59, 60)] == [
        Status.SNOOZED,
        Status.SNOOZED,
        Status.OPEN,
    ]
    until_change = snoozed(condition, "ann", "", None, NOW)
    assert until_change.status(NOW + timedelta(days=99)) is Status.SNOOZED
    later = told("a.contract.expiring", deadline=rung("30d", 29, "2026-02-03"))
    for mark, status in ((until, Status.SNOOZED), (until_change, Status.OPEN)):
        (moved,) = after(later, ledger=Ledger().with_(mark)).open
        assert moved.status(NOW) is status


def test_the_gravest_type_of_a_family_comes_last() -> None:
    """So that the step from one to the other is a step for the worse."""
    family = family_of("a.contract.overdue")
    assert family is not None
    assert [grade(family, f"a.contract.{what}") for what in ("expiring", "overdue")] == [0, 1]
