"""Which changes become events, what they are called, and what is in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.events import Event, event_id
from monitor.resources import Document
from monitor.rules import Setting, Silent, judge_removal
from tests.unit.acme import BEFORE, NOW, contract, document, job, known, look, post, setting, whats


def test_a_new_resource_is_created_with_revision_one() -> None:
    """Its state comes from nothing; everything the provider sent is in `fields`."""
    judgement = look(None, job("OPEN", name="Shed", stamp="2026-01-05T09:29:59Z"))
    (event,) = judgement.events
    assert event == Event(
        id=event_id("shop", "job", "1", 1, "acme.job.created"),
        source="/sources/shop",
        type="acme.job.created",
        subject="job/1",
        time="2026-01-05T09:30:02.114Z",
        sequence="00000000000000000001",
        data={
            "provider": "acme",
            "source": "shop",
            "key": "shop/job/1",
            "resource": {
                "kind": "job",
                "id": "1",
                "parent": None,
                "title": "Job 1",
                "state": "OPEN",
                "url": None,
                "fields": {"name": "Shed"},
            },
            "revision": 1,
            "state": {"before": None, "after": "OPEN"},
            "changes": [],
            "deadline": None,
            "occurred_at": "2026-01-05T09:29:59Z",
            "last_seen_before": BEFORE,
            "first_seen_after": "2026-01-05T09:30:02.114Z",
        },
    )
    one = judgement.document.known["job/1"]
    assert (one.revision, one.sequence, one.gone) == (1, 1, False)
    assert one.since == one.first_seen == "2026-01-05T09:30:02.114Z"


def test_a_state_and_three_fields_that_change_in_one_scan_are_one_event() -> None:
    """It is named by the new state, with all changes in it."""
    before = document(known(job("OPEN", name="Shed", amount=5, due_at=None), revision=6, sequence=8))
    judgement = look(before, job("CLAIMED", name="Barn", amount=6, due_at="2026-02-01T00:00:00Z"))
    (event,) = judgement.events
    assert event.type == "acme.job.claimed"
    assert event.sequence == "00000000000000000009"
    assert event.data["revision"] == 7
    assert event.data["state"] == {"before": "OPEN", "after": "CLAIMED"}
    assert event.data["changes"] == [
        {"field": "name", "before": "Shed", "after": "Barn"},
        {"field": "amount", "before": 5, "after": 6},
        {"field": "due_at", "before": None, "after": "2026-02-01T00:00:00Z"},
    ]
    assert judgement.document.known["job/1"].since == "2026-01-05T09:30:02.114Z"


@pytest.mark.parametrize(
    ("before", "after", "what", "told"),
    [
        ("OPEN", "IN_REVIEW", "in_review", ("OPEN", "IN_REVIEW")),
        ("OPEN", "On hold!", "on_hold", ("OPEN", "On hold!")),
        ("OPEN", None, "state_cleared", ("OPEN", None)),
        ("OPEN", "-", "state_cleared", ("OPEN", None)),
        ("-", "OPEN", "open", (None, "OPEN")),
    ],
)
def test_a_change_of_state_is_named_by_the_new_state(
    before: str | None, after: str | None, what: str, told: tuple[str | None, str | None]
) -> None:
    """Unknown states work like any other; none of them is `state_cleared`."""
    judgement = look(document(job(before)), job(after))
    (event,) = judgement.events
    assert whats([event]) == [what]
    assert event.data["state"] == {"before": told[0], "after": told[1]}


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ({"name": "Shed"}, {"name": "Barn"}, "updated"),
        ({"amount": 5}, {"amount": 6}, "raised"),
        ({"amount": 6}, {"amount": 5}, "updated"),
        ({"tags": ["a"]}, {"tags": ["a", "b"]}, "tags_changed"),
        ({"amount": 5, "tags": []}, {"amount": 6, "tags": ["a"]}, "raised"),
        ({"amount": 6, "tags": []}, {"amount": 5, "tags": ["a"]}, "tags_changed"),
    ],
)
def test_a_change_of_fields_has_its_name_or_is_an_update(
    before: dict[str, Any], after: dict[str, Any], what: str
) -> None:
    """Named changes are tried in their order, each only when its own condition agrees."""
    judgement = look(document(job(**before)), job(**after))
    assert whats(judgement.events) == [what]
    (event,) = judgement.events
    assert event.data["state"] == {"before": "OPEN", "after": "OPEN"}
    assert judgement.document.known["job/1"].since == "2026-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("stamp", "told"), [("2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z"), ("2026-01-01T00:00:00Z", None), (None, None)]
)
def test_a_stamp_that_did_not_move_does_not_date_the_change(stamp: str | None, told: str | None) -> None:
    """It is the time of an earlier change, and would be read as that of this one."""
    (event,) = look(document(job(amount=5, stamp="2026-01-01T00:00:00Z")), job(amount=6, stamp=stamp)).events
    assert event.data["occurred_at"] == told


def test_a_named_change_gives_way_to_a_change_of_state() -> None:
    """One event: the state's."""
    assert whats(look(document(job("OPEN", tags=[])), job("DONE", tags=["a"])).events) == ["done"]


def test_nothing_new_is_no_event_and_no_revision_but_the_latest_look_is_kept() -> None:
    """Untracked fields are shown as they are now."""
    before = document(known(job(name="Shed", views=1), revision=3, sequence=4))
    judgement = look(before, job(name="Shed", views=2, stamp="2026-01-05T09:00:00Z"))
    assert judgement.events == ()
    after = job(name="Shed", views=2, stamp="2026-01-05T09:00:00Z")
    assert judgement.document == document(known(after, revision=3, sequence=4))


def test_p17_there_and_back_again_are_two_events_with_rising_revisions() -> None:
    """The return to a state is another fact, so it has another id."""
    first = look(document(job("OPEN")), job("CLAIMED"))
    second = look(first.document, job("OPEN"))
    third = look(second.document, job("CLAIMED"))
    events = [*first.events, *second.events, *third.events]
    assert whats(events) == ["claimed", "open", "claimed"]
    assert [event.data["revision"] for event in events] == [2, 3, 4]
    assert len({event.id for event in events}) == 3


def test_p20_the_same_change_judged_again_later_elsewhere_is_the_same_event() -> None:
    """Time and scan are not part of the id."""
    before = document(known(job("OPEN"), revision=4, sequence=2))
    here = look(before, job("CLAIMED"))
    later = Setting("shop", setting().vocabulary, setting().clockwork, NOW + timedelta(hours=3), None)
    there = look(before, job("CLAIMED"), at=later)
    assert [event.id for event in here.events] == [event.id for event in there.events]


def test_a_removal_is_a_revision_with_no_state_after() -> None:
    """The resource stays known, as gone, with the fields it had."""
    judgement = judge_removal(document(known(job("OPEN", name="Shed"), revision=2, sequence=5)), ["job/1"], setting())
    (event,) = judgement.events
    assert (event.type, event.sequence, event.data["revision"]) == ("acme.job.removed", f"{6:020d}", 3)
    assert event.data["state"] == {"before": "OPEN", "after": None}
    assert event.data["resource"]["state"] is None
    assert event.data["resource"]["fields"] == {"name": "Shed"}
    one = judgement.document.known["job/1"]
    assert (one.gone, one.revision, one.sequence) == (True, 3, 6)
    assert judge_removal(judgement.document, ["job/1"], setting()).events == ()


def test_p18_a_return_is_restored_and_the_revision_goes_on() -> None:
    """Its state comes from nothing, as after a removal."""
    removed = judge_removal(document(known(job("OPEN", name="Shed"), revision=2, sequence=5)), ["job/1"], setting())
    (event,) = look(removed.document, job("OPEN", name="Barn")).events
    assert (event.type, event.data["revision"], event.sequence) == ("acme.job.restored", 4, f"{7:020d}")
    assert event.data["state"] == {"before": None, "after": "OPEN"}
    assert event.data["changes"] == [{"field": "name", "before": "Shed", "after": "Barn"}]


def test_p9_the_first_look_at_a_source_is_silent() -> None:
    """Everything is known afterwards, with the reason why it was not told."""
    first = look(None, post(), at=setting(baseline=True))
    assert first.events == ()
    assert first.silent == (Silent("post/7", "first sight of the source"),)
    one = first.document.known["post/7"]
    assert (one.revision, one.sequence) == (1, 0)


def test_p10_a_baseline_that_is_taken_up_again_stays_silent() -> None:
    """What changed between its two halves is a revision, not an event; the first event comes after it."""
    first = look(None, job("OPEN"), at=setting(baseline=True))
    again = look(first.document, job("CLAIMED"), at=setting(baseline=True))
    assert again.events == ()
    (event,) = look(again.document, job("DONE")).events
    assert (event.data["revision"], event.sequence) == (3, f"{1:020d}")


def test_p11_what_a_change_of_options_brings_into_view_is_not_news() -> None:
    """What is new in known items, and every change, still is."""
    at = replace(setting(), widened=True)
    arrived = look(None, post(), contract(), at=at)
    assert arrived.events == ()
    assert [one.reason for one in arrived.silent] == [
        "came into view by a change of the source's options",
        "came with its post/7",
    ]
    known_post = document(post())
    assert whats(look(known_post, post("filled"), contract(), at=at).events) == ["filled", "created"]


def test_states_that_nobody_documented_are_named_once_a_look() -> None:
    """Known states, no state, and kinds without a list of states are no drift."""
    assert look(document(job("OPEN")), job("BROKEN")).unknown_states == (("job", "BROKEN"),)
    assert look(document(job("BROKEN")), job("BROKEN", name="Shed")).unknown_states == (("job", "BROKEN"),)
    assert look(None, job("CLAIMED")).unknown_states == ()
    assert look(document(job("OPEN")), job("-")).unknown_states == ()


LOOKS = st.lists(
    st.one_of(
        st.tuples(st.just("look"), st.sampled_from(["OPEN", "CLAIMED", "DONE", "-", None]), st.integers(0, 2)),
        st.tuples(st.just("remove"), st.none(), st.none()),
    ),
    max_size=25,
)


@given(LOOKS)
def test_p19_revisions_and_sequences_are_contiguous_whatever_happens(looks: list[tuple[str, Any, Any]]) -> None:
    """Every event of a resource is one revision and one in sequence after the last, with an id of its own."""
    document_: Document | None = None
    events: list[Event] = []
    for what, state, amount in looks:
        if what == "look":
            judgement = look(document_, job(state, amount=amount))
        elif document_ is None:
            continue
        else:
            judgement = judge_removal(document_, ["job/1"], setting())
        document_ = judgement.document
        events += judgement.events
    assert [event.data["revision"] for event in events] == list(range(1, len(events) + 1))
    assert [int(event.sequence) for event in events] == list(range(1, len(events) + 1))
    assert len({event.id for event in events}) == len(events)
    for one, other in pairwise(events):
        assert one.data["state"]["after"] == other.data["state"]["before"]
