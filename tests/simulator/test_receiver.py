from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from standardwebhooks import Webhook

from monitor.simulator import Delivery, Receiver, Reply
from monitor.simulator.signatures import judge

SECRET = f"whsec_{base64.b64encode(b'a' * 32).decode()}"
OTHER = f"whsec_{base64.b64encode(b'b' * 32).decode()}"
BODY = json.dumps({"type": "worklayer.job.claimed", "id": "evt_1"})


def signed(secret: str = SECRET, body: str = BODY, message: str = "evt_1", age: float = 0) -> dict[str, str]:
    """Headers as an independent library makes them."""
    moment = datetime.fromtimestamp(time.time() - age, UTC)
    signature = Webhook(secret).sign(message, moment, body)
    stamp = str(int(moment.timestamp()))
    return {"webhook-id": message, "webhook-timestamp": stamp, "webhook-signature": signature}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that knows one secret."""
    async with Receiver([SECRET]) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A plain HTTP client."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        yield session


async def post(
    http: aiohttp.ClientSession, receiver: Receiver, headers: dict[str, str] | None = None, body: str = BODY
) -> int:
    """Send one delivery and give the status."""
    headers = signed() if headers is None else headers
    async with http.post(receiver.url, data=body, headers=headers, allow_redirects=False) as answer:
        await answer.read()
        return answer.status


async def test_a_delivery_signed_by_an_independent_library_is_genuine(
    receiver: Receiver, http: aiohttp.ClientSession
) -> None:
    """It is answered 204 and kept with its id, type, raw bytes and headers."""
    status = await post(http, receiver)
    (delivery,) = receiver.deliveries
    assert (status, delivery.status, delivery.verified, delivery.reason) == (204, 204, True, "")
    assert (delivery.id, delivery.type, delivery.body) == ("evt_1", "worklayer.job.claimed", BODY.encode())
    assert delivery.headers["webhook-id"] == "evt_1"
    assert delivery.json()["id"] == "evt_1"


def _tampered() -> dict[str, dict[str, str]]:
    good = signed()
    late = str(int(time.time()) - 400)
    return {
        "wrong secret": signed(OTHER),
        "old": signed(age=400),
        "from the future": signed(age=-400),
        "other id": good | {"webhook-id": "evt_2"},
        "other time": good | {"webhook-timestamp": str(int(good["webhook-timestamp"]) + 1)},
        "late time": good | {"webhook-timestamp": late},
        "no time": good | {"webhook-timestamp": "soon"},
        "no id": {key: value for key, value in good.items() if key != "webhook-id"},
        "no signature": good | {"webhook-signature": ""},
        "no version": good | {"webhook-signature": good["webhook-signature"].removeprefix("v1,")},
        "malformed beside good": good | {"webhook-signature": f"{good['webhook-signature']} junk"},
        "unknown version": good | {"webhook-signature": good["webhook-signature"].replace("v1,", "v2,")},
        "dotted id": signed(message="evt.1"),
    }


@pytest.mark.parametrize("case", list(_tampered()))
async def test_a_delivery_that_is_not_genuine_is_refused_with_a_reason(
    receiver: Receiver, http: aiohttp.ClientSession, case: str
) -> None:
    """Any tampering gives 401, and the delivery says why."""
    assert await post(http, receiver, _tampered()[case]) == 401
    assert not receiver.deliveries[0].verified
    assert receiver.deliveries[0].reason


async def test_one_changed_byte_breaks_the_signature(receiver: Receiver, http: aiohttp.ClientSession) -> None:
    """The signature covers the raw bytes of the body."""
    assert await post(http, receiver, signed(), BODY + " ") == 401


async def test_several_secrets_and_signatures_are_matched_during_rotation(http: aiohttp.ClientSession) -> None:
    """Any known secret is enough; the delivery says how many of them signed it."""
    both = signed()["webhook-signature"] + " " + signed(OTHER)["webhook-signature"]
    async with Receiver([OTHER, SECRET]) as receiver:
        await post(http, receiver, signed())
        await post(http, receiver, signed() | {"webhook-signature": both})
        assert [(d.verified, d.matched) for d in receiver.deliveries] == [(True, 1), (True, 2)]


def test_ed25519_signatures_are_checked_with_the_public_key() -> None:
    """v1a is verified with whpk_ or, for convenience, with the whsk_ it belongs to; another key is refused."""
    private = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    signature = base64.b64encode(private.sign(b"evt_1.1000." + BODY.encode())).decode()
    headers = {"webhook-id": "evt_1", "webhook-timestamp": "1000", "webhook-signature": f"v1a,{signature}"}
    keys = [f"whpk_{base64.b64encode(public).decode()}", f"whsk_{base64.b64encode(b'k' * 32).decode()}"]
    stranger = f"whsk_{base64.b64encode(b'x' * 32).decode()}"
    verdicts = [judge(headers, BODY.encode(), [key], 1000).genuine for key in (*keys, stranger, SECRET)]
    assert verdicts == [True, True, False, False]


async def test_a_script_answers_the_next_requests_and_then_as_usual(
    receiver: Receiver, http: aiohttp.ClientSession
) -> None:
    """Statuses, headers and bodies come in the given order; after the script the usual answer comes."""
    receiver.script([500, Reply(status=429, headers={"Retry-After": "3"}, body="slow down"), {"status": 410}])
    statuses = [await post(http, receiver) for _ in range(4)]
    assert statuses == [500, 429, 410, 204]
    assert [delivery.status for delivery in receiver.deliveries] == statuses


async def test_a_script_can_go_on_for_ever(receiver: Receiver, http: aiohttp.ClientSession) -> None:
    """then answers everything after the list, until a new script is set."""
    receiver.script([204], then=503)
    statuses = [await post(http, receiver) for _ in range(3)]
    receiver.script([])
    assert [*statuses, await post(http, receiver)] == [204, 503, 503, 204]


async def test_each_delivery_can_be_decided_by_what_it_is(receiver: Receiver, http: aiohttp.ClientSession) -> None:
    """decide sees the delivery and answers for it; None leaves it to the script."""
    receiver.decide = lambda delivery: 500 if delivery.id == "evt_bad" else None
    receiver.script([], then=202)
    statuses = [await post(http, receiver, signed(message=name)) for name in ("evt_bad", "evt_good", "evt_bad")]
    assert statuses == [500, 202, 500]


async def test_a_redirect_has_a_location(receiver: Receiver, http: aiohttp.ClientSession) -> None:
    """redirect answers 308, or another status, with the Location."""
    receiver.script([Reply(redirect="http://127.0.0.1:1/x"), Reply(redirect="/y", status=302)])
    for status, location in ((308, "http://127.0.0.1:1/x"), (302, "/y")):
        async with http.post(receiver.url, data=BODY, headers=signed(), allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (status, location)


async def test_a_reset_is_recorded_though_nobody_is_answered(receiver: Receiver, http: aiohttp.ClientSession) -> None:
    """The delivery arrived; its status is 0 because the sender never heard of it."""
    receiver.script([], then=Reply(reset=True))
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await post(http, receiver)
    assert receiver.deliveries[0].status == 0


@pytest.mark.parametrize("reply", [Reply(status=200, body="x" * 20, drip=0.02), Reply(status=200, body="x", delay=0.3)])
async def test_an_answer_can_be_slow(receiver: Receiver, http: aiohttp.ClientSession, reply: Reply) -> None:
    """A delay and a slow drip both take their time."""
    receiver.script([reply])
    began = time.monotonic()
    assert await post(http, receiver) == 200
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_can_be_huge(receiver: Receiver, http: aiohttp.ClientSession, packed: bool) -> None:
    """Megabytes come back, plain or as a compressed bomb."""
    receiver.script([Reply(status=500, body="no", huge_mb=2, gzip=packed)])
    async with http.post(receiver.url, data=BODY, headers=signed()) as answer:
        assert len(await answer.read()) > 2 * 1024 * 1024


async def test_waiting_ends_when_the_condition_holds(receiver: Receiver, http: aiohttp.ClientSession) -> None:
    """wait_for gives the deliveries once the predicate is true of them."""
    waiting = asyncio.create_task(receiver.wait_for(lambda all_: len(all_) == 2, timeout=60))
    for _ in range(2):
        await post(http, receiver)
    assert [delivery.id for delivery in await waiting] == ["evt_1", "evt_1"]


async def test_waiting_in_vain_tells_what_had_arrived(receiver: Receiver, http: aiohttp.ClientSession) -> None:
    """The TimeoutError counts and shows the last deliveries."""
    await post(http, receiver)
    with pytest.raises(TimeoutError, match=r"(?s)1 deliveries so far.*worklayer\.job\.claimed"):
        await receiver.wait_for(lambda all_: len(all_) == 5, timeout=0.05)


async def test_a_listener_is_told_of_each_delivery(http: aiohttp.ClientSession) -> None:
    """on_delivery is called once per request, before it is answered."""
    told: list[Delivery] = []
    async with Receiver([SECRET], on_delivery=told.append) as receiver:
        await post(http, receiver)
        assert told == receiver.deliveries


async def test_only_posts_are_welcome(receiver: Receiver, http: aiohttp.ClientSession) -> None:
    """Another method is 405."""
    async with http.get(receiver.url) as answer:
        assert answer.status == 405


@pytest.mark.parametrize("reply", [{"stauts": 1}, {"delay": "long"}])
def test_a_misspelt_reply_is_an_error(reply: dict[str, Any]) -> None:
    """A script with an unknown or ill-typed field fails where it is written."""
    with pytest.raises(ValueError, match=next(iter(reply))):
        Receiver([]).script([reply])
