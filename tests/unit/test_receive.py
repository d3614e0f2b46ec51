"""What receivers verify with: against our signatures, against other people's, and against everything that is wrong."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import Message
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy
from standardwebhooks.webhooks import Webhook as Library

from monitor.receive import VerificationFailed, verify
from monitor.simulator.signatures import judge
from monitor.targets.signature import Kind, new_secret, public_key, sign, signer

AT = 1_767_605_400
BODY = b'{"id": "evt_1", "name": "\xc3\x89clair"}'


def secret(number: int, kind: Kind = "whsec") -> str:
    """A secret that is told apart by its number."""
    return new_secret(kind, lambda size: bytes([number]) * size)


OURS, OLD, SEED = secret(1), secret(2), secret(3, "whsk")


def signed(*secrets: str, body: bytes = BODY, at: int = AT, id: str = "evt_1") -> dict[str, str]:
    """The headers of a message that these secrets signed."""
    signature = sign([signer(one) for one in secrets], id, at, body)
    return {"webhook-id": id, "webhook-timestamp": str(at), "webhook-signature": signature}


def refusal(headers: Any, body: bytes = BODY, secrets: Any = OURS, now: float = AT, **more: Any) -> str:
    """Why a message is not believed."""
    with pytest.raises(VerificationFailed) as caught:
        verify(headers, body, secrets, now=lambda: now, **more)
    assert "evt_1" not in str(caught.value)
    return str(caught.value.reason)


def test_what_our_targets_sign_is_verified_and_read() -> None:
    """Id, time and event come out."""
    got = verify(signed(OURS), BODY, OURS, now=lambda: AT)

    assert (got.id, got.timestamp) == ("evt_1", datetime.fromtimestamp(AT, UTC))
    assert got.event == {"id": "evt_1", "name": "Éclair"}
    assert "Éclair" not in repr(got)


def test_any_one_of_several_secrets_is_enough_on_either_side() -> None:
    """W7: during a rotation the sender signs with several, and the receiver knows one of them or several."""
    headers = signed(OURS, SEED, OLD)
    public = public_key(SEED)
    assert public is not None
    for known in (OURS, OLD, public, SEED, [secret(9), public], [secret(9), OLD]):
        assert verify(headers, BODY, known, now=lambda: AT).id == "evt_1"
    assert refusal(headers, secrets=[secret(9), str(public_key(secret(9, "whsk")))]) == "no_match"


def test_what_another_library_signs_is_verified() -> None:
    """W6: the public Standard Webhooks library signs, we verify; and the other way round elsewhere."""
    now = datetime.now(UTC)
    headers = {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(int(now.timestamp())),
        "Webhook-Signature": Library(OURS).sign("msg_1", now, BODY.decode()),
    }
    assert verify(headers, BODY, OURS).id == "msg_1"


def test_the_example_of_the_specification_is_verified() -> None:
    """The message that the libraries of Standard Webhooks test themselves with."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    body = b'{"test": 2432232314}'
    known = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert verify(headers, body, known, now=lambda: 1614265330).event == {"test": 2432232314}


def test_header_names_count_in_any_case_and_of_any_framework() -> None:
    """A dict, pairs, aiohttp's headers, the standard library's; other headers may be there twice."""
    headers = {name.title(): value for name, value in signed(OURS).items()}
    message = Message()
    for name, value in headers.items():
        message[name] = value
    pairs = [*headers.items(), ("Via", "a"), ("Via", "b")]
    for form in (headers, pairs, CIMultiDictProxy(CIMultiDict(pairs)), message):
        assert verify(form, BODY, OURS, now=lambda: AT).id == "evt_1"  # type: ignore[arg-type]  # Message is read too


def test_a_header_that_is_there_twice_is_refused() -> None:
    """Which of the two would be meant?"""
    twice = [*signed(OURS).items(), ("Webhook-Id", "evt_1")]
    assert refusal(twice) == "malformed_header"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_header_that_is_not_there_is_named(name: str) -> None:
    """Also when it is empty."""
    headers = signed(OURS)
    assert refusal({**headers, name: ""}) == "missing_header"
    del headers[name]
    assert refusal(headers) == "missing_header"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", "evt.1"),
        ("webhook-id", "evt 1"),
        ("webhook-id", "evt_é"),
        ("webhook-id", "x" * 257),
        ("webhook-timestamp", "1767605400.0"),
        ("webhook-timestamp", "-1767605400"),
        ("webhook-timestamp", "+1767605400"),
        ("webhook-timestamp", " 1767605400"),
        ("webhook-timestamp", "1767605400\n"),
        ("webhook-timestamp", "1_767_605_400"),
        ("webhook-timestamp", "١٧٦٧٦٠٥٤٠٠"),
        ("webhook-timestamp", "9" * 400),
        ("webhook-signature", "v1"),
        ("webhook-signature", "v1,"),
        ("webhook-signature", ",AAAA"),
        ("webhook-signature", "v1,AAAA"),
        ("webhook-signature", "v1,?" + "A" * 43),
        ("webhook-signature", "v1,A,B"),
        ("webhook-signature", "v1a," + "A" * 44),
        ("webhook-signature", " ".join(["v9,AAAA"] * 65)),
    ],
)
def test_a_malformed_header_is_refused(name: str, value: str) -> None:
    """Whatever else stands in it, a valid signature included."""
    headers = signed(OURS)
    assert refusal({**headers, name: value}) == "malformed_header"
    if name == "webhook-signature" and "v9" not in value:
        assert refusal({**headers, name: f"{headers[name]} {value}"}) == "malformed_header"


def test_double_spaces_in_the_signatures_are_malformed() -> None:
    """The list has one space between its entries."""
    headers = signed(OURS, OLD)
    headers["webhook-signature"] = headers["webhook-signature"].replace(" ", "  ")
    assert refusal(headers) == "malformed_header"


def test_signatures_of_an_unknown_version_are_left_out() -> None:
    """A later version may stand beside ours; alone it proves nothing."""
    headers = signed(OURS)
    later = {**headers, "webhook-signature": f"v2,AAAA {headers['webhook-signature']}"}
    assert verify(later, BODY, OURS, now=lambda: AT).id == "evt_1"
    assert refusal({**headers, "webhook-signature": "v2,AAAA"}) == "no_match"


def test_a_version_is_verified_by_its_own_kind_of_key() -> None:
    """An HMAC that calls itself v1a, or the other way round, is no proof."""
    headers = signed(SEED)
    as_hmac = headers["webhook-signature"].replace("v1a,", "v1,")
    assert refusal({**headers, "webhook-signature": as_hmac}, secrets=[OURS, SEED]) == "malformed_header"
    forged = "v1a," + base64.b64encode(bytes(64)).decode()
    assert refusal({**headers, "webhook-signature": forged}, secrets=SEED) == "no_match"


@pytest.mark.parametrize(
    ("now", "reason"), [(AT + 300, None), (AT + 300.5, "too_old"), (AT - 300, None), (AT - 300.5, "too_new")]
)
def test_a_timestamp_may_be_off_by_the_tolerance(now: float, reason: str | None) -> None:
    """Five minutes either way, to the second."""
    if reason is None:
        assert verify(signed(OURS), BODY, OURS, now=lambda: now).id == "evt_1"
    else:
        assert refusal(signed(OURS), now=now) == reason
        assert verify(signed(OURS), BODY, OURS, now=lambda: now, tolerance=301).id == "evt_1"


def test_a_changed_byte_anywhere_is_refused() -> None:
    """In body, id or time."""
    headers = signed(OURS)
    assert refusal(headers, BODY + b" ") == "no_match"
    assert refusal({**headers, "webhook-id": "evt_2"}) == "no_match"
    assert refusal({**headers, "webhook-timestamp": str(AT + 1)}) == "no_match"


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000])
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    """There is one error to catch."""
    assert refusal(signed(OURS, body=body), body) == "malformed_body"


@pytest.mark.parametrize(
    "wrong", ["", "topsecret", "whsec_", "whsec_AAAA", "whsec_ünique", "whpk_AAAA", [], [OURS, "topsecret"]]
)
def test_a_secret_that_is_none_is_a_mistake_of_the_receiver(wrong: Any) -> None:
    """ValueError, whatever the request; the secret is not told."""
    with pytest.raises(ValueError, match=r"secret|key") as caught:
        verify({}, b"", wrong)
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize("tolerance", [-1, float("nan"), float("inf")])
def test_a_tolerance_that_is_none_is_a_mistake_too(tolerance: float) -> None:
    """It would switch the check off, or refuse everything."""
    with pytest.raises(ValueError, match="tolerance"):
        verify(signed(OURS), BODY, OURS, tolerance=tolerance)


@given(
    st.dictionaries(st.sampled_from(["webhook-id", "Webhook-Timestamp", "webhook-signature", "x"]), st.text()),
    st.binary(max_size=50),
)
def test_nothing_a_stranger_sends_is_believed_or_breaks_it(headers: Mapping[str, str], body: bytes) -> None:
    """Any headers, any bytes: the one error."""
    with pytest.raises(VerificationFailed):
        verify(headers, body, [OURS, SEED])


@given(
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
    st.lists(st.sampled_from([OURS, OLD, SEED]), min_size=1, max_size=3, unique=True),
    st.lists(st.sampled_from([OURS, OLD, SEED, secret(7)]), min_size=1, max_size=3, unique=True),
)
def test_two_verifiers_agree(event: dict[str, int], by: list[str], known: list[str]) -> None:
    """This one, and that of the test receiver, which was written from the specification alone."""
    body = json.dumps(event).encode()
    headers = signed(*by, body=body)
    if judge(headers, body, known, AT).genuine:
        assert verify(headers, body, known, now=lambda: AT).event == event
    else:
        assert refusal(headers, body, known) == "no_match"


def test_importing_it_brings_nothing_along() -> None:
    """Neither an HTTP library, nor a store, nor models; cryptography only once an Ed25519 key is used."""
    program = (
        "import sys, monitor.receive as r\n"
        "r.verify.__doc__\n"
        "try: r.verify({}, b'', 'whsec_' + 'A' * 43)\n"
        "except r.VerificationFailed: pass\n"
        "names = 'aiohttp redis arq pydantic msgspec structlog cryptography yaml'.split()\n"
        "print([name for name in names if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
