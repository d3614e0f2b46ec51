"""What a scan did, in numbers: they stand in its log line and in the source's state."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Protocol


class Spent(Protocol):
    """What a runner has spent: requests sent, body bytes read, seconds waited for a turn."""

    requests: int
    bytes: int
    waited: float


@dataclass(slots=True)
class Tally:
    """What a walk did, and what it cost.

    `not_modified` pages came as a 304, which saved `bytes_saved` of body; `repeated` pages came with the bytes of
    last time; `bytes` were read in all, of `requests`; `waited` is seconds spent waiting for a turn. `missed` slots
    had passed before it, while the scan before it ran or nobody was there: this scan stands for all of them.
    `outdated` items came older than they are on record, and were ignored.
    """

    pages: int = 0
    items: int = 0
    changed: int = 0
    events: int = 0
    duplicates: int = 0
    unreadable: int = 0
    silent: int = 0
    removed: int = 0
    requests: int = 0
    bytes: int = 0
    waited: float = 0.0
    not_modified: int = 0
    bytes_saved: int = 0
    repeated: int = 0
    missed: int = 0
    outdated: int = 0

    def count(self, before: tuple[int, int, float], now: Spent) -> None:
        """What was `spent` before the scan and what is spent now in, what the scan has cost noted."""
        self.requests, self.bytes = now.requests - before[0], now.bytes - before[1]
        self.waited = round(now.waited - before[2], 3)

    def totals(self, outcome: str, ms: int) -> dict[str, int]:
        """What a scan that took `ms` adds to the totals of its source, without what it adds nothing to."""
        done = asdict(self) | {f"ended:{outcome}": 1, "ms": ms, "waited_ms": round(self.waited * 1000)}
        return {name: amount for name, amount in done.items() if amount and name != "waited"}


def spent(now: Spent) -> tuple[int, int, float]:
    """What a runner has spent so far, as it stands at this moment."""
    return now.requests, now.bytes, now.waited
