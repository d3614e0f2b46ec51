"""What targets make of a receiver's answer: the part kept for people, and the wait it asks for."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus

from monitor.backoff import retry_after
from monitor.exchange import Response

EXCERPT = 4096
"""Bytes of an answer that are kept."""

SHORTEST_SECRET = 8

_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}


def excerpt(body: bytes, secrets: Sequence[str] = ()) -> str:
    """The first 4 KB of a body as text, or as `base64:...` when it is not UTF-8.

    Control characters are dropped; `secrets` that a receiver echoes back are blotted out.
    """
    if not body:
        return ""
    # Shorter values ("1", "true") are no secrets, and blotting them out would blot out everything.
    hidden = sorted((one.encode() for one in secrets if len(one) >= SHORTEST_SECRET), key=len, reverse=True)
    start = body[: EXCERPT + max(map(len, hidden), default=0)]  # so that none is cut in two and half of it kept
    for secret in hidden:
        start = start.replace(secret, b"***")
    start = start[:EXCERPT]
    try:
        # A character cut in two by the limit is dropped; any other broken one makes it no text.
        text = codecs.utf_8_decode(start, "strict", len(body) <= EXCERPT)[0]
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(start).decode()
    return text if text.isprintable() else text.translate(_CONTROLS)


def asked_wait(response: Response, now: datetime) -> float | None:
    """Seconds that the Retry-After header asks for; None when it does not."""
    return retry_after(response.headers.get("retry-after"), now)


def named(status: int) -> str:
    """An HTTP status with its name: `503 Service Unavailable`; the bare number when it has none."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
