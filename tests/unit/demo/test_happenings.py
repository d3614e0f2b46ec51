from __future__ import annotations

from typing import Any

from monitor.demo.happenings import Happenings
from monitor.moments import from_millis, stamp
from monitor.simulator.life import Change

JOB = {"kind": "job", "id": "j1", "parent": None}


def event(seen: float, before: float | None = None, resource: dict[str, Any] | None = JOB) -> dict[str, Any]:
    """An event that was seen at a time, in seconds since 1970, after a look at another time."""
    return {
        "data": {
            "provider": "worklayer",
            "resource": resource,
            "first_seen_after": stamp(from_millis(round(seen * 1000))),
            "last_seen_before": None if before is None else stamp(from_millis(round(before * 1000))),
        }
    }


def changed(*times: float, item: Any = "j1") -> Happenings:
    """What is remembered after a document was changed at these times."""
    happenings = Happenings()
    for at in times:
        happenings.note(Change("worklayer", item, "is changed"), at)
    return happenings


def test_an_event_tells_of_the_first_change_since_the_last_look() -> None:
    """Of several changes between two looks the first counts, which is the longest time; later ones are not seen yet."""
    assert changed(101, 103, 109).of(event(105, before=100)) == 101
    assert changed(99, 103, 109).of(event(105, before=100)) == 103


def test_several_events_of_one_look_tell_of_the_same_change() -> None:
    """A contract that begins and a driver who is accepted come from one change, and a later event from a later one."""
    happenings = changed(101, 106)
    assert [happenings.of(event(105)), happenings.of(event(105)), happenings.of(event(110))] == [101, 101, 106]


def test_contracts_belong_to_the_document_of_their_driver() -> None:
    """The provider's document is the parent; ids may be numbers there."""
    contract = {"kind": "contract", "id": "9", "parent": "fleet/job_driver/7"}
    assert changed(101, item=7).of(event(105, resource=contract)) == 101


def test_a_rung_that_falls_due_right_after_a_change_comes_from_it_and_a_later_one_from_the_clock() -> None:
    """The change was told already, and still it is why the date came near, unless that is long ago."""
    happenings = changed(101)
    assert happenings.of(event(105)) == 101
    assert happenings.of(event(106)) == 101
    assert happenings.of(event(200)) is None


def test_what_is_not_known_is_not_invented() -> None:
    """No time for a change before the start, and none for an event about the monitor itself."""
    assert changed().of(event(105)) is None
    assert changed(101).of(event(105, resource=None)) is None


def test_trouble_at_a_provider_is_no_change_of_a_document() -> None:
    """It is not counted among the changes."""
    assert changed(101, 102, item=None).count == 0
