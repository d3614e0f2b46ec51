"""The W3C trace context of an attempt: one trace for an event, wherever it goes and however often it is sent.

https://www.w3.org/TR/trace-context/#traceparent-header
"""

from __future__ import annotations

import hashlib
from datetime import datetime

_RECORDED = "01"
"""The flag `sampled`: the caller keeps a record, which is the attempt (`jobwire deliveries`, `delivery.attempted`)."""


def trace_id(event: str) -> str:
    """An event's id in, the id of its trace out: a hash, so that every worker and every target says the same."""
    return _hash(16, event)


def event_span(event: str) -> str:
    """An event's id in, the id of the span out that stands for the event itself: the one that attempts are below."""
    return _hash(8, event)


def attempt_span(event: str, place: str, attempt: int, sent_at: datetime) -> str:
    """An event's id, where it is sent, the number of the attempt and its time in, the id of its span out.

    Each attempt is a span of its own, made anew when it is repeated under the same number.
    """
    return _hash(8, f"{event}\n{place}\n{attempt}\n{sent_at.isoformat()}")


def scan_ids(source: str, epoch: int, begun: datetime) -> tuple[str, str]:
    """A source, the epoch of one scan of it and when it began in, the ids of its trace and of its span out."""
    scan = f"scan\n{source}\n{epoch}\n{begun.isoformat()}"
    return _hash(16, scan), _hash(8, scan)


def traceparent(event: str, place: str, attempt: int, sent_at: datetime) -> str:
    """What `attempt_span` takes in, the header's value out."""
    return f"00-{trace_id(event)}-{attempt_span(event, place, attempt, sent_at)}-{_RECORDED}"


def _hash(size: int, text: str) -> str:
    """So many bytes as hexadecimal digits, never all zeros, which the standard forbids."""
    digest = hashlib.blake2b(text.encode(), digest_size=size).digest()
    return (digest if any(digest) else b"\x01" * size).hex()
