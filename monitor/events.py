"""The event envelope (CloudEvents 1.0, JSON), how an event's id is made, and how states become type names.

The envelope follows https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
with the `sequence` extension.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER = re.compile(r"[^a-z0-9]+")

# RFC 4648, section 6, two digits for ten bits: in base64 of the standard library this takes twice as long.
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(one + two for one in _BASE32 for two in _BASE32)

STATE_CLEARED = "state_cleared"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One fact about one resource, as it is stored and sent. Field order is the order on the wire."""

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str = "application/json"
    sequence: str
    data: dict[str, Any]


_json = msgspec.json.Encoder().encode


def event_id(source: str, kind: str, id: str, revision: int, type: str, rung: str = "") -> str:
    """What happened in, the event's id out: the same fact gives the same id on every machine, at any time.

    A crash, a second worker or a repeated scan may make the event again, and receivers may drop the
    repetition by this id alone. A later return to the same state has a higher revision, so another id.
    """
    facts = _json([source, kind, id, revision, type, rung])
    digest = int.from_bytes(hashlib.blake2b(facts, digest_size=15).digest(), "big")
    return "evt_" + "".join([_PAIRS[digest >> bits & 1023] for bits in range(110, -1, -10)])


@lru_cache(maxsize=1024)
def state_name(state: str | None) -> str:
    """A provider's state in, the last segment of the event type out: `CLAIMED` -> `claimed`, "-" -> `state_cleared`."""
    if state is None or state.strip() in ("", "-"):
        return STATE_CLEARED
    return _OTHER.sub("_", _CAMEL.sub("_", state.strip()).lower()).strip("_") or "state_other"


def sequence_text(sequence: int) -> str:
    """The count of a resource's events as 20 digits, so that text order is number order."""
    return f"{sequence:020d}"


def encode(event: Event) -> bytes:
    """An event in, the bytes that are stored and sent at every attempt out."""
    return _json(event)


def decode(body: bytes) -> dict[str, Any]:
    """Stored bytes in, the event as plain JSON values out."""
    value: dict[str, Any] = msgspec.json.decode(body)
    return value


class _Named(msgspec.Struct):
    id: str


_named = msgspec.json.Decoder(_Named)


def id_in(body: bytes) -> str:
    """Stored bytes in, the event's id out; of nothing else are values made."""
    return _named.decode(body).id


def monitor_event(
    subject_kind: str,
    name: str,
    what: str,
    *,
    count: int,
    time: str,
    details: Mapping[str, Any],
    provider: str | None,
    mark: str = "",
) -> Event:
    """A fact about the monitor itself: `jobwire.source.failing` and its like.

    `count` grows with the subject's life (a source's scans, a target's incidents); `mark` tells several
    facts of one count apart.
    """
    type_ = f"jobwire.{subject_kind}.{what}"
    source = name if subject_kind == "source" else None
    return Event(
        id=event_id(name, subject_kind, name, count, type_, mark),
        source=f"/{subject_kind}s/{name}",
        type=type_,
        subject=f"{subject_kind}/{name}",
        time=time,
        sequence=sequence_text(count),
        data={
            "provider": provider,
            "source": source,
            "key": f"{subject_kind}/{name}",
            "resource": None,
            "revision": count,
            "state": None,
            "changes": [],
            "deadline": None,
            "occurred_at": None,
            "last_seen_before": None,
            "first_seen_after": time,
            "details": dict(details),
        },
    )
