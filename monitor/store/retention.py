"""How long what is kept lives, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Retention:
    """Lifetimes in milliseconds and bounds in pieces; events live at least as long as the retry schedule."""

    events_ms: int = 14 * _DAY_MS
    history_ms: int = 90 * _DAY_MS
    history_max: int = 50
    gone_ms: int = 90 * _DAY_MS
