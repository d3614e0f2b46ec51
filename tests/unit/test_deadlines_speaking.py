"""Which rung of a ladder speaks: the tightest that has passed, once, whatever happens to the ring or the date."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.deadlines import FORGET_AFTER, next_due, passed_over, rules_of, speaking, told
from monitor.ladders import Rung, describe, ladder
from monitor.resources import Known
from tests.unit.acme import DAY, DUE_AT, END_DATE, HOUR, VOCABULARY, ZONES, clockwork, contract, job, known, utc


def test_of_several_rungs_that_passed_only_the_tightest_speaks_and_says_how_late() -> None:
    """The wider ones are passed over for good."""
    one = known(contract(end_date="2026-02-04"))
    now = utc("2026-01-29 03:20")
    rung = speaking(one, END_DATE, clockwork(), now)
    assert rung == Rung("7d", "acme.contract.expiring", utc("2026-01-28 00:00"))
    said = describe(END_DATE, rung, "2026-02-04", clockwork(), now)
    assert said == {"date": "2026-02-04", "rung": "7d", "days_left": 6, "late": "27h"}
    one = msgspec.structs.replace(one, spoken=told(one, END_DATE, rung))
    assert speaking(one, END_DATE, clockwork(), now) is None
    assert next_due(one, END_DATE, clockwork()) == utc("2026-02-01 00:00")


def test_the_rung_that_is_not_due_yet_does_not_speak() -> None:
    """Not a millisecond early."""
    one = known(contract(end_date="2026-02-04"))
    due = utc("2026-01-05 00:00")
    assert next_due(one, END_DATE, clockwork()) == due
    assert speaking(one, END_DATE, clockwork(), due - timedelta(milliseconds=1)) is None
    assert speaking(one, END_DATE, clockwork(), due) is not None


@given(
    st.sampled_from([(END_DATE, "end_date", "2026-04-05"), (DUE_AT, "due_at", "2026-04-05T10:30:00Z")]),
    st.sampled_from(ZONES),
    st.lists(st.integers(-40 * 24 * 60, 10 * 24 * 60), max_size=40),
    st.booleans(),
)
def test_each_rung_speaks_once_and_only_the_tightest_whenever_the_ring_looks(
    what: tuple[Any, str, str], zone: str, minutes: list[int], dense: bool
) -> None:
    """At any moments at all, and when it looks at every due time every rung speaks in its turn."""
    rule, field, value = what
    work = clockwork(zone)
    steps = ladder(rule, value, work)
    looks = [utc("2026-04-05 00:00") + timedelta(minutes=minute) for minute in minutes]
    looks += [rung.due for rung in steps] if dense else []
    one: Known = known(contract(**{field: value}) if rule is END_DATE else job(**{field: value}))
    said: list[Rung] = []
    for now in sorted(looks):
        rung = speaking(one, rule, work, now)
        assert (rung is not None) == ((due := next_due(one, rule, work)) is not None and due <= now)
        if rung is None:
            continue
        assert rung == [step for step in steps if step.due <= now][-1]
        said.append(rung)
        one = msgspec.structs.replace(one, spoken=told(one, rule, rung))
        assert speaking(one, rule, work, now) is None
    assert [steps.index(rung) for rung in said] == sorted({steps.index(rung) for rung in said})
    if dense:
        assert said == steps


def test_another_date_arms_the_ladder_anew_and_the_old_one_is_remembered() -> None:
    """A date that goes there and back does not speak again; the eighth date before the last is forgotten."""
    one = known(contract(end_date="2026-02-04"))
    now = utc("2026-01-30 00:00")
    for end in ["2026-02-04", "2026-02-10", "2026-02-04"]:
        one = msgspec.structs.replace(one, resource=contract(end_date=end))
        rung = speaking(one, END_DATE, clockwork(), now)
        if rung is not None:
            one = msgspec.structs.replace(one, spoken=told(one, END_DATE, rung))
    assert one.spoken == {"acme.contract.expiring": {"2026-02-04": "7d", "2026-02-10": "14d"}}
    assert next_due(one, END_DATE, clockwork()) == utc("2026-02-01 00:00")
    for day in range(11, 20):
        one = msgspec.structs.replace(one, resource=contract(end_date=f"2026-02-{day}"))
        one = msgspec.structs.replace(one, spoken=told(one, END_DATE, Rung("14d", END_DATE.type, now)))
    assert list(one.spoken["acme.contract.expiring"]) == [f"2026-02-{day}" for day in range(12, 20)]


def test_p15_an_instant_written_otherwise_is_the_same_deadline() -> None:
    """Fraction digits and zone are form: no rung speaks again for them."""
    one = known(job(due_at="2026-02-04T10:00:00.131Z"))
    now = utc("2026-02-03 12:00")
    rung = speaking(one, DUE_AT, clockwork(), now)
    assert rung is not None
    spoken = told(one, DUE_AT, rung)
    for same in ("2026-02-04T10:00:00.1310000Z", "2026-02-04T11:00:00.131+01:00", "2026-02-04 10:00:00.131"):
        again = known(job(due_at=same), spoken=spoken)
        assert speaking(again, DUE_AT, clockwork(), now) is None
    assert speaking(known(job(due_at="2026-02-04T10:00:01Z"), spoken=spoken), DUE_AT, clockwork(), now) is not None


@pytest.mark.parametrize(
    ("spoken", "now", "speaks"),
    [
        ("14d", "2026-01-24 00:00", None),
        ("14d", "2026-01-25 00:00", "10d"),
        ("20d", "2026-01-24 00:00", None),
        ("5d", "2026-01-31 00:00", None),
        ("5d", "2026-02-03 00:00", "1d"),
        ("24h", "2026-02-03 00:00", None),
        ("overdue", "2026-02-10 00:00", None),
    ],
)
def test_another_ladder_in_the_config_tells_only_what_is_tighter(spoken: str, now: str, speaks: str | None) -> None:
    """Rungs told under the old ladder count by their span, whatever they were called."""
    one = known(contract(end_date="2026-02-04"), spoken={END_DATE.type: {"2026-02-04": spoken}})
    work = clockwork(ladders={END_DATE.type: (20 * DAY, 10 * DAY, 36 * HOUR, 1 * DAY)})
    rung = speaking(one, END_DATE, work, utc(now))
    assert (rung.name if rung else None) == speaks


def test_only_states_in_which_a_deadline_lives_have_rules() -> None:
    """An end disarms it, so does the removal, so does a kind that nobody declared."""
    kind = VOCABULARY.kinds["contract"]
    assert rules_of(known(contract("active")), kind) == [END_DATE]
    assert rules_of(known(contract("expired")), kind) == []
    assert rules_of(known(contract(None)), kind) == []
    assert rules_of(known(contract("active"), gone=True), kind) == ()
    assert rules_of(known(contract("active")), None) == ()


def test_at_first_sight_a_deadline_is_told_until_seven_days_after_it() -> None:
    """Inside the ladder it speaks; long past it is taken as told."""
    kind, over = VOCABULARY.kinds["contract"], utc("2026-01-02 00:00")
    one = known(contract(end_date="2026-01-01"))
    assert passed_over(one, kind, clockwork(), over + FORGET_AFTER) == {}
    late = over + FORGET_AFTER + timedelta(seconds=1)
    spoken = passed_over(one, kind, clockwork(), late)
    assert spoken == {END_DATE.type: {"2026-01-01": "overdue"}}
    one = msgspec.structs.replace(one, spoken=spoken)
    assert speaking(one, END_DATE, clockwork(), late) is None
    assert next_due(one, END_DATE, clockwork()) is None
    inside = known(contract(end_date="2026-01-20"))
    assert passed_over(inside, kind, clockwork(), utc("2026-01-10 00:00")) == {}
    ended = known(contract("expired", end_date="2020-01-01"))
    assert passed_over(ended, kind, clockwork(), late) == {}
