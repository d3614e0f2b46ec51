"""For receivers: a request's headers and raw body in, the verified event out. Nothing else of jobwire is imported.

    event = verify(request.headers, await request.read(), ["whsec_..."]).event

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
docs/receiving.md has a whole receiver. Needs the standard library alone; for Ed25519 (`whpk_`) also cryptography.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import math
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

TOLERANCE = 300.0
"""Seconds that a timestamp may be off, either way."""

Reason: TypeAlias = Literal["missing_header", "malformed_header", "too_old", "too_new", "no_match", "malformed_body"]
Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]

_Check: TypeAlias = Callable[[bytes, bytes], bool]

_NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")
_ID = re.compile(r"[!-\-/-~]{1,256}")  # printable ASCII without a dot, which would let id and timestamp run together
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_ENTRY = re.compile(r"([A-Za-z0-9_-]{1,16}),([A-Za-z0-9+/]+={0,2})")
_MOST_SIGNATURES = 64
_SIZES = {"v1": 32, "v1a": 64}


class VerificationFailed(Exception):
    """The request is not one to be believed: answer 401 (or 400) and use nothing of it.

    `reason` is a closed word: missing_header, malformed_header, too_old, too_new, no_match, malformed_body. The text
    is for people and repeats nothing of the request.
    """

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Received:
    """A verified request: the event's id (drop what you have seen), when this attempt was signed, the CloudEvent."""

    id: str
    timestamp: datetime
    event: dict[str, Any] = field(repr=False)


def verify(
    headers: Headers,
    body: bytes | bytearray | memoryview | str,
    secrets: str | Sequence[str],
    *,
    tolerance: float = TOLERANCE,
    now: Callable[[], float] = time.time,
) -> Received:
    """Headers, the raw body as it came, and one secret or several in; what is proven by any of them out.

    `secrets` are `whsec_` (HMAC-SHA256, `v1`) or `whpk_` (Ed25519, `v1a`; its `whsk_` does too). Header names count
    in any case. `tolerance` is in seconds, `now` gives seconds since 1970. VerificationFailed says what is wrong with
    the request; ValueError says that a secret is none, without telling it. It takes as long whichever secret fits.
    """
    keys = [_key(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    if not keys:
        raise ValueError("no secret is given: nothing can be verified")
    if not tolerance >= 0 or math.isinf(tolerance):
        raise ValueError("the tolerance is a number of seconds, 0 or more")
    raw = body.encode() if isinstance(body, str) else bytes(body)
    id, stamp, given = _read(headers)
    _check_time(int(stamp), tolerance, now())
    signed = b"%s.%s.%s" % (id.encode(), stamp.encode(), raw)
    fits = [check(signed, signature) for kind, check in keys for version, signature in given if version == kind]
    if not any(fits):
        raise VerificationFailed("no_match", "no signature of webhook-signature was made with a secret given here")
    return Received(id, datetime.fromtimestamp(int(stamp), UTC), _event(raw))


def _read(headers: Headers) -> tuple[str, str, list[tuple[str, bytes]]]:
    """The id, the timestamp and the signatures of the versions we know; each header exactly once."""
    found: dict[str, str] = {}
    for name, value in headers.items() if hasattr(headers, "items") else headers:
        lower = name.lower()
        if lower not in _NAMES:
            continue
        if lower in found:
            raise VerificationFailed("malformed_header", f"the header {lower} is there twice")
        found[lower] = value
    for name in _NAMES:
        if not found.get(name):
            raise VerificationFailed("missing_header", f"there is no {name} header")
    if not _ID.fullmatch(found["webhook-id"]):
        raise VerificationFailed("malformed_header", "webhook-id holds a dot, a space or a letter beyond ASCII")
    if not _TIMESTAMP.fullmatch(found["webhook-timestamp"]):
        raise VerificationFailed("malformed_header", "webhook-timestamp is not a number of seconds")
    return found["webhook-id"], found["webhook-timestamp"], _signatures(found["webhook-signature"])


def _signatures(header: str) -> list[tuple[str, bytes]]:
    """`v1,BASE64 v1a,BASE64 ...` in; versions that this module does not know are left out."""
    entries = header.split(" ")
    if len(entries) > _MOST_SIGNATURES:
        raise VerificationFailed("malformed_header", f"webhook-signature has more than {_MOST_SIGNATURES} entries")
    known = []
    for entry in entries:
        match = _ENTRY.fullmatch(entry)
        signature = _decoded(match[2]) if match else None
        if match is None or signature is None or len(signature) != _SIZES.get(match[1], len(signature)):
            raise VerificationFailed("malformed_header", "webhook-signature is not a list of VERSION,BASE64")
        if match[1] in _SIZES:
            known.append((match[1], signature))
    return known


def _check_time(stamp: int, tolerance: float, now: float) -> None:
    """Old enough to be a replay, or from the future: refused."""
    if stamp < now - tolerance:
        raise VerificationFailed("too_old", f"webhook-timestamp is more than {tolerance:g} s ago")
    if stamp > now + tolerance:
        raise VerificationFailed("too_new", f"webhook-timestamp is more than {tolerance:g} s ahead: check the clocks")


def _event(raw: bytes) -> dict[str, Any]:
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise VerificationFailed("malformed_body", "the body is no JSON object")
    return event


def _key(secret: str) -> tuple[str, _Check]:
    """A secret in, the version that it verifies and what does it out."""
    kind, _, encoded = secret.strip().partition("_")
    key = _decoded(encoded + "=" * (-len(encoded) % 4)) if kind in {"whsec", "whpk", "whsk"} else None
    if key is None:
        raise ValueError("a secret begins with whsec_, whpk_ or whsk_, and base64 follows: one of these does not")
    if kind == "whsec":
        if not 24 <= len(key) <= 64:
            raise ValueError(f"a whsec_ secret is the base64 of 24 to 64 bytes, and this one holds {len(key)}")
        return "v1", _hmac(key)
    if len(key) != 32:
        raise ValueError(f"a {kind}_ key is the base64 of 32 bytes, and this one holds {len(key)}")
    return "v1a", _ed25519(key, private=kind == "whsk")


def _hmac(key: bytes) -> _Check:
    def check(signed: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(hmac.digest(key, signed, "sha256"), signature)

    return check


def _ed25519(key: bytes, *, private: bool) -> _Check:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - only receivers of v1a need it
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415

    public = (
        ed25519.Ed25519PrivateKey.from_private_bytes(key).public_key()
        if private
        else ed25519.Ed25519PublicKey.from_public_bytes(key)
    )

    def check(signed: bytes, signature: bytes) -> bool:
        try:
            public.verify(signature, signed)
        except InvalidSignature:
            return False
        return True

    return check


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
