"""Which events a scan made, for its line in the log: so that the id of an event leads to the scan, and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import structlog

from monitor.events import Event

A_LINE = 100
"""The most ids that stand in one line."""


@dataclass(slots=True)
class EventIds:
    """The ids of a scan's events: the `first` stand in its own line, the others in lines of their own (`scan.events`).

    As a context: a scan that is broken off (told to stop, its store gone) leaves a line `scan.broken_off` instead.
    """

    source: str
    epoch: int
    first: list[str] = field(default_factory=list)
    _further: list[str] = field(default_factory=list)

    def note(self, event: Event) -> None:
        """An event is stored."""
        if len(self.first) < A_LINE:
            self.first.append(event.id)
            return
        self._further.append(event.id)
        if len(self._further) == A_LINE:
            self._write()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._further:
            self._write()
        if kind is not None:
            structlog.get_logger().warning(
                "scan.broken_off", source=self.source, epoch=self.epoch, by=kind.__name__, event_ids=self.first
            )

    def _write(self) -> None:
        structlog.get_logger().info("scan.events", source=self.source, epoch=self.epoch, event_ids=self._further)
        self._further = []
