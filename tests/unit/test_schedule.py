"""When sources are due: even slots, one shift per source, and one slot for all that were missed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.schedule import Pace, due_now, due_slot, missed_slots, next_due, next_slot, offset_of, slot_at

NAMES = st.text(min_size=1, max_size=20)
EVERY = st.integers(1_000, 7 * 86_400_000)
NOW = st.integers(1_500_000_000_000, 2_500_000_000_000)


def test_a_source_keeps_its_shift_from_release_to_release_and_machine_to_machine() -> None:
    """Two workers agree on the slots without a word."""
    assert offset_of("tax", 60_000) == 13_404
    assert slot_at("tax", 60_000, 1_767_605_402_114) == 1_767_605_353_404
    assert next_slot("tax", 60_000, 1_767_605_402_114) == 1_767_605_413_404


def test_sources_of_one_interval_do_not_start_together() -> None:
    """A hundred sources spread over their minute."""
    shifts = sorted(offset_of(f"source-{number}", 60_000) for number in range(100))
    assert len({shift // 6_000 for shift in shifts}) == 10


@given(NAMES, EVERY, NOW)
def test_slots_are_one_interval_apart_and_the_latest_is_not_in_the_future(name: str, every: int, now: int) -> None:
    """Every moment belongs to exactly one slot."""
    slot = slot_at(name, every, now)
    assert slot <= now < slot + every
    assert slot % every == offset_of(name, every)
    assert next_slot(name, every, now) == slot + every
    assert slot_at(name, every, slot) == slot
    assert slot_at(name, every, slot - 1) == slot - every


@given(NAMES, EVERY, NOW)
def test_a_source_that_was_never_scanned_is_due_at_once(name: str, every: int, now: int) -> None:
    """It does not wait for its next slot."""
    slot = due_slot(name, every, now, None)
    assert slot is not None
    assert slot <= now
    assert missed_slots(every, slot, None) == 0


@given(NAMES, EVERY, NOW, st.integers(0, 50))
def test_p30_downtime_is_one_slot_with_the_missed_ones_counted(name: str, every: int, now: int, missed: int) -> None:
    """However long it was: the latest slot, once."""
    last = slot_at(name, every, now)
    later = now + (missed + 1) * every
    slot = due_slot(name, every, later, last)
    assert slot == last + (missed + 1) * every
    assert missed_slots(every, slot, last) == missed
    assert due_slot(name, every, later, slot) is None


@given(NAMES, EVERY, NOW, st.lists(st.integers(-3_600_000, 3_600_000), max_size=30))
def test_p24_a_clock_that_jumps_makes_no_slot_twice(name: str, every: int, now: int, jumps: list[int]) -> None:
    """Backwards there is nothing due until time has caught up."""
    done: list[int] = []
    for jump in jumps:
        now += jump
        slot = due_slot(name, every, now, done[-1] if done else None)
        done += [slot] if slot is not None else []
    assert done == sorted(set(done))


@given(NAMES, EVERY, EVERY, NOW)
def test_another_interval_takes_effect_within_its_own_length(name: str, old: int, new: int, now: int) -> None:
    """The last slot of the old interval holds up no more than one of the new ones."""
    last = slot_at(name, old, now)
    assert due_slot(name, new, now + new, last) is not None


@given(NAMES, EVERY, NOW, st.integers(0, 5_000_000), st.integers(0, 3))
def test_when_a_source_is_due_next_is_when_it_is_scanned_next(
    name: str, every: int, now: int, later: int, paced: int
) -> None:
    """What people are told and what workers do follow one rule, with an adapted interval (0: none) and without."""
    pace, adapted, last = Pace(every / 1000, most=every / 250), paced * every, slot_at(name, every, now)
    due = next_due(name, pace, adapted, now + later, last)
    assert due >= now + later
    assert (due_now(name, pace, adapted, now + later, last)[0] is None) == (due > now + later)
    assert due_now(name, pace, adapted, due, last)[0] is not None
    assert due == now + later or due_now(name, pace, adapted, due - 1, last)[0] is None
