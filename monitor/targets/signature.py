"""Signs messages as Standard Webhooks say, with one secret or several, and makes secrets that sign.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Literal, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import AfterValidator, SecretStr

from monitor.values import Secret

Signer: TypeAlias = Callable[[bytes], str]
"""What is signed in, one entry of the webhook-signature header out."""

Kind: TypeAlias = Literal["whsec", "whsk"]
"""What a secret signs by: whsec HMAC-SHA256 (`v1`), whsk Ed25519 (`v1a`)."""

_KINDS: Mapping[str, Kind] = MappingProxyType({"whsec": "whsec", "whsk": "whsk"})
_NEW_BYTES = 32
_BLOCK = 64
"""Bytes SHA-256 works on at once; no key is longer. https://www.rfc-editor.org/rfc/rfc2104"""

_ADVICE = "make one with: printf 'whsec_%s\\n' \"$(openssl rand -base64 32)\""


def signer(secret: str) -> Signer:
    """A secret in, what signs with it out.

    `whsec_` + base64 of 24 to 64 bytes signs with HMAC-SHA256 (`v1`), `whsk_` + base64 of a 32-byte seed
    with Ed25519 (`v1a`). ValueError says what is wrong and never repeats the secret.
    """
    kind, key = _read(secret)
    if kind == "whsk":
        return _ed25519(key)
    if not 24 <= len(key) <= 64:
        raise ValueError(f"a whsec_ secret is the base64 of 24 to 64 bytes, and this one holds {len(key)}; {_ADVICE}")
    return _hmac(key)


def new_secret(kind: Kind, random: Callable[[int], bytes]) -> str:
    """A kind and a source of random bytes in, a new secret of 32 bytes out, as config files and receivers write it."""
    return _written(kind, random(_NEW_BYTES))


def kind_of(secret: str) -> Kind:
    """A secret in, what it signs by out; ValueError for what is no secret."""
    return _read(secret)[0]


def public_key(secret: str) -> str | None:
    """A secret in, what receivers verify it with out if that is another text: `whpk_` and base64; None for HMAC."""
    kind, key = _read(secret)
    if kind == "whsec":
        return None
    return "whpk_" + base64.b64encode(_private(key).public_key().public_bytes_raw()).decode()


def same_spelling(secret: str) -> str:
    """A secret in, the one spelling of it out: two texts hold the same key exactly if these are equal."""
    return _written(*_read(secret))


def sign(signers: Sequence[Signer], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of webhook-signature: one entry a signer, in their order, which is newest first.

    `timestamp` is in whole seconds since the epoch and is that of the attempt, not of the event.
    """
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return " ".join([sign_with(signed) for sign_with in signers])


def _signs(secret: SecretStr) -> SecretStr:
    signer(secret.get_secret_value())
    return secret


SigningSecret: TypeAlias = Annotated[Secret, AfterValidator(_signs)]
"""A secret of the config file that signs; what is wrong with another is said, and the secret is not."""


def _read(secret: str) -> tuple[Kind, bytes]:
    prefix, _, encoded = secret.strip().partition("_")
    kind = _KINDS.get(prefix)
    if kind is None:
        raise ValueError(
            f"a signing secret begins with whsec_ (HMAC-SHA256) or whsk_ (Ed25519); this one does not; {_ADVICE}"
        )
    return kind, _decoded(encoded)


def _written(kind: Kind, key: bytes) -> str:
    return f"{kind}_{base64.b64encode(key).decode()}"


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("what follows the prefix of the signing secret is not base64") from None


def _hmac(key: bytes) -> Signer:
    # As RFC 2104 advises in section 4: what depends on the key alone is worked out once. Half the time of hmac.digest.
    padded = key.ljust(_BLOCK, b"\0")
    inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in padded)) for pad in (0x36, 0x5C))

    def sign_with(signed: bytes) -> str:
        within, around = inner.copy(), outer.copy()
        within.update(signed)
        around.update(within.digest())
        return "v1," + base64.b64encode(around.digest()).decode()

    return sign_with


def _private(seed: bytes) -> Ed25519PrivateKey:
    if len(seed) != 32:
        raise ValueError(f"a whsk_ secret is the base64 of a 32-byte seed, and this one holds {len(seed)}")
    return Ed25519PrivateKey.from_private_bytes(seed)


def _ed25519(seed: bytes) -> Signer:
    private = _private(seed)

    def sign_with(signed: bytes) -> str:
        return "v1a," + base64.b64encode(private.sign(signed)).decode()

    return sign_with
