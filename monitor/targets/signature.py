"""Signs messages as Standard Webhooks say: with one secret, or several while receivers change theirs.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Sequence
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Signer: TypeAlias = Callable[[bytes], str]
"""What is signed in, one entry of the webhook-signature header out."""

_ADVICE = "make one with: printf 'whsec_%s\\n' \"$(openssl rand -base64 32)\""


def signer(secret: str) -> Signer:
    """A secret in, what signs with it out.

    `whsec_` + base64 of 24 to 64 bytes signs with HMAC-SHA256 (`v1`), `whsk_` + base64 of a 32-byte seed
    with Ed25519 (`v1a`). ValueError says what is wrong and never repeats the secret.
    """
    prefix, mark, encoded = secret.strip().partition("_")
    if not mark or prefix not in {"whsec", "whsk"}:
        raise ValueError(
            f"a signing secret begins with whsec_ (HMAC-SHA256) or whsk_ (Ed25519); this one does not; {_ADVICE}"
        )
    key = _decoded(encoded)
    if prefix == "whsk":
        return _ed25519(key)
    if not 24 <= len(key) <= 64:
        raise ValueError(f"a whsec_ secret is the base64 of 24 to 64 bytes, and this one holds {len(key)}; {_ADVICE}")
    return _hmac(key)


def sign(signers: Sequence[Signer], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of webhook-signature: one entry a signer, in their order, which is newest first.

    `timestamp` is in whole seconds since the epoch and is that of the attempt, not of the event.
    """
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return " ".join([sign_with(signed) for sign_with in signers])


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("what follows the prefix of the signing secret is not base64") from None


def _hmac(key: bytes) -> Signer:
    def sign_with(signed: bytes) -> str:
        return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()

    return sign_with


def _ed25519(seed: bytes) -> Signer:
    if len(seed) != 32:
        raise ValueError(f"a whsk_ secret is the base64 of a 32-byte seed, and this one holds {len(seed)}")
    private = Ed25519PrivateKey.from_private_bytes(seed)

    def sign_with(signed: bytes) -> str:
        return "v1a," + base64.b64encode(private.sign(signed)).decode()

    return sign_with
