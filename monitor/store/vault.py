"""What must not lie readable in the store: sealed with a key that only the workers have (`store.key`).

AES-256-GCM, a fresh nonce for each seal; https://csrc.nist.gov/pubs/sp/800/38/d/final.
"""

from __future__ import annotations

import base64
import binascii
import os
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_SIZE = 32
_NONCE = 12
_ADVICE = "make one with: openssl rand -base64 32"


def key_bytes(text: str) -> bytes:
    """Base64 of 32 bytes in (either alphabet), the bytes out; ValueError says what is wrong and not what was given."""
    try:
        key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"is not base64; {_ADVICE}") from None
    if len(key) != KEY_SIZE:
        raise ValueError(f"holds {len(key)} bytes where {KEY_SIZE} are due; {_ADVICE}")
    return key


class Vault:
    """Seals and opens short texts. `repr` shows no key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._naming = blake2b(key, digest_size=32, person=b"jobwire naming").digest()

    def name(self, what: str) -> str:
        """A name for what is sealed, 32 hex digits; workers with different keys do not meet under it."""
        return blake2b(what.encode(), digest_size=16, key=self._naming).hexdigest()

    def seal(self, text: bytes, place: str) -> bytes:
        """Bytes in, sealed bytes out, which open at this place in the store alone."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, text, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes | None:
        """Sealed bytes in, what was sealed out; None when they are not from here."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode())
        except (InvalidTag, ValueError):
            return None
