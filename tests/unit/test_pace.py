"""How often a source is asked when that may be adapted."""

from __future__ import annotations

import pytest

from monitor.schedule import Pace, next_pace, paced_slot

BOTH = Pace(every=60, least=10, most=300)


@pytest.mark.parametrize(
    ("pace", "current", "changed", "busy", "wanted"),
    [
        (BOTH, 60, False, False, 90),
        (BOTH, 250, False, False, 300),
        (BOTH, 300, True, False, 60),
        (BOTH, 300, False, True, 10),
        (Pace(60), 60, False, True, 60),
        (Pace(60, most=300), 60, False, True, 60),
        (Pace(60, least=10), 10, False, False, 60),
        (Pace(60, least=90), 60, False, True, 60),
    ],
)
def test_the_pace_follows_what_happens(pace: Pace, current: float, changed: bool, busy: bool, wanted: float) -> None:
    """Busy sources are asked sooner, quiet ones later and later, a change brings back the promise."""
    assert next_pace(pace, current, changed=changed, busy=busy) == wanted


def test_an_adapted_slot_counts_from_the_last_one() -> None:
    """Slots of a changing interval have no grid; missed ones are one slot, and the first is due at once."""
    assert paced_slot(90_000, 1_000, None) == 1_000
    assert paced_slot(90_000, 100_000, 50_000) is None
    assert paced_slot(90_000, 140_000, 50_000) == 140_000
    assert paced_slot(90_000, 330_000, 50_000) == 320_000
