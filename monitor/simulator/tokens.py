"""Bearer tokens shaped like those of the real services, and the checks that go with them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any


def _segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _compact(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def hs256(claims: Mapping[str, Any], key: bytes) -> str:
    """Take claims and a key and give a JWT signed with HMAC-SHA256
    (https://www.rfc-editor.org/rfc/rfc7519).
    """
    head = f"{_segment(_compact({'alg': 'HS256'}))}.{_segment(_compact(claims))}"
    return f"{head}.{_segment(hmac.new(key, head.encode(), hashlib.sha256).digest())}"


def rs256_lookalike(claims: Mapping[str, Any], key: bytes) -> str:
    """Take claims and a key and give text of the length and shape of an RS256 JWT.

    The signature is 256 bytes drawn from an HMAC, so nobody can verify it with a public key; clients must not
    try.
    """
    head = f"{_segment(_compact({'alg': 'RS256', 'typ': 'JWT', 'kid': 'simulated'}))}.{_segment(_compact(claims))}"
    signature = b"".join(hmac.new(key, bytes([n]) + head.encode(), hashlib.sha256).digest() for n in range(8))
    return f"{head}.{_segment(signature)}"


def claims_of(token: str) -> dict[str, Any]:
    """Take a JWT and give its claims, unverified; an empty dict when the text is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        decoded = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def lifetime(now: datetime, days: float = 0, seconds: float = 0) -> dict[str, int]:
    """Take an instant and a length and give the ``iat`` and ``exp`` claims, in whole epoch seconds."""
    issued = int(now.timestamp())
    return {"iat": issued, "exp": issued + int(timedelta(days=days, seconds=seconds).total_seconds())}


def expired(token: str, now: datetime) -> bool:
    """Tell whether the token's ``exp`` claim lies at or before ``now``; a token without one never expires."""
    exp = claims_of(token).get("exp")
    return isinstance(exp, int) and exp <= now.timestamp()


def bearer(header: str | None) -> str | None:
    """Take an Authorization header and give the token after ``Bearer``, or None when it has another form."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
