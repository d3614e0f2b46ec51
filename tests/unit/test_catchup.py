"""Which of a lane's waiting events a later one stands for, and what it says of them."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from monitor.events import Event, encode
from monitor.pipeline.catchup import LISTED, fold, told
from monitor.store.lanes import Waiting


def waiting(number: int, revision: int, *, attempts: int = 0, key: str = "tax/job/a", **data: Any) -> Waiting:
    """A delivery of the event that shows that revision of a job."""
    event = Event(
        id=f"evt_{number}",
        source="/sources/tax",
        type=data.pop("type", "worklayer.job.updated"),
        subject="job/a",
        time="2026-01-05T09:30:02Z",
        sequence=f"{number:020d}",
        data={
            "key": key,
            "resource": {"kind": "job", "id": "a", "fields": {"text": '"}}'}},
            "revision": revision,
            "state": {"before": "UNCLAIMED", "after": "CLAIMED"},
            "changes": [{"field": "total_amount", "before": 1, "after": 2}],
            "deadline": None,
            **data,
        },
    )
    return Waiting(f"dlv_{number}", attempts, encode(event), 0)


def test_the_latest_stands_for_all_before_it() -> None:
    """They are listed in order, with what happened in each."""
    folded = fold([waiting(n, n) for n in (1, 2, 3)])
    (latest,) = folded.stay
    assert latest.id == "dlv_3"
    assert folded.taken == {"dlv_3": ["dlv_1", "dlv_2"]}
    event = msgspec.json.decode(told(latest))
    assert [one["id"] for one in event["data"]["skipped"]] == ["evt_1", "evt_2"]
    assert event["data"]["skipped"][0] == {
        "id": "evt_1",
        "type": "worklayer.job.updated",
        "time": "2026-01-05T09:30:02Z",
        "revision": 1,
        "state": {"before": "UNCLAIMED", "after": "CLAIMED"},
        "changed": ["total_amount"],
    }
    before = msgspec.json.decode(latest.body)
    assert {**event, "data": {**event["data"], "skipped": None}} == {
        **before,
        "data": {**before["data"], "skipped": None},
    }


def test_what_nobody_stands_for_is_told_as_it_is_stored() -> None:
    """Byte for byte."""
    one = waiting(1, 1)
    assert fold([one]).stay == [one]
    assert told(one) is one.body


def test_a_body_that_may_have_been_seen_never_changes() -> None:
    """What was sent before stands for nothing that came earlier; it may give way itself."""
    folded = fold([waiting(1, 1), waiting(2, 2, attempts=1)])
    assert [one.id for one in folded.stay] == ["dlv_1", "dlv_2"]
    assert not folded.taken
    folded = fold([waiting(1, 1, attempts=3), waiting(2, 2)])
    assert folded.taken == {"dlv_2": ["dlv_1"]}


def test_a_list_is_handed_on() -> None:
    """Who stands for an event stands for those behind it too."""
    (first,) = fold([waiting(1, 1), waiting(2, 2)]).stay
    (second,) = fold([first, waiting(3, 3)]).stay
    assert [one["id"] for one in msgspec.json.decode(second.skipped)] == ["evt_1", "evt_2"]


def test_a_list_is_bounded() -> None:
    """The latest are listed."""
    (last,) = fold([waiting(n, n) for n in range(1, LISTED + 20)]).stay
    listed = msgspec.json.decode(last.skipped)
    assert len(listed) == LISTED
    assert listed[-1]["id"] == f"evt_{LISTED + 18}"


def test_a_clock_stands_for_no_change() -> None:
    """A change may end what a clock's event does not speak of; the other way round is fine."""
    deadline = {"date": "2026-01-06", "rung": "1d", "days_left": 1, "late": "0s"}
    folded = fold([waiting(1, 1), waiting(2, 2, deadline=deadline, state=None)])
    assert [one.id for one in folded.stay] == ["dlv_1", "dlv_2"]
    folded = fold([waiting(1, 1), waiting(2, 2, type="worklayer.job.stuck", state=None)])
    assert [one.id for one in folded.stay] == ["dlv_1", "dlv_2"]
    folded = fold([waiting(1, 1, deadline=deadline, state=None), waiting(2, 2)])
    assert folded.taken == {"dlv_2": ["dlv_1"]}


def test_the_same_revision_is_no_later_one() -> None:
    """Two events about one state are two facts."""
    folded = fold([waiting(1, 5), waiting(2, 5, deadline={"rung": "1d"}, state=None)])
    assert not folded.taken


def test_news_and_other_resources_are_never_left_out() -> None:
    """Only the same resource, only where the later event shows it whole."""
    assert not fold([waiting(1, 1, resource=None), waiting(2, 2, resource=None)]).taken
    assert not fold([waiting(1, 1), waiting(2, 2, key="tax/job/b")]).taken


def test_an_event_that_cannot_be_read_stands_for_nothing() -> None:
    """Everything is sent as it is stored."""
    strange = Waiting("dlv_2", 0, b'{"id":"evt_2","data":{"revision":"two"}}', 0)
    folded = fold([waiting(1, 1), strange, waiting(3, 3)])
    assert [one.id for one in folded.stay] == ["dlv_1", "dlv_2", "dlv_3"]
    assert not folded.taken


@given(
    st.lists(
        st.tuples(st.integers(1, 6), st.booleans(), st.sampled_from(["tax/job/a", "tax/job/b"]), st.integers(0, 1)),
        min_size=1,
        max_size=12,
    )
)
def test_nothing_is_lost_and_the_newest_revision_stays(lane: list[tuple[int, bool, str, int]]) -> None:
    """Every delivery stays or is listed by one that stays, which is later, of the same resource, and knows as much."""
    entries = [
        waiting(n, revision, attempts=sent, key=key, **({"state": None} if clock else {}))
        for n, (revision, clock, key, sent) in enumerate(lane)
    ]
    folded = fold(entries)
    gone = {id: keeper for keeper, ids in folded.taken.items() for id in ids}
    assert [one.id for one in folded.stay] == [one.id for one in entries if one.id not in gone]
    facts = {f"dlv_{n}": (n, *fact) for n, fact in enumerate(lane)}
    for id, keeper in gone.items():
        early, late = facts[id], facts[keeper]
        assert keeper not in gone
        assert late[0] > early[0]
        assert late[1] > early[1]
        assert late[3] == early[3]
        assert early[2] or not late[2]
        assert late[4] == 0
