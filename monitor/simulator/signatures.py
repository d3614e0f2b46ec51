"""Headers, a body and secrets in, genuine or not and why out: the receiving side of Standard Webhooks.

Written from the specification alone, with nothing of the sending side:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import NamedTuple

TOLERANCE = 300


class Verdict(NamedTuple):
    """Whether a delivery is genuine, why not, and by how many of the known secrets it is signed."""

    genuine: bool
    reason: str
    matched: int = 0


def judge(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float) -> Verdict:
    """Check a delivery against any of ``secrets`` (``whsec_``, ``whpk_`` or ``whsk_``) at ``now``, in epoch seconds.

    Stricter than the specification asks of a receiver: every signature in the header must be well formed.
    """
    missing = [name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if not headers.get(name)]
    if missing:
        return Verdict(False, f"no {' and no '.join(missing)} header")
    message, stamp = headers["webhook-id"], headers["webhook-timestamp"]
    if "." in message or not message.isascii():
        return Verdict(False, "webhook-id has a dot or is not ASCII")
    if not (stamp.isascii() and stamp.isdigit()):
        return Verdict(False, "webhook-timestamp is not a whole number")
    if abs(now - int(stamp)) > TOLERANCE:
        return Verdict(False, f"webhook-timestamp is {now - int(stamp):.0f} s old, more than {TOLERANCE} s away")
    given = [entry.partition(",") for entry in headers["webhook-signature"].split(" ")]
    if any(version not in ("v1", "v1a") or _decoded(value) is None for version, _, value in given):
        return Verdict(False, "webhook-signature is malformed")
    content = b".".join((message.encode(), stamp.encode(), body))
    signatures = [(version, _decoded(value) or b"") for version, _, value in given]
    matched = sum(any(_matches(secret, *signature, content) for signature in signatures) for secret in secrets)
    return Verdict(True, "", matched) if matched else Verdict(False, "no signature matches a known secret")


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) or None
    except binascii.Error:
        return None


def _matches(secret: str, version: str, signature: bytes, content: bytes) -> bool:
    kind, _, material = secret.rpartition("_")
    key = base64.b64decode(material)
    if version == "v1" and kind in ("whsec", ""):
        return hmac.compare_digest(hmac.new(key, content, hashlib.sha256).digest(), signature)
    return version == "v1a" and kind in ("whpk", "whsk") and _ed25519(kind, key, signature, content)


def _ed25519(kind: str, key: bytes, signature: bytes, content: bytes) -> bool:
    """Check an Ed25519 signature: https://www.rfc-editor.org/rfc/rfc8032. Needs the cryptography package."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - only receivers of v1a need it
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

    public = Ed25519PublicKey.from_public_bytes(key) if kind == "whpk" else None
    public = public or Ed25519PrivateKey.from_private_bytes(key[:32]).public_key()
    try:
        public.verify(signature, content)
    except InvalidSignature:
        return False
    return True
