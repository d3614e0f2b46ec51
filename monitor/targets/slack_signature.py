"""Whether a request comes from Slack: signature v0 over the raw body, fresh, by one of the signing secrets. Pure.

https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

TOLERANCE_SECONDS = 300


def genuine(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float) -> bool:
    """Headers and raw body of a request in, whether one of the secrets signed it within five minutes of `now`."""
    timestamp = headers.get("X-Slack-Request-Timestamp", "")
    given = headers.get("X-Slack-Signature", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    content = b":".join((b"v0", timestamp.encode(), body))
    said = given.encode("utf-8", "surrogateescape")
    # Every secret is compared, so that the time tells nothing of which one it was.
    fits = [hmac.compare_digest(said, _signature(secret, content)) for secret in secrets]
    return any(fits)


def _signature(secret: str, content: bytes) -> bytes:
    return b"v0=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest().encode()
