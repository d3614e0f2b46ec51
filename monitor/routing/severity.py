"""How grave an event is when no route says otherwise. Pure."""

from __future__ import annotations

from collections.abc import Iterable

SEVERITIES = ("info", "warning", "critical")
DEFAULT_SEVERITY = SEVERITIES[0]
_WARNING = frozenset(
    {
        "expiring",
        "overdue",
        "failed",
        "stuck",
        "deadline_approaching",
        "stale",
        "removals_held",
        "credentials_expiring",
    }
)
_CRITICAL = frozenset({"deadline_missed", "failing", "credentials_rejected", "exhausted", "disabled"})


def default_severity(type_: str) -> str:
    """The severity of an event type when no route says otherwise."""
    what = type_.rsplit(".", 1)[-1]
    return "critical" if what in _CRITICAL else "warning" if what in _WARNING else DEFAULT_SEVERITY


def rank(severity: str | None) -> int:
    """A severity in, its place from the mildest (0) out; an unknown one counts as the mildest."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else 0


def gravest(severities: Iterable[str]) -> str:
    """The gravest of some severities, the mildest there is when there are none."""
    return max(severities, key=rank, default=DEFAULT_SEVERITY)
