"""What a demo counted and measured, and whether that is how it should be."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median


@dataclass(slots=True)
class Figures:
    """The numbers of one run. Times are in seconds."""

    baselined: int = 0
    delivered: set[str] = field(default_factory=set)
    repeated: int = 0
    unverified: int = 0
    messages: int = 0
    since_change: list[float] = field(default_factory=list)
    since_commit: list[float] = field(default_factory=list)
    worker_deaths: int = 0

    def count(self, id_: str, *, verified: bool, of_monitor: bool) -> bool:
        """One webhook delivery came; False when this event had come before."""
        if not verified:
            self.unverified += 1
            return True
        if id_ in self.delivered:
            self.repeated += 1
            return False
        self.delivered.add(id_)
        self.baselined += of_monitor
        return True

    def measured(self, since_change: float | None, since_commit: float | None) -> None:
        """How long one delivery took, where that is known."""
        if since_change is not None:
            self.since_change.append(since_change)
        if since_commit is not None:
            self.since_commit.append(since_commit)

    @property
    def told(self) -> int:
        """Events about jobs, contracts and interviews that arrived."""
        return len(self.delivered) - self.baselined


@dataclass(frozen=True, slots=True)
class Spread:
    """Times in short."""

    median: float
    slowest: float


def spread(times: list[float]) -> Spread | None:
    """Times in, their middle and their largest out; None for none."""
    return Spread(median(times), max(times)) if times else None
