"""Instants in and vendor-style text out: how the four stand-ins write and read time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime


def utc_now() -> datetime:
    """Return the wall clock as an aware UTC instant: the clock used when a test gives no other."""
    return datetime.now(UTC)


def iso(moment: datetime, digits: int = 3) -> str:
    """Take an aware instant and give RFC 3339 text in UTC, with ``digits`` (0 to 7) digits of fraction and a
    Z.

    Seven digits are what .NET services print (ticks of 100 ns); the last one is always 0 here.
    """
    moment = moment.astimezone(UTC)
    whole = moment.strftime("%Y-%m-%dT%H:%M:%S")
    if digits == 0:
        return f"{whole}Z"
    return f"{whole}.{f'{moment.microsecond:06d}0'[:digits]}Z"


def parse(text: str) -> datetime:
    """Take RFC 3339 text and give an aware instant; text without a zone counts as UTC.

    Raises ``ValueError`` for anything that is not a date with a time.
    """
    if "T" not in text and " " not in text:
        raise ValueError(f"not a date-time: {text!r}")
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def http_date(moment: datetime) -> str:
    """Take an aware instant and give an HTTP date
    (https://www.rfc-editor.org/rfc/rfc9110#name-date-time-formats).
    """
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def day(moment: date, offset: int = 0) -> str:
    """Take a date and an offset in days and give YYYY-MM-DD."""
    return (date(moment.year, moment.month, moment.day) + timedelta(days=offset)).isoformat()
