"""A bounded queue and a thread between the work and a collector: the work is never held up by it.

What finds the queue full, or the collector gone, is counted and dropped. A collector that goes away and comes back
makes one line in the log each.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from monitor.telemetry.spans import Span

QUEUE = 4096
BATCH = 512
EVERY_SECONDS = 1.0
FLUSH_SECONDS = 2.0
_FLUSH_DOWN_SECONDS = 0.5


class Sending(Protocol):
    """Sends to one collector; used by one thread, but for `stop`."""

    place: str
    """The collector for people: host and port."""

    def send(self, spans: Sequence[Span]) -> str | None:
        """Send spans, for as long as it may take; why they were not taken, None when they were."""
        ...

    def stop(self) -> None:
        """Whoever sends gives up as soon as it can."""
        ...


@dataclass(frozen=True, slots=True)
class Counts:
    """Spans since the start: those the collector took, and those that were dropped."""

    sent: int
    dropped: int


class Exporter:
    """Takes spans and hands them to a collector in batches, from a thread of its own that begins with the first."""

    def __init__(
        self, sending: Sending, queue: int = QUEUE, batch: int = BATCH, every_seconds: float = EVERY_SECONDS
    ) -> None:
        self._sending = sending
        self._limit, self._batch, self._every = queue, batch, every_seconds
        self._waiting: deque[Span] = deque()
        self._lock = threading.Lock()
        self._wake, self._closing = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._sent = self._dropped = 0
        self._down = False

    def record(self, span: Span) -> None:
        """Take a span, or count it as dropped when the queue is full."""
        with self._lock:
            if self._closing.is_set() or len(self._waiting) >= self._limit or not self._started():
                self._dropped += 1
                return
            self._waiting.append(span)
            enough = len(self._waiting) >= self._batch
        if enough:
            self._wake.set()

    def counts(self) -> Counts:
        """How many were sent and dropped since the start."""
        with self._lock:
            return Counts(self._sent, self._dropped)

    def close(self, seconds: float = FLUSH_SECONDS) -> None:
        """Send what waits, for that many seconds at the most (half a second where nobody answered); blocks so long.

        Whoever sends then has half a second more to give up what it is at.
        """
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(min(seconds, _FLUSH_DOWN_SECONDS) if self._down else seconds)
        self._sending.stop()
        if self._thread is not None:
            self._thread.join(_FLUSH_DOWN_SECONDS)
        with self._lock:
            lost = len(self._waiting)
            self._dropped += lost
            self._waiting.clear()
        if lost:
            structlog.get_logger().warning("telemetry.not_flushed", collector=self._sending.place, spans=lost)

    def _started(self) -> bool:
        """Whether there is a thread, which is started now if not; held lock."""
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the machine gives no more threads
                return False
            self._thread = thread
        return True

    def _run(self) -> None:
        while batch := self._next():
            try:
                problem = self._sending.send(batch)
            except Exception as error:  # noqa: BLE001 - the thread must outlive whatever one batch brings
                problem = f"{type(error).__name__} of ours"
            with self._lock:
                if problem is None:
                    self._sent += len(batch)
                else:
                    self._dropped += len(batch)
            self._say(problem)

    def _next(self) -> list[Span]:
        """The next batch: when it is full, or time has passed with something waiting; nothing at the end."""
        while True:
            self._wake.wait(self._every)
            with self._lock:
                batch = [self._waiting.popleft() for _ in range(min(self._batch, len(self._waiting)))]
                if len(self._waiting) < self._batch and not self._closing.is_set():
                    self._wake.clear()
            if batch or self._closing.is_set():
                return batch

    def _say(self, problem: str | None) -> None:
        """One line when a collector stops answering, and one when it answers again."""
        if problem is None and self._down:
            structlog.get_logger().info("telemetry.resumed", collector=self._sending.place, dropped=self._dropped)
        elif problem is not None and not self._down:
            structlog.get_logger().warning(
                "telemetry.unavailable",
                collector=self._sending.place,
                error=problem,
                text="spans are dropped meanwhile",
            )
        self._down = problem is not None
