"""The queue and the thread before a collector: nothing is held up, what is lost is counted, the log stays short."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from monitor.telemetry import Exporter, Span
from monitor.telemetry.otlp import endpoint

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
SPAN = Span("1" * 32, "2" * 16, "scan tax", NOW, NOW)


@dataclass(slots=True)
class Collector:
    """A way to a collector that does what the test says: takes, refuses, hangs until `free`, breaks."""

    place: str = "collector:4318"
    answers: list[str | Exception | None] = field(default_factory=list)
    got: list[Span] = field(default_factory=list)
    batches: int = 0
    free: threading.Event = field(default_factory=threading.Event)
    stopped: bool = False

    def send(self, spans: Sequence[Span]) -> str | None:
        assert self.free.wait(60)
        self.batches += 1
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            self.got += spans
        return answer

    def stop(self) -> None:
        self.stopped = True


def until(condition: Callable[[], bool]) -> None:
    """Returns when the condition holds, which must be within a minute."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_a_full_queue_drops_and_counts_and_nobody_waits() -> None:
    """While the collector hangs, spans beyond the queue and the batch under way are gone; then the rest goes on."""
    collector = Collector()
    exporter = Exporter(collector, queue=3, batch=2, every_seconds=0.01)
    exporter.record(SPAN)
    until(lambda: not exporter._waiting)
    for _ in range(10):
        exporter.record(SPAN)
    assert exporter.counts().dropped == 7
    collector.free.set()
    until(lambda: exporter.counts().sent == 4)
    exporter.close()
    assert (len(collector.got), exporter.counts().dropped) == (4, 7)


def test_what_waits_is_sent_at_the_end_and_nothing_is_taken_after() -> None:
    """A long interval does not hold the end up."""
    collector = Collector()
    collector.free.set()
    exporter = Exporter(collector, every_seconds=3600)
    for _ in range(3):
        exporter.record(SPAN)
    exporter.close()
    exporter.record(SPAN)
    assert (len(collector.got), exporter.counts().sent, exporter.counts().dropped) == (3, 3, 1)
    assert collector.stopped


def test_a_collector_that_hangs_holds_the_end_up_no_longer_than_said() -> None:
    """What is left is counted as dropped, with a line."""
    collector = Collector()
    exporter = Exporter(collector, batch=1, every_seconds=0.01)
    exporter.record(SPAN)
    until(lambda: not exporter._waiting)
    exporter.record(SPAN)
    with capture_logs() as lines:
        exporter.close(0.05)
    assert [line["event"] for line in lines] == ["telemetry.not_flushed"]
    assert (exporter.counts().dropped, collector.stopped) == (1, True)
    collector.free.set()


def test_an_outage_is_two_lines_however_long_it_lasts() -> None:
    """One when it begins, one when it is over, with how many were dropped."""
    collector = Collector(answers=["refused", "refused", OSError("broken"), None, None])
    collector.free.set()
    exporter = Exporter(collector, batch=1, every_seconds=0.01)
    with capture_logs() as lines:
        for number in range(5):
            exporter.record(SPAN)
            until(lambda number=number: collector.batches > number and not exporter._waiting)  # type: ignore[misc]
        exporter.close()
    assert [line["event"] for line in lines] == ["telemetry.unavailable", "telemetry.resumed"]
    assert (lines[0]["error"], lines[1]["dropped"]) == ("refused", 3)
    assert (exporter.counts().sent, exporter.counts().dropped) == (2, 3)


def test_nothing_starts_before_there_is_something_to_send() -> None:
    """A command that makes no span starts no thread."""
    collector = Collector()
    exporter = Exporter(collector)
    exporter.close()
    assert (exporter._thread, collector.stopped) == (None, True)


@pytest.mark.parametrize(
    ("url", "traces"),
    [
        ("http://collector:4318", "http://collector:4318/v1/traces"),
        ("https://in.example.org/otlp/", "https://in.example.org/otlp/v1/traces"),
        ("https://in.example.org/v1/traces?dataset=x", "https://in.example.org/v1/traces?dataset=x"),
    ],
)
def test_traces_go_below_the_address_of_the_collector(url: str, traces: str) -> None:
    """As OTEL_EXPORTER_OTLP_ENDPOINT has it; a whole address stays what it is."""
    assert endpoint(url) == traces
