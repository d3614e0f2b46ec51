"""When to try again: what a receiver asked for, what the schedule says, and the jitter between them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 14 * 86400.0
"""Seconds; nobody means more, it is a time of day in the wrong place, and events are not kept for longer either."""

_SECONDS = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_JITTER = 0.2


def retry_after(value: str | None, now: datetime) -> float | None:
    """A Retry-After header in, seconds to wait out; None when there is none or it is garbage.

    Whole and fractional seconds and all three HTTP date forms are read; the past is 0, and more than 14 days are
    garbage. https://www.rfc-editor.org/rfc/rfc9110.html#name-retry-after
    """
    text = (value or "").strip()
    if not text or len(text) > 64:
        return None
    seconds = float(text) if _SECONDS.fullmatch(text) else _until(text, now)
    return None if seconds is None or seconds > LONGEST_WAIT else max(0.0, seconds)


def _until(text: str, now: datetime) -> float | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    # HTTP dates are always GMT; the asctime form does not say so.
    return ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()


def next_delay(
    schedule: Sequence[float], attempt: int, asked: float | None, random: Callable[[], float]
) -> float | None:
    """Seconds from the failed attempt (counted from 1) to the next one; None when the schedule is used up.

    The schedule's delay gets ±20 % of jitter (`random` gives 0 to 1), so that many deliveries that failed
    together do not come back together; what the receiver `asked` for is never undercut.
    """
    if attempt > len(schedule):
        return None
    delay = schedule[attempt - 1] * (1 - _JITTER + 2 * _JITTER * random())
    return max(delay, asked or 0.0)


def exponential(attempt: int, base: float, cap: float, random: Callable[[], float]) -> float:
    """Seconds before the retry after failed attempt 1, 2, ...: base, doubled each time, capped, ±20 %."""
    delay = min(cap, base * 2.0 ** min(attempt - 1, 64))
    return delay * (1 - _JITTER + 2 * _JITTER * random())
