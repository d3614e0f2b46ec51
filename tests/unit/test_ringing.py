"""What a ring says beyond its rung: renewals, notice, since when it was known; dates that flip, agreed interviews."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitor.diff import Tracking, diff_item
from monitor.events import Event
from monitor.ladders import Clockwork, Timing
from monitor.providers.driver_jobs import VOCABULARY as DRIVER_JOBS
from monitor.resources import Document, Resource
from monitor.ringing import ring
from monitor.rules import Setting, judge
from tests.unit.acme import DAY, END_DATE, clockwork, contract, look, post, setting, utc

TERM = {"start_date": "2025-03-01", "end_date": "2026-02-28"}
NEXT = {"start_date": "2026-03-01", "end_date": "2027-02-28"}


def at(moment: str | datetime, work: Clockwork | None = None) -> Setting:
    """A look at this moment."""
    found = setting(utc(moment) if isinstance(moment, str) else moment)
    return replace(found, clockwork=work) if work else found


def rings(known: Document, moment: str, work: Clockwork | None = None) -> tuple[Document, list[Event]]:
    """The ladder of contract 9 rings; what is known after that, and what was told."""
    judgement = ring(known, "contract/9", END_DATE.type, at(moment, work))
    return judgement.document, list(judgement.events)


def family(offer: str | None = None, **fields: Any) -> list[Resource]:
    """A post with its contract, and the next one where one is offered."""
    current = contract(role="last", **TERM)
    return [post(), current, *([contract(offer, id="10", role="pending", **(NEXT | fields))] if offer else [])]


def seen(*resources: Resource, when: str = "2026-01-01 12:00", before: Document | None = None) -> Document:
    """What is known after a look."""
    return look(before, *resources, at=at(when)).document


@pytest.mark.parametrize(
    ("offer", "fields", "standing"),
    [
        ("pending", {}, "pending"),
        ("active", {}, "agreed"),
        ("rejected", {}, "rejected"),
        ("pending", {"start_date": "2026-03-02"}, "gap"),
        ("pending", {"start_date": None}, "gap"),
        ("pending", {"start_date": "2026-02-01"}, "pending"),
        ("expired", {}, None),
        (None, {}, None),
    ],
)
def test_an_expiring_contract_says_how_its_renewal_stands(
    offer: str | None, fields: dict[str, Any], standing: str | None
) -> None:
    """On offer when the next one starts by the day after the end; it stands beside it in `related`."""
    _, (event,) = rings(seen(*family(offer, **fields)), "2026-01-29 00:00")
    assert event.type == "acme.contract.expiring"
    assert event.data.get("details", {}).get("renewal") == standing
    assert [one["key"] for one in event.data.get("related", [])] == (["shop/contract/10"] if standing else [])


def test_a_renewal_that_falls_through_re_opens_the_warning_once() -> None:
    """The tightest rung that was told with it in sight speaks again, at once, under an id of its own."""
    known, (pending,) = rings(seen(*family("pending")), "2026-01-29 00:00")
    known = seen(*family("rejected"), before=known, when="2026-02-03 08:00")
    known, (rejected,) = rings(known, "2026-02-03 08:00")
    assert [one.data["deadline"]["rung"] for one in (pending, rejected)] == ["30d", "30d"]
    assert [one.data["details"]["renewal"] for one in (pending, rejected)] == ["pending", "rejected"]
    assert pending.id != rejected.id
    assert rings(known, "2026-02-13 00:00")[1] == []


def test_a_renewal_that_comes_and_goes_is_told_twice_a_rung_at_the_most() -> None:
    """Whatever the provider makes of it."""
    known, told = seen(*family("pending")), 0
    for hour in range(40):
        now = utc("2026-01-29 00:00") + timedelta(hours=hour)
        offer = "pending" if hour % 2 == 0 else "rejected"
        known = look(known, *family(offer), at=at(now)).document
        judgement = ring(known, "contract/9", END_DATE.type, at(now))
        known, told = judgement.document, told + len(judgement.events)
    assert told == 2


def test_what_could_not_be_known_before_says_since_when_it_could() -> None:
    """`late` counts from the rung all the same: so much later than planned it is heard."""
    known, (event,) = rings(seen(*family(), when="2026-02-24 12:00"), "2026-02-24 12:00")
    assert event.data["deadline"] == {"date": "2026-02-28", "rung": "7d", "days_left": 4, "late": "3d"}
    assert event.data["details"] == {"known_at": "2026-02-24T12:00:00.000Z"}
    moved = [post(), contract(role="last", **(TERM | {"end_date": "2026-02-26"}))]
    known = seen(*moved, before=known, when="2026-02-24 15:00")
    _, (event,) = rings(known, "2026-02-24 15:00")
    assert (event.data["deadline"]["rung"], event.data["deadline"]["late"]) == ("3d", "39h")
    assert event.data["details"] == {"known_at": "2026-02-24T15:00:00.000Z"}


def test_lateness_that_is_the_monitors_own_has_no_excuse() -> None:
    """It was known, and the ring came late."""
    _, (event,) = rings(seen(*family()), "2026-01-29 05:00")
    assert event.data["deadline"]["late"] == "5h"
    assert "details" not in event.data


def test_a25_a_date_that_flips_about_does_not_spam() -> None:
    """A25: each value speaks once a rung; after five values told within a day the next waits until that is over."""
    known, told, now = seen(*family()), [], utc("2026-02-25 00:00")
    for minute in range(24 * 60):
        now = utc("2026-02-25 00:00") + timedelta(minutes=minute)
        end = f"2026-03-{1 + minute % 20:02d}" if minute < 600 else f"2026-03-{1 + minute % 2:02d}"
        known = look(known, post(), contract(role="last", **(TERM | {"end_date": end})), at=at(now)).document
        judgement = ring(known, "contract/9", END_DATE.type, at(now))
        known = judgement.document
        told += [event.data["deadline"]["date"] for event in judgement.events]
    assert told == ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"]
    known = look(known, post(), contract(role="last", **(TERM | {"end_date": "2026-03-09"})), at=at(now)).document
    assert rings(known, "2026-02-25 23:59")[1] == []
    (event,) = rings(known, "2026-02-26 00:00")[1]
    assert event.data["deadline"]["date"] == "2026-03-09"


def test_notice_is_told_with_its_last_day() -> None:
    """So are the rungs before it."""
    work = clockwork(ladders={END_DATE.type: Timing(before=(35 * DAY,), notice=28 * DAY)})
    known = look(None, *family(), at=at("2026-01-01 12:00", work)).document
    known, (wide,) = rings(known, "2026-01-24 00:00", work)
    known, (notice,) = rings(known, "2026-01-31 00:00", work)
    assert [one.data["deadline"]["rung"] for one in (wide, notice)] == ["35d", "notice"]
    assert [one.data["details"] for one in (wide, notice)] == [{"notice_by": "2026-01-31"}] * 2
    assert notice.type == "acme.contract.expiring"
    assert rings(known, "2026-02-01 00:00", work)[1] == []


def interview(status: str, known_before: Document | None = None, when: str = "2026-01-01 12:00") -> Document:
    """A job_driver with one interview at ten on 6 January."""
    how = Setting("uk", DRIVER_JOBS, clockwork("Europe/London"), utc(when))
    fields = {"start_at": "2026-01-06T10:00:00Z"}
    resources = [
        Resource("job_driver", "1", "One", "interview", {}),
        Resource("interview", "5", "Five", status, fields, parent="job_driver/1"),
    ]
    return judge(known_before, diff_item(known_before, resources, Tracking(DRIVER_JOBS)), how).document


def interview_rings(known: Document, when: str) -> tuple[Document, list[str]]:
    """The interview's ladder rings; what was told."""
    how = Setting("uk", DRIVER_JOBS, clockwork("Europe/London"), utc(when))
    judgement = ring(known, "interview/5", "driver_jobs.interview.upcoming", how)
    said = [f"{event.type.split('.', 1)[1]} {event.data['deadline']['rung']}" for event in judgement.events]
    return judgement.document, said


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("pending", ["interview.upcoming 24h", "interview.upcoming 1h", "interview.overdue overdue"]),
        ("amended", ["interview.upcoming 24h", "interview.upcoming 1h", "interview.overdue overdue"]),
        ("scheduled", ["interview.upcoming 24h", "interview.upcoming 1h"]),
        ("cancelled", []),
        ("rejected", []),
    ],
)
def test_an_interview_is_told_a_day_and_an_hour_ahead_and_as_overdue_only_while_it_is_pending(
    status: str, told: list[str]
) -> None:
    """One that was agreed on has taken place."""
    known, said = interview(status), []
    for minute in range(0, 3 * 24 * 60, 10):
        known, now = interview_rings(known, f"{utc('2026-01-05 00:00') + timedelta(minutes=minute):%Y-%m-%d %H:%M}")
        said += now
    assert said == told


def test_an_interview_that_was_agreed_on_and_is_over_at_first_sight_is_not_upcoming() -> None:
    """Nothing that has begun is announced."""
    _, said = interview_rings(interview("scheduled", when="2026-01-06 10:01"), "2026-01-06 10:01")
    assert said == []


def test_an_interview_that_was_passed_in_silence_is_overdue_when_it_turns_out_to_be_pending() -> None:
    """Another time is proposed after it should have been."""
    known, said = interview_rings(interview("scheduled"), "2026-01-06 10:00")
    assert said == []
    known = interview("amended", known, when="2026-01-06 12:00")
    assert interview_rings(known, "2026-01-06 12:00")[1] == ["interview.overdue overdue"]
