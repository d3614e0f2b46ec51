from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from monitor.targets.signature import sign, signer

OLD = "whsec_" + base64.b64encode(bytes(range(24))).decode()
NEW = "whsec_" + base64.b64encode(bytes(range(64))).decode()
SEED = bytes(range(32))
ASYMMETRIC = "whsk_" + base64.b64encode(SEED).decode()
BODY = b'{"type": "worklayer.job.claimed", "name": "\xc3\x89clair"}'


def headers(signature: str, timestamp: int) -> dict[str, str]:
    """The three headers that a receiver verifies."""
    return {"webhook-id": "evt_1", "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def now() -> int:
    """The verifier has a clock of its own, so the timestamp must be real."""
    return int(datetime.now(UTC).timestamp())


def test_w6_an_independent_library_verifies_the_raw_body() -> None:
    """What we sign with one secret, the public verifier accepts with it and with no other."""
    at = now()
    signed = headers(sign([signer(NEW)], "evt_1", at, BODY), at)
    assert Verifier(NEW).verify(BODY, signed)
    with pytest.raises(WebhookVerificationError):
        Verifier(OLD).verify(BODY, signed)
    with pytest.raises(WebhookVerificationError):
        Verifier(NEW).verify(BODY + b" ", signed)


def test_w7_during_a_rotation_every_secret_verifies() -> None:
    """HMAC, Ed25519 and HMAC again sign one message, newest first, and each receiver finds its own."""
    at = now()
    signature = sign([signer(NEW), signer(ASYMMETRIC), signer(OLD)], "evt_1", at, BODY)
    assert [entry.partition(",")[0] for entry in signature.split(" ")] == ["v1", "v1a", "v1"]
    for secret in (NEW, OLD):
        assert Verifier(secret).verify(BODY, headers(signature, at))
    ed25519 = base64.b64decode(signature.split(" ")[1].removeprefix("v1a,"))
    public = Ed25519PrivateKey.from_private_bytes(SEED).public_key()
    public.verify(ed25519, f"evt_1.{at}.".encode() + BODY)


def test_the_signature_of_the_specification() -> None:
    """The example of the Standard Webhooks libraries gives the signature they print."""
    signature = sign(
        [signer("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(min_size=24, max_size=64))
def test_base64_is_read_with_and_without_its_padding(key: bytes) -> None:
    """Both spellings of a secret sign alike, and spaces around it do no harm."""
    secret = "whsec_" + base64.b64encode(key).decode()
    spellings = (secret, secret.rstrip("="), f" {secret}\n")
    assert len({sign([signer(spelling)], "evt_1", 1, b"") for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("secret", "complaint"),
    [
        ("", "begins with whsec_"),
        ("topsecret", "begins with whsec_"),
        ("whpk_" + "topsecret", "begins with whsec_"),
        ("whsec_" + "topsecret!", "not base64"),
        ("whsec_topsécret", "not base64"),
        ("whsec_" + base64.b64encode(b"topsecret").decode(), "24 to 64 bytes, and this one holds 9"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), "24 to 64 bytes, and this one holds 65"),
        ("whsk_" + base64.b64encode(b"topsecret").decode(), "32-byte seed, and this one holds 9"),
    ],
)
def test_a_secret_that_cannot_sign_is_explained_without_being_told(secret: str, complaint: str) -> None:
    """The error says what a secret looks like; the one given is not in it."""
    with pytest.raises(ValueError, match=complaint) as caught:
        signer(secret)
    assert "topsecret" not in str(caught.value)
    assert caught.value.__cause__ is None
