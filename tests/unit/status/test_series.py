"""How figures went: steps that stay where they are, rates, ages and estimated latencies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.status.series import MOST_STEPS, Span, quantile, span_of
from monitor.store.minutes import KEPT_MINUTES, MORE
from monitor.store.totals import AFTER_MS

NOW_MS = 29_400_000 * 60_000 + 17_000


@given(st.integers(1, KEPT_MINUTES), st.sampled_from([None, 1, 2, 5, 10, 15, 30, 60]))
def test_steps_begin_at_multiples_and_end_with_now(minutes: int, step: int | None) -> None:
    """Whatever is asked for: bounded, aligned, and the last step holds the present minute."""
    try:
        span = span_of(NOW_MS, minutes, step)
    except ValueError:
        assert step is not None
        assert minutes / step > MOST_STEPS
        return
    assert 1 <= span.steps <= (180 if step is None else MOST_STEPS)
    assert span.first % span.minutes == 0
    assert NOW_MS // 60_000 in span.step(span.steps - 1)
    assert span.steps * span.minutes <= KEPT_MINUTES
    assert span.steps * span.minutes + span.minutes > min(minutes, KEPT_MINUTES)


def test_of_the_running_step_only_what_is_over_counts() -> None:
    """A rate does not fall just because a step has only begun; the first minute counts as a whole one."""
    span = Span(29_399_997, 2, 3, NOW_MS)
    assert span.long(0) == 3
    assert span.long(1) == 1
    assert Span(29_399_997, 2, 3, NOW_MS + 90_000).long(1) == pytest.approx(107 / 60)


def test_latencies_are_estimated_inside_their_class() -> None:
    """Half of ten arrivals within 50 ms is 25 ms; beyond the last limit, that limit; without arrivals nothing."""
    none = [0] * (MORE + 1)
    assert quantile(none, 0.5) is None
    assert quantile([10, *none[1:]], 0.5) == 0.025
    assert quantile([10, *none[1:]], 1.0) == 0.05
    assert quantile([*none[:-1], 3], 0.95) == AFTER_MS[-1] / 1000


@given(st.lists(st.integers(0, 50), min_size=MORE + 1, max_size=MORE + 1), st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_a_greater_share_takes_no_less_time(counts: list[int], one: float, other: float) -> None:
    """And every estimate lies between nothing and the last limit."""
    low, high = quantile(counts, min(one, other)), quantile(counts, max(one, other))
    if low is not None and high is not None:
        assert 0 <= low <= high <= AFTER_MS[-1] / 1000
    else:
        assert sum(counts) == 0
