from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError
from standardwebhooks.webhooks import Webhook as Verifier

from monitor.errors import ConnectFailed
from monitor.targets.base import Message, Outcome, Verdict
from monitor.targets.webhook import Webhook, WebhookOptions
from tests.drive import drive, recorded, reply

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()
EVENT = b'{"specversion":"1.0","id":"evt_1","type":"worklayer.job.claimed","data":{"b":1,"a":2}}'
URL = "https://user:hunter2hunter2@hooks.example.com:8443/in?token=hunter2hunter2"


def webhook(**options: Any) -> Webhook:
    """A target built as the registry builds it."""
    given = {"type": "webhook", "url": URL, "secret": SECRET, **options}
    return Webhook(WebhookOptions.model_validate({k: v for k, v in given.items() if v is not None}))


def message(attempt: int = 1, at: datetime | None = None) -> Message:
    """The event as the relay hands it over."""
    return Message("evt_1", (EVENT,), attempt, at or datetime.now(UTC))


def outcome(status: int, body: Any = b"", **headers: str | int) -> Outcome:
    """What the target makes of one answer."""
    driven = drive(webhook().send(message()), recorded([reply(body, status, **headers)]))
    assert driven.result is not None
    return driven.result


def test_the_request_is_what_the_contract_promises() -> None:
    """POST of the stored bytes, CloudEvents content type, id, fresh timestamp, verifiable signature."""
    driven = drive(webhook(headers={"X-Tenant": "blue"}).send(message()), recorded([reply()]))
    (request,) = driven.requests
    assert (request.method, request.url, request.body) == ("POST", URL, EVENT)
    assert (request.authorise, request.idempotent) == (False, False)
    assert request.headers["content-type"] == "application/cloudevents+json"
    assert request.headers["user-agent"].startswith("jobwire/")
    assert request.headers["webhook-id"] == "evt_1"
    assert request.headers["X-Tenant"] == "blue"
    assert Verifier(SECRET).verify(EVENT, dict(request.headers))


def test_w6_attempts_differ_only_in_timestamp_signature_and_span() -> None:
    """A retry has the same id and bytes; an aware time in another zone gives the same instant."""
    first, second = (
        drive(webhook().send(message(attempt, at)), recorded([reply()])).requests[0]
        for attempt, at in (
            (1, datetime(2026, 1, 5, 9, 30, tzinfo=UTC)),
            (2, datetime(2026, 1, 5, 10, 30, 5, tzinfo=timezone(timedelta(hours=1)))),
        )
    )
    assert first.body == second.body
    changed = {name for name in first.headers if first.headers[name] != second.headers[name]}
    assert changed == {"webhook-timestamp", "webhook-signature", "traceparent"}
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 5


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    """Success is the status alone."""
    assert outcome(status, "ok") == Outcome(Verdict.DELIVERED, status, response="ok")


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://elsewhere.example/x?y", "elsewhere.example"),
        ("/x", "another path"),
        ("", "another path"),
        ("http://[", "an unreadable address"),
    ],
)
def test_w1_a_redirect_is_a_failed_attempt_that_names_its_host(location: str, host: str) -> None:
    """3xx is never followed; the error says where it pointed, without path and query."""
    result = outcome(308, location=location)
    assert (result.verdict, result.status) == (Verdict.RETRY, 308)
    assert result.error == f"answered 308 Permanent Redirect: the redirect to {host} is not followed"


def test_410_disables_the_target() -> None:
    """Gone is final."""
    result = outcome(410)
    assert (result.verdict, result.disable) == (Verdict.FAILED, True)


@pytest.mark.parametrize("status", [429, 503])
def test_429_and_503_slow_the_whole_target(status: int) -> None:
    """They hold every lane of the target, for as long as Retry-After says."""
    result = outcome(status, retry_after=120)
    assert (result.verdict, result.hold, result.retry_after) == (Verdict.RETRY, True, 120.0)


def test_w22_retry_after_is_heard_on_any_failure_and_garbage_is_not() -> None:
    """A 500 may ask for a wait too; that concerns this message only."""
    assert (outcome(500, retry_after="1.5").retry_after, outcome(500).hold) == (1.5, False)
    assert outcome(500, retry_after="soon").retry_after is None


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 500, 502, 504, 520, 999])
def test_everything_else_is_tried_again(status: int) -> None:
    """Receivers get deployed wrong and repaired: no client error is final but 410."""
    result = outcome(status, "no")
    assert (result.verdict, result.disable, result.hold, result.response) == (Verdict.RETRY, False, False, "no")
    assert result.error is not None
    assert result.error.startswith(f"answered {status}")


def test_the_receiver_controls_delivery_by_header() -> None:
    """`disable` stops the target, `abort-message` this message; what was accepted stays delivered."""
    disabled, aborted = outcome(500, webhook_delivery="disable"), outcome(500, webhook_delivery=" Abort-Message ")
    assert (disabled.verdict, disabled.disable) == (Verdict.FAILED, True)
    assert (aborted.verdict, aborted.disable) == (Verdict.FAILED, False)
    accepted = outcome(200, webhook_delivery="disable")
    assert (accepted.verdict, accepted.disable) == (Verdict.DELIVERED, True)
    assert outcome(500, webhook_delivery="faster please").verdict is Verdict.RETRY


def test_w24_any_answer_body_can_be_recorded() -> None:
    """Text is cut at 4 KB without a broken character, other bytes are kept as base64, controls are dropped."""
    assert outcome(500, "é" * 5000).response == "é" * 2048
    assert outcome(500, "a" + "é" * 5000).response == "a" + "é" * 2047
    assert outcome(500, b"\xff\xfe" * 4000).response == "base64:" + base64.b64encode(b"\xff\xfe" * 2048).decode()
    assert outcome(500, b"caf\xc3").response == "base64:Y2Fmww=="
    assert outcome(500, "a\x1b[31m\x00b\n").response == "a[31mb\n"


def test_transport_errors_pass_through() -> None:
    """No answer is no outcome of ours: the runner's error reaches the delivery."""

    def broken(request: object) -> Any:
        raise ConnectFailed("no")

    with pytest.raises(ConnectFailed):
        drive(webhook().send(message()), broken)


def test_several_secrets_all_sign() -> None:
    """Old and new receivers verify the same request."""
    target = webhook(secret=None, secrets=[SECRET, OTHER])
    (request,) = drive(target.send(message()), recorded([reply()])).requests
    for secret in (SECRET, OTHER):
        assert Verifier(secret).verify(EVENT, dict(request.headers))


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"secret": None}, "write either secret"),
        ({"secrets": [OTHER]}, "write either secret"),
        ({"secret": "hunter2hunter2"}, "begins with whsec_"),
        ({"secret": None, "secrets": [SECRET, "hunter2hunter2"]}, "number 2 of 2"),
        ({"url": "ftp://example.com/"}, "write https://"),
        ({"url": "https:///path"}, "write https://"),
        ({"url": "example.com/hook"}, "write https://"),
        ({"url": "https://[::1/"}, "cannot be read"),
        ({"url": "https://example.com:99999/"}, "cannot be read"),
        ({"url": "https://exa mple.com/"}, "space or a control"),
        ({"url": "https://example.com/" + "x" * 2048}, "longer than 2048"),
        ({"headers": {"Webhook-Signature": "hunter2hunter2"}}, "set by jobwire itself"),
        ({"headers": {"content-type": "hunter2hunter2"}}, "set by jobwire itself"),
        ({"headers": {"Host": "hunter2hunter2"}}, "set by jobwire itself"),
        ({"headers": {"X-A": "hunter2hunter2", "x-a": "2"}}, "given twice"),
        ({"headers": {"X A": "hunter2hunter2"}}, "not a header name"),
        ({"headers": {"X-A": "hunter2hunter2\r\nX-B: 1"}}, "line break"),
        ({"retries": 3}, "Extra inputs"),
    ],
)
def test_wrong_options_are_explained_and_no_secret_is_told(options: dict[str, Any], complaint: str) -> None:
    """Every mistake has its sentence, and the value that was wrong stays out of it."""
    with pytest.raises(ValidationError, match=complaint) as caught:
        webhook(**options)
    assert "hunter2hunter2" not in str(caught.value)


def test_the_address_shows_no_secret() -> None:
    """People see host, port and path."""
    assert webhook().address() == "https://hooks.example.com:8443/in?…"
    assert webhook(url="http://[::1]:80/a").address() == "http://[::1]:80/a"


def test_a_secret_header_echoed_by_the_receiver_is_blotted_out() -> None:
    """Debug pages of receivers print the request; the record must not keep its secrets."""
    target = webhook(headers={"X-Key": "hunter2hunter2"})
    driven = drive(target.send(message()), recorded([reply("got x-key=hunter2hunter2", 500)]))
    assert driven.result is not None
    assert driven.result.response == "got x-key=***"


def test_check_learns_where_the_target_connects_to() -> None:
    """The egress check reads the URL from the options."""
    options = WebhookOptions.model_validate({"type": "webhook", "url": "http://10.0.0.1/x", "secret": SECRET})
    assert options.destinations() == {"url": "http://10.0.0.1/x"}
