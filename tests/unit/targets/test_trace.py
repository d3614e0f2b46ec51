"""The trace context that webhooks carry."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from monitor.targets.trace import trace_id, traceparent

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
HEADER = re.compile(r"00-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-01")


def parts(event: str, place: str = "https://a.example/x", attempt: int = 1, at: datetime = NOW) -> tuple[str, str]:
    """Trace and span of a header, which must be as the standard has it."""
    found = HEADER.fullmatch(traceparent(event, place, attempt, at))
    assert found
    assert set(found["trace"]) != {"0"}
    assert set(found["span"]) != {"0"}
    return found["trace"], found["span"]


def test_an_event_is_one_trace_wherever_it_goes() -> None:
    """Receivers that pass it on meet in one trace; another event is another."""
    traces = {
        parts("evt_1", place, attempt)[0] for place in ("https://a.example", "https://b.example") for attempt in (1, 2)
    }
    assert traces == {trace_id("evt_1")}
    assert trace_id("evt_2") != trace_id("evt_1")


def test_each_attempt_is_a_span_of_its_own() -> None:
    """By target, by number, and when the same number is made again after a crash."""
    spans = [
        parts("evt_1")[1],
        parts("evt_1", "https://b.example")[1],
        parts("evt_1", attempt=2)[1],
        parts("evt_1", at=NOW + timedelta(milliseconds=1))[1],
    ]
    assert len(set(spans)) == 4
    assert parts("evt_1")[1] == spans[0]
