"""Times as providers write them, to aware datetimes and back, always in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

# RFC 3339, with any number of fraction digits: Worklayer sends up to seven (.NET ticks).
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?\s*([Zz]|[+-]\d\d:?\d\d)?",
)

# `date.fromisoformat` alone would take ISO weeks too: 2026-W01-1.
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_instant(value: object) -> datetime | None:
    """RFC 3339 text in, an aware UTC datetime out; without a zone it counts as UTC; None when it is none."""
    match = _INSTANT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    seconds = clock if len(clock) == 8 else f"{clock}:00"
    micros = (fraction or "").ljust(6, "0")[:6]
    offset = "+00:00" if zone in (None, "Z", "z") else zone
    try:
        return datetime.fromisoformat(f"{day}T{seconds}.{micros}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_date(value: object) -> date | None:
    """`YYYY-MM-DD` in, a date out; None when it is none."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def stamp(moment: datetime) -> str:
    """An aware datetime in, RFC 3339 in UTC with milliseconds out."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def from_millis(millis: int) -> datetime:
    """Milliseconds since 1970 in, an aware UTC datetime out."""
    return _EPOCH + timedelta(milliseconds=millis)


def to_millis(moment: datetime) -> int:
    """An aware datetime in, milliseconds since 1970 out."""
    return round((moment - _EPOCH) / timedelta(milliseconds=1))
