"""What a demo is asked for, and how fast one is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SEED = 7


@dataclass(frozen=True, slots=True)
class Pace:
    """Changes a second, how often two providers each are asked, and how long Slack waits for company."""

    rate: float
    quick: str
    calm: str
    group_wait: str


NORMAL = Pace(rate=0.4, quick="2s", calm="3s", group_wait="2s")
FAST = Pace(rate=3.0, quick="1s", calm="1s", group_wait="500ms")


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for; `seconds` None: until Ctrl-C, `seed` None: the one it began with."""

    pace: Pace
    seconds: float | None
    data_dir: Path
    seed: int | None
    fresh: bool
