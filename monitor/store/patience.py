"""How much trouble a target may make before its circuit opens, somebody is told, and it is disabled."""

from __future__ import annotations

from dataclasses import dataclass

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Patience:
    """Numbers of failures in a row, and times in milliseconds; docs/operations.md says what they mean to people.

    After `open_after` failures of the network kind, of two lanes at least, one lane at a time is probed: first after
    `probe_first_ms`, each time twice as long, at most `probe_longest_ms`, all within 20 %. After `failing_after`
    failures `jobwire.target.failing` is told, and at once when an answer asks for more than `quiet_ms` of quiet. A
    target that failed for `disable_after_ms` without a success is disabled, unless `forgive_ms` passed between two of
    its failures: then it counts from the later one.
    """

    failing_after: int = 3
    quiet_ms: int = 60_000
    open_after: int = 5
    probe_first_ms: int = 1_000
    probe_longest_ms: int = 60_000
    disable_after_ms: int = 5 * _DAY_MS
    forgive_ms: int = 2 * _DAY_MS
