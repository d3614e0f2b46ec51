"""States that last too long: since when they count, once a stay and a rule, and anew when something moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.events import Event
from monitor.resources import Document
from monitor.ringing import ring
from monitor.rules import Setting
from monitor.stuck import Stay, StuckRule, next_stuck
from tests.unit.acme import DAY, HOUR, clockwork, job, look, setting, utc

FOUR = StuckRule("acme.job", "OPEN", 4 * HOUR)
DAYLONG = StuckRule("acme.job", "OPEN", DAY)
IDLE = StuckRule("acme.job", "CLAIMED", 1 * HOUR, ("progress",))
START = "2026-01-05 08:00"


def at(when: str, *rules: StuckRule) -> Setting:
    """A look at this moment under these rules."""
    return replace(setting(utc(when)), clockwork=clockwork(stuck=rules))


def seen(
    when: str,
    state: str | None,
    *rules: StuckRule,
    before: Document | None = None,
    stamp: str | None = None,
    **fields: Any,
) -> Document:
    """What is known of job 1 after a look."""
    return look(before, job(state, stamp=stamp, **fields), at=at(when, *rules)).document


def rings(known: Document, when: str, *rules: StuckRule) -> tuple[Document, list[Event]]:
    """What is known and told after the clock of job 1 rings."""
    judgement = ring(known, "job/1", "acme.job.stuck", at(when, *rules))
    return judgement.document, list(judgement.events)


def due(known: Document, *rules: StuckRule) -> str | None:
    """When the ring must look next."""
    moment = next_stuck(known.known["job/1"], "acme.job", rules)
    return f"{moment:%Y-%m-%d %H:%M}" if moment else None


def test_a_stay_is_told_once_when_it_has_lasted_too_long() -> None:
    """With the moment at which it became too long, and since when it has lasted."""
    known = seen(START, "OPEN", FOUR)
    assert due(known, FOUR) == "2026-01-05 12:00"
    assert rings(known, "2026-01-05 11:59", FOUR)[1] == []
    known, (event,) = rings(known, "2026-01-05 12:00", FOUR)
    assert (event.type, event.data["state"], event.data["revision"]) == ("acme.job.stuck", None, 1)
    assert event.data["deadline"] == {
        "at": "2026-01-05T12:00:00.000Z",
        "rung": "4h",
        "seconds_left": 0,
        "late": "0s",
    }
    assert event.data["details"] == {"since": "2026-01-05T08:00:00.000Z"}
    assert due(known, FOUR) is None
    assert rings(known, "2026-02-05 12:00", FOUR)[1] == []


def test_an_update_is_no_new_stay_but_a_return_to_the_state_is() -> None:
    """Only the state counts, unless the rule names fields."""
    known, first = rings(seen(START, "OPEN", FOUR), "2026-01-05 12:00", FOUR)
    known = seen("2026-01-05 13:00", "OPEN", FOUR, before=known, name="another")
    assert due(known, FOUR) is None
    known = seen("2026-01-05 14:00", "CLAIMED", FOUR, before=known)
    assert due(known, FOUR) is None
    known = seen("2026-01-05 15:00", "OPEN", FOUR, before=known)
    assert due(known, FOUR) == "2026-01-05 19:00"
    _, second = rings(known, "2026-01-05 19:00", FOUR)
    assert len({event.id for event in first + second}) == 2


@pytest.mark.parametrize(
    ("stamp", "told_at"),
    [
        ("2026-01-05T06:30:00.131Z", "2026-01-05 10:30"),
        ("2026-01-05T09:00:00+01:00", "2026-01-05 12:00"),
        ("2026-01-05T08:00:01Z", "2026-01-05 12:00"),  # ahead of us: no witness
        (None, "2026-01-05 12:00"),
    ],
)
def test_the_time_counts_from_the_providers_stamp_when_it_has_one(stamp: str | None, told_at: str) -> None:
    """Else from first sight."""
    assert due(seen(START, "OPEN", FOUR, stamp=stamp), FOUR) == told_at


def test_a_stamp_of_a_later_update_does_not_move_the_stay() -> None:
    """It was taken when the state began; and one that the state did not move says nothing of it."""
    known = seen(START, "OPEN", FOUR, stamp="2026-01-05T07:00:00Z")
    known = seen("2026-01-05 09:00", "OPEN", FOUR, before=known, stamp="2026-01-05T08:59:00Z", name="another")
    assert due(known, FOUR) == "2026-01-05 11:00"
    known = seen("2026-01-05 10:00", "CLAIMED", FOUR, before=known, stamp="2026-01-05T08:59:00Z")
    known = seen("2026-01-05 10:30", "OPEN", FOUR, before=known, stamp="2026-01-05T08:59:00Z")
    assert due(known, FOUR) == "2026-01-05 14:30"


@pytest.mark.parametrize("track", [False, True])
def test_a_field_that_the_rule_names_starts_the_time_anew_tracked_or_not(track: bool) -> None:
    """Its last change counts, and a stay that was told is told again when it stalls again."""
    known = seen(START, "CLAIMED", IDLE, progress=10)
    known = seen("2026-01-05 08:40", "CLAIMED", IDLE, before=known, progress=20)
    assert due(known, IDLE) == "2026-01-05 09:40"
    known, first = rings(known, "2026-01-05 09:40", IDLE)
    known = seen("2026-01-05 10:00", "CLAIMED", IDLE, before=known, progress=20.0, name="another" if track else None)
    assert due(known, IDLE) is None
    known = seen("2026-01-05 11:00", "CLAIMED", IDLE, before=known, progress=30)
    assert due(known, IDLE) == "2026-01-05 12:00"
    _, second = rings(known, "2026-01-05 12:00", IDLE)
    assert [one.data["details"]["since"][11:16] for one in first + second] == ["08:40", "11:00"]


def test_an_answer_that_leaves_the_field_out_says_nothing_of_it() -> None:
    """It neither starts the time anew nor makes the next answer look like a change."""
    known = seen(START, "CLAIMED", IDLE, progress=10)
    known = seen("2026-01-05 08:30", "CLAIMED", IDLE, before=known)
    assert due(known, IDLE) == "2026-01-05 09:00"
    known = seen("2026-01-05 08:40", "CLAIMED", IDLE, before=known, progress=10)
    assert due(known, IDLE) == "2026-01-05 09:00"


def test_of_several_rules_that_a_stay_has_outlasted_only_the_longest_speaks() -> None:
    """The others are passed over."""
    known = seen(START, "OPEN", FOUR, DAYLONG)
    known, (event,) = rings(known, "2026-01-06 09:00", FOUR, DAYLONG)
    assert (event.data["deadline"]["rung"], event.data["deadline"]["late"]) == ("1d", "1h")
    assert due(known, FOUR, DAYLONG) is None


def test_rules_speak_one_after_the_other() -> None:
    """Four hours, then a day."""
    known, first = rings(seen(START, "OPEN", FOUR, DAYLONG), "2026-01-05 12:00", FOUR, DAYLONG)
    assert due(known, FOUR, DAYLONG) == "2026-01-06 08:00"
    _, second = rings(known, "2026-01-06 08:00", FOUR, DAYLONG)
    assert [one.data["deadline"]["rung"] for one in first + second] == ["4h", "1d"]


def test_rules_with_other_fields_count_apart_however_many_there_are() -> None:
    """Each is told once, and what earlier states have left behind is forgotten."""
    rules = [replace(IDLE, unless_changed=(f"field{number}",)) for number in range(9)]
    known = seen(START, "CLAIMED", *rules)
    for state, minute in (("CLAIMED", "09:00"), ("CLAIMED", "09:01"), ("OPEN", "10:00"), ("CLAIMED", "11:00")):
        known = seen(f"2026-01-05 {minute}", state, *rules, before=known)
        known, events = rings(known, f"2026-01-05 {minute}", *rules)
        assert len(events) == (9 if minute == "09:00" else 0)
    known, events = rings(known, "2026-01-05 12:00", *rules)
    assert len(events) == len(known.known["job/1"].spoken["acme.job.stuck"]) == 9


def test_another_config_tells_what_is_longer_and_nothing_twice() -> None:
    """A rule that was made shorter has been told of; a longer one is due in its time."""
    known, _ = rings(seen(START, "OPEN", FOUR), "2026-01-05 12:00", FOUR)
    assert due(known, StuckRule("acme.job", "OPEN", 2 * HOUR)) is None
    assert due(known, StuckRule("acme.job", "OPEN", 6 * HOUR)) == "2026-01-05 14:00"
    assert due(known) is None


def test_at_first_sight_a_stay_is_told_with_how_late_it_is_unless_that_is_a_week() -> None:
    """It could not be known before, and says so."""
    _, (event,) = rings(seen(START, "OPEN", FOUR, stamp="2026-01-04T08:00:00Z"), START, FOUR)
    assert event.data["deadline"] == {
        "at": "2026-01-04T12:00:00.000Z",
        "rung": "4h",
        "seconds_left": -72_000,
        "late": "20h",
    }
    assert event.data["details"] == {"since": "2026-01-04T08:00:00.000Z", "known_at": "2026-01-05T08:00:00.000Z"}
    old = seen(START, "OPEN", FOUR, DAYLONG, stamp="2025-12-01T08:00:00Z")
    assert due(old, FOUR, DAYLONG) is None
    assert rings(old, START, FOUR, DAYLONG)[1] == []


def test_what_is_gone_or_in_another_state_or_of_another_kind_is_not_stuck() -> None:
    """Nor is no state, unless a rule asks for it."""
    assert due(seen(START, "CLAIMED"), FOUR) is None
    assert due(seen(START, "OPEN"), replace(FOUR, type="acme.post")) is None
    assert due(seen(START, None), FOUR) is None
    assert due(seen(START, None), replace(FOUR, state="-")) == "2026-01-05 12:00"


@given(
    st.lists(st.tuples(st.integers(1, 180), st.sampled_from(["OPEN", "CLAIMED", "look", "look", "more"])), max_size=60),
    st.sampled_from([(FOUR,), (FOUR, DAYLONG), (IDLE,), (FOUR, IDLE, replace(IDLE, limit=2 * HOUR))]),
)
def test_a_minute_by_minute_watch_agrees(steps: Sequence[tuple[int, str]], rules: tuple[StuckRule, ...]) -> None:
    """Against a stopwatch for each rule that anybody could read."""
    now, progress = utc(START), 0
    known = look(None, job("OPEN", progress=progress), at=replace(setting(now), clockwork=clockwork(stuck=rules)))
    state, document = "OPEN", known.document
    watches, told = dict.fromkeys(rules, 0), []
    expected: list[str] = []
    spoken: set[StuckRule] = set()
    for minutes, what in steps:
        for _ in range(minutes):
            now += timedelta(minutes=1)
            watches = {rule: minute + 1 for rule, minute in watches.items()}
        how = replace(setting(now), clockwork=clockwork(stuck=rules))
        if what in ("OPEN", "CLAIMED") and what != state:
            state, watches, spoken = what, dict.fromkeys(rules, 0), set()
        elif what == "more":
            progress += 1
            for rule in rules:
                if rule.unless_changed:
                    watches[rule] = 0
                    spoken.discard(rule)
        if what != "look":
            document = look(document, job(state, progress=progress), at=how).document
            continue
        for fields in {rule.unless_changed for rule in rules}:
            over = [rule for rule in rules if rule.unless_changed == fields and rule.state == state]
            over = [rule for rule in over if watches[rule] * 60 >= rule.limit]
            longest = max(over, key=lambda rule: rule.limit, default=None)
            if longest is not None and longest not in spoken:
                expected.append(f"{now:%d %H:%M} {longest.limit:g}")
                spoken.update(over)
        judgement = ring(document, "job/1", "acme.job.stuck", how)
        document = judgement.document
        told += [f"{now:%d %H:%M} {_seconds(event):g}" for event in judgement.events]
        waiting = next_stuck(document.known["job/1"], "acme.job", rules)
        assert waiting is None or waiting > now
    assert sorted(told) == sorted(expected)


def _seconds(event: Event) -> float:
    rung = str(event.data["deadline"]["rung"])
    return float(rung[:-1]) * {"h": HOUR, "d": DAY}[rung[-1]]


def test_a_stay_is_named_by_when_it_began_and_what_may_move() -> None:
    """Two rules with other fields count apart."""
    stay = Stay(IDLE, utc(START), utc(START))
    assert (stay.name, stay.rung) == ("2026-01-05T08:00:00.000Z progress", "1h")
