"""Pieces of sentences: parts that a renderer escapes, tones, and how days, spans and values are said. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from enum import Enum
from typing import Any, TypeAlias

import msgspec

from monitor.moments import parse_date, parse_instant
from monitor.targets.telling.cleaning import line

LONGEST = 2_000
"""Characters of a sentence in plain text."""


class Tone(Enum):
    """How loud an event is: its sign, which never stands alone, and its word; from the loudest to the quietest."""

    CRITICAL = ("🔴", "Critical")
    WARNING = ("🟠", "Warning")
    NEWS = ("🔵", "")
    GOOD = ("🟢", "")

    @property
    def sign(self) -> str:
        """A coloured dot."""
        return self.value[0]

    @property
    def word(self) -> str:
        """What the dot means; empty where it needs no word."""
        return self.value[1]

    @property
    def rank(self) -> int:
        """0 for the loudest."""
        return list(Tone).index(self)


def graded(tone: Tone, severity: str | None) -> Tone:
    """A tone in, the one that a route's severity (info, warning, critical) makes of it out; good news stays good."""
    wanted = {"critical": Tone.CRITICAL, "warning": Tone.WARNING, "info": Tone.NEWS}.get(severity or "")
    return tone if wanted is None or tone is Tone.GOOD else wanted


@dataclass(frozen=True, slots=True)
class Strong:
    """Text that stands out: what the sentence is about."""

    text: str


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant as it was written (RFC 3339), to be shown in the reader's zone where that is possible."""

    at: str


Part: TypeAlias = str | Strong | Moment
"""Text of a part may come from a provider: renderers escape every one."""


@dataclass(frozen=True, slots=True)
class Said:
    """One event in words: `move` is a few words for headlines (`UNCLAIMED → CLAIMED`), `sentence` is whole."""

    tone: Tone
    move: str
    sentence: tuple[Part, ...]


def in_utc(instant: str) -> str:
    """An instant in, `5 Jan 2026 09:30 UTC` out; what is none as it is."""
    return in_zone(instant, UTC)


def in_zone(instant: str, zone: tzinfo) -> str:
    """An instant in, the same on the clocks of a zone out: `5 Jan 2026 04:30 EST`; what is none as it is."""
    at = parse_instant(instant)
    if at is None:
        return instant
    there = at.astimezone(zone)
    return f"{there.day} {there:%b %Y %H:%M %Z}"


def plain_text(parts: Sequence[Part], limit: int = LONGEST, zone: tzinfo = UTC) -> str:
    """A sentence in, the same as one clean line of text out: instants in `zone`, nothing escaped, cuts marked."""
    told = (
        in_zone(part.at, zone) if isinstance(part, Moment) else part.text if isinstance(part, Strong) else part
        for part in parts
    )
    return line("".join(told), limit)


def count(number: Any, one: str, many: str | None = None) -> str:
    """`1 item`, `3 items`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def days(left: Any) -> str:
    """Whole days from now in, words out: `in 14 days`, `tomorrow`, `today`, `3 days ago`; empty if it is no number."""
    if not isinstance(left, int):
        return ""
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}
    return near.get(left) or (f"in {left} days" if left > 0 else f"{-left} days ago")


def span(seconds: Any) -> str:
    """Seconds in, one rounded unit out: `45 minutes`, `24 hours`, `3 days`; empty if it is no number."""
    if not isinstance(seconds, int | float):
        return ""
    whole = round(abs(seconds))
    for size, unit, least in ((86400, "day", 172_800), (3600, "hour", 5400), (60, "minute", 90)):
        if whole >= least:
            return count(round(whole / size), unit)
    return count(whole, "second")


def day(value: Any) -> str:
    """`2025-12-20` in, `20 Dec 2025` out; anything else as it is. A date belongs to no zone and is not shifted."""
    date = parse_date(value)
    return f"{date.day} {date:%b %Y}" if date else said(value)


def said(value: Any) -> str:
    """A value of an event as people read it: text as it is, nothing as a dash, lists and objects as JSON."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
