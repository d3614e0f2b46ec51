"""The envelope, the id that is a function of what happened, and how states become names."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b32encode
from typing import Any

import msgspec
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from hypothesis import given
from hypothesis import strategies as st

from monitor.events import Event, decode, encode, event_id, monitor_event, sequence_text, state_name

EVENT = Event(
    id="evt_1",
    source="/sources/tax",
    type="worklayer.job.claimed",
    subject="job/1",
    time="2026-01-05T09:30:02.114Z",
    sequence=sequence_text(9),
    data={"provider": "worklayer", "title": "Żółw & <b>", "amount": 12345678901234567890},
)
FACTS = st.tuples(st.text(), st.text(), st.text(), st.integers(0, 2**63), st.text(), st.text())


def test_the_bytes_of_an_event_are_its_fields_in_order() -> None:
    """What is stored is what is sent: CloudEvents JSON, UTF-8, nothing escaped that need not be, integers exact."""
    assert encode(EVENT).decode() == (
        '{"specversion":"1.0","id":"evt_1","source":"/sources/tax","type":"worklayer.job.claimed","subject":"job/1",'
        '"time":"2026-01-05T09:30:02.114Z","datacontenttype":"application/json","sequence":"00000000000000000009",'
        '"data":{"provider":"worklayer","title":"Żółw & <b>","amount":12345678901234567890}}'
    )
    assert decode(encode(EVENT)) == json.loads(encode(EVENT))
    assert encode(EVENT) == encode(EVENT)


def test_an_independent_reader_takes_the_envelope_for_cloudevents_1_0() -> None:
    """The library of the CloudEvents project reads every attribute."""
    message = HTTPMessage({"content-type": "application/cloudevents+json"}, encode(EVENT))
    read = from_http_event(message)
    assert (read.get_id(), read.get_type(), read.get_source()) == ("evt_1", "worklayer.job.claimed", "/sources/tax")
    assert read.get_extension("sequence") == "00000000000000000009"
    assert read.get_data() == EVENT.data


def test_ids_never_change_from_release_to_release() -> None:
    """Receivers drop repetitions by them, also of events made before an upgrade."""
    job = ("tax", "job", "a9749189-c82b-488b-a448-8f74c3d254e0", 7, "worklayer.job.claimed")
    assert event_id(*job) == "evt_gfk4h7wzlxumm3cdhtlobyqm"
    rung = ("uk-drivers", "contract", "370", 2, "driver_jobs.contract.expiring", "30d@2025-12-20")
    assert event_id(*rung) == "evt_xwxkfvyxcceuvcocihtsm67n"


@given(FACTS, FACTS)
def test_p20_ids_are_equal_exactly_when_all_facts_are(one: Any, other: Any) -> None:
    """Source, kind, id, revision, type and rung each tell events apart."""
    assert (event_id(*one) == event_id(*other)) == (one == other)


@given(FACTS, st.integers(0, 5), st.text(min_size=1))
def test_p20_changing_any_one_fact_changes_the_id(facts: Any, place: int, more: str) -> None:
    """And an id is always `evt_` and 24 letters that survive any URL, header and file name."""
    value = facts[place]
    changed = (*facts[:place], value + 1 if isinstance(value, int) else value + more, *facts[place + 1 :])
    assert event_id(*facts) != event_id(*changed)
    assert re.fullmatch(r"evt_[a-z2-7]{24}", event_id(*facts))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "b", "c", 1, "t"), ("ab", "", "c", 1, "t")),
        (("a", "b", "1", 1, "t"), ("a", "b", "11", 1, "t")),
        (("a", "b", "1", 11, "t"), ("a", "b", "11", 1, "t")),
        (("a", "b", 'c","d', 1, "t"), ("a", "b", "c", 1, "t")),
        (("a", "b", "c", 1, "t", "x"), ("a", "b", "c", 1, "tx", "")),
        (("a\x1fb", "", "c", 1, "t"), ("a", "b", "c", 1, "t")),
    ],
)
def test_p20_facts_never_run_into_each_other(one: Any, other: Any) -> None:
    """Where one fact ends and the next begins is part of the id."""
    assert event_id(*one) != event_id(*other)


@pytest.mark.parametrize(
    ("state", "name"),
    [
        ("CLAIMED", "claimed"),
        ("UNDER_CONSTRUCTION", "under_construction"),
        ("in_progress", "in_progress"),
        ("inProgress", "in_progress"),
        ("Rejected Verified", "rejected_verified"),
        ("on-hold", "on_hold"),
        (" OPEN ", "open"),
        ("in.review", "in_review"),
        (None, "state_cleared"),
        ("", "state_cleared"),
        ("-", "state_cleared"),
        (" - ", "state_cleared"),
        ("完了", "state_other"),
        ("**", "state_other"),
    ],
)
def test_states_become_snake_case(state: str | None, name: str) -> None:
    """The new state is the last segment of the type; no state is `state_cleared`."""
    assert state_name(state) == name


@given(st.text())
def test_any_state_is_one_segment_of_a_type(state: str) -> None:
    """No dots, no spaces, never empty: `match.type` can always name it."""
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", state_name(state))


@given(st.integers(0, 10**20 - 1), st.integers(0, 10**20 - 1))
def test_sequences_sort_as_text_as_they_do_as_numbers(one: int, other: int) -> None:
    """20 digits each."""
    assert (sequence_text(one) < sequence_text(other)) == (one < other)
    assert len(sequence_text(one)) == 20


def test_news_of_the_monitor_name_their_subject_and_have_no_resource() -> None:
    """`jobwire.*` events: what, why and since when are in `data.details`."""
    event = monitor_event(
        "source", "tax", "failing", count=12, time="2026-01-05T09:30:02.114Z", details={"reason": "x"}, provider="acme"
    )
    assert (event.type, event.source, event.subject) == ("jobwire.source.failing", "/sources/tax", "source/tax")
    assert event.sequence == f"{12:020d}"
    assert event.data["resource"] is None
    assert event.data["details"] == {"reason": "x"}
    assert (event.data["source"], event.data["provider"], event.data["key"]) == ("tax", "acme", "source/tax")
    target = monitor_event("target", "ops", "failing", count=1, time=event.time, details={}, provider=None)
    assert (target.source, target.subject, target.data["source"]) == ("/targets/ops", "target/ops", None)


def test_news_of_one_count_are_told_apart_by_their_mark() -> None:
    """Two unknown states in one scan are two events; the same one is the same."""

    def drift(mark: str) -> str:
        facts = {"count": 3, "time": "2026-01-05T09:30:02.114Z", "details": {}, "provider": "acme"}
        return monitor_event("source", "tax", "schema_drift", mark=mark, **facts).id  # type: ignore[arg-type]

    assert drift("job A") == drift("job A")
    assert drift("job A") != drift("job B")


@given(FACTS)
def test_an_id_is_the_base32_of_a_hash_of_the_facts(facts: tuple[str, str, str, int, str, str]) -> None:
    """RFC 4648 in lower case, as the standard library writes it: ids that are out in the world must not change."""
    digest = hashlib.blake2b(msgspec.json.encode(facts), digest_size=15).digest()
    assert event_id(*facts) == f"evt_{b32encode(digest).decode().lower()}"
