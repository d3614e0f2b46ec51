"""Times as providers write them, to aware datetimes and back, always in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from monitor.values import parse_duration

# RFC 3339, with any number of fraction digits: Worklayer sends up to seven (.NET ticks).
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?\s*([Zz]|[+-]\d\d:?\d\d)?",
)

# How it is written most often, which Python reads as it stands.
_PLAIN_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", re.ASCII)

# `date.fromisoformat` alone would take ISO weeks too: 2026-W01-1.
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_instant(value: object) -> datetime | None:
    """RFC 3339 text in, an aware UTC datetime out; without a zone it counts as UTC; None when it is none."""
    if not isinstance(value, str):
        return None
    try:
        if _PLAIN_INSTANT.fullmatch(value):
            return datetime.fromisoformat(value)
        match = _INSTANT.fullmatch(value.strip())
        return _of_parts(*match.groups()) if match else None
    except (ValueError, OverflowError):
        return None


def _of_parts(day: str, clock: str, fraction: str | None, zone: str | None) -> datetime:
    seconds = clock if len(clock) == 8 else f"{clock}:00"
    micros = (fraction or "").ljust(6, "0")[:6]
    offset = "+00:00" if zone in (None, "Z", "z") else zone
    return datetime.fromisoformat(f"{day}T{seconds}.{micros}{offset}").astimezone(UTC)


def parse_date(value: object) -> date | None:
    """`YYYY-MM-DD` in, a date out; None when it is none."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def parse_moment(value: str, now: datetime) -> datetime | None:
    """`2h` back from now, a date (its beginning in UTC) or RFC 3339 in, the instant out; None for anything else."""
    found, day = parse_instant(value), parse_date(value)
    if found is None and day is not None:
        found = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if found is None:
        try:
            found = now - timedelta(seconds=parse_duration(value))
        except (ValueError, OverflowError):
            return None
    return found


def stamp(moment: datetime) -> str:
    """An aware datetime in, RFC 3339 in UTC with milliseconds out."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds")[:-6] + "Z"


def from_millis(millis: int) -> datetime:
    """Milliseconds since 1970 in, an aware UTC datetime out."""
    return _EPOCH + timedelta(milliseconds=millis)


def to_millis(moment: datetime) -> int:
    """An aware datetime in, milliseconds since 1970 out."""
    return round((moment - _EPOCH) / timedelta(milliseconds=1))
