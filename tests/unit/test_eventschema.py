"""The catalogue of event types and their schema, against what the providers declare and what the rules make."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest

from monitor.deadlines import speaking
from monitor.diff import Tracking, diff_item
from monitor.events import Event, decode, encode, monitor_event
from monitor.eventschema import MONITOR, catalogue, events_schema
from monitor.ladders import Clockwork
from monitor.providers import PROVIDERS
from monitor.resources import Resource
from monitor.ringing import judge_rung
from monitor.rules import Setting, judge
from monitor.vocabulary import Kind, NamedChange, Vocabulary, as_set

VOCABULARIES: list[Vocabulary] = [import_module(f"monitor.providers.{name}").VOCABULARY for name in PROVIDERS]
SCHEMA = events_schema(VOCABULARIES)
NOW = datetime(2025, 11, 22, 9, 0, tzinfo=UTC)


def setting(provider: str) -> Setting:
    """What the rules know of a scan of a provider's source `here`."""
    (vocabulary,) = [one for one in VOCABULARIES if one.provider == provider]
    return Setting("here", vocabulary, Clockwork(ZoneInfo("Europe/London")), NOW)


def told(provider: str, *sights: Resource) -> list[dict[str, Any]]:
    """The events of an item that is seen as each of these in turn, as they are stored."""
    document, events = None, list[Event]()
    how = setting(provider)
    for sight in sights:
        judgement = judge(document, diff_item(document, [sight], Tracking(how.vocabulary)), how)
        document, events = judgement.document, [*events, *judgement.events]
    return [decode(encode(event)) for event in events]


def complaints(event: dict[str, Any]) -> list[str]:
    """What an independent validator has against an event."""
    return [error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(event)]


def job(state: str | None, **fields: Any) -> Resource:
    """A job in a state."""
    return Resource("job", "1", "A job", state, fields)


def test_the_schema_is_one_itself() -> None:
    """Of the draft that it names."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_changes_fit_it() -> None:
    """New, renamed by its state, updated, a named change, an undocumented state, and none at all."""
    events = told(
        "worklayer",
        job("UNCLAIMED", name="a"),
        job("CLAIMED", name="a"),
        job("CLAIMED", name="b"),
        job("CLAIMED", name="b", members=[{"user": "u"}]),
        job("ON_THE_MOON", name="b"),
        job(None, name="b"),
    )

    assert [event["type"].removeprefix("worklayer.job.") for event in events] == [
        "created",
        "claimed",
        "updated",
        "members_changed",
        "on_the_moon",
        "state_cleared",
    ]
    assert [complaints(event) for event in events] == [[]] * 6


def test_clock_events_fit_it() -> None:
    """Dates and instants."""
    for provider, kind, field, value in [
        ("driver_jobs", "contract", "end_date", "2025-11-25"),
        ("worklayer", "job", "deadline_time", "2025-11-22T12:00:00Z"),
    ]:
        how = setting(provider)
        seen = Resource(kind, "1", "One", "active", {field: value})
        document = judge(None, diff_item(None, [seen], Tracking(how.vocabulary)), how).document
        rule = how.vocabulary.kinds[kind].deadlines[0]
        rung = speaking(document.known[seen.ref], rule, how.clockwork, NOW)
        assert rung is not None
        (event,) = judge_rung(document, seen.ref, rule, rung, how).events

        assert complaints(decode(encode(event))) == []


@pytest.mark.parametrize("type_", [name for name in MONITOR if name.count(".") == 2])
def test_news_about_the_monitor_fit_it(type_: str) -> None:
    """All that are made, and one that only a later version makes."""
    _, subject, what = type_.split(".")
    for name in (what, "something_new"):
        event = monitor_event(
            subject, "x", name, count=1, time="2025-11-22T09:00:00.000Z", details={"a": 1}, provider=None
        )
        assert complaints(decode(encode(event))) == []


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("id", "evt_short"),
        ("type", "worklayer.invoice.claimed"),
        ("specversion", "0.3"),
        ("sequence", "9"),
        ("data", {"provider": "worklayer"}),
    ],
)
def test_what_is_no_event_of_ours_does_not_fit(where: str, value: object) -> None:
    """A wrong member is found."""
    (event,) = told("worklayer", job("CLAIMED"))
    assert complaints(event | {where: value}) != []


def test_a_state_event_names_its_own_state() -> None:
    """`claimed` says CLAIMED and nothing else."""
    event = told("worklayer", job("UNCLAIMED"), job("CLAIMED"))[-1]
    event["data"]["state"]["after"] = "CLOSED"

    assert complaints(event) != []


def test_every_declared_type_is_in_the_catalogue_once() -> None:
    """States, named changes, follow-ups, deadlines: the promised ones among them."""
    names = [one.name for one in catalogue(VOCABULARIES)]

    assert len(names) == len(set(names))
    assert {
        "driver_jobs.contract.expiring",
        "driver_jobs.contract.overdue",
        "driver_jobs.contract.renewal_offered",
        "driver_jobs.interview.rescheduled",
        "worklayer.job.members_changed",
        "worklayer.job.deadline_missed",
        "bindbee.job.closed",
        "devrev.job.completed",
        "devrev.job.retried",
        "jobwire.source.baselined",
    } <= set(names)


def test_states_that_share_a_name_share_a_type() -> None:
    """`On Hold` and `ON_HOLD` are one event type with two states."""
    kind = Kind(
        tracked=("tags",),
        states=frozenset({"On Hold", "ON_HOLD"}),
        shapes={"tags": as_set},
        named=(NamedChange("moved", frozenset({"place"})),),
    )
    types = {one.name: one for one in catalogue([Vocabulary("acme", {"parcel": kind})])}

    assert types["acme.parcel.on_hold"].states == ("ON_HOLD", "On Hold")
    assert "only where `track` of the source names it" in types["acme.parcel.moved"].text
