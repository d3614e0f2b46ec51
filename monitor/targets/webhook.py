"""Webhooks: one event a request, as a CloudEvent, signed as Standard Webhooks say.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from monitor import __version__
from monitor.exchange import Exchange, Request, Response, ask
from monitor.plugin import Plugin
from monitor.targets.address import HiddenUrl, TargetUrl, secrets_in, shown
from monitor.targets.answers import asked_wait, excerpt, named
from monitor.targets.base import Message, Outcome, Target, TargetOptions, Verdict
from monitor.targets.keyring import Keyring
from monitor.targets.signature import SigningSecret, sign, signer
from monitor.targets.trace import traceparent
from monitor.values import Secret


class WebhookOptions(TargetOptions):
    """Options of a webhook target: where to, and the secrets that sign."""

    url: TargetUrl = Field(description="where events are POSTed to")
    secret: SigningSecret | None = Field(default=None, description="signs every message: whsec_... or whsk_...")
    secrets: list[Secret] = Field(
        default_factory=list, max_length=10, description="several, newest first, that all sign while you rotate"
    )

    @field_validator("secrets")
    @classmethod
    def _all_sign(cls, secrets: list[Secret]) -> list[Secret]:
        for number, secret in enumerate(secrets, 1):
            try:
                signer(secret.get_secret_value())
            except ValueError as error:
                raise ValueError(f"number {number} of {len(secrets)}: {error}") from None
        return secrets

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.secret is None) == (not self.secrets):
            raise ValueError("write either secret: (one) or secrets: [newest, ..., oldest]")
        return self

    def destinations(self) -> Mapping[str, str]:
        """The one URL."""
        return {"url": self.url}


class Webhook:
    """A webhook target: POSTs each event as it is stored, and judges the answer."""

    grouped = False

    def __init__(self, options: WebhookOptions) -> None:
        secrets = options.secrets or ([options.secret] if options.secret else [])
        self._url = HiddenUrl(options.url)
        self._shown = shown(self._url)
        self.keyring = Keyring([secret.get_secret_value() for secret in secrets])
        self._hidden = secrets_in(options.url, options.further)
        self._headers = {
            **options.further,
            "content-type": "application/cloudevents+json",
            "user-agent": f"jobwire/{__version__}",
        }

    def address(self) -> str:
        """The URL without user, password and query."""
        return self._shown

    def send(self, message: Message) -> Exchange[Outcome]:
        """One signed POST of the event's stored bytes; attempts differ only in time, signature and span."""
        (body,) = message.events
        now = message.sent_at.timestamp()
        timestamp = int(now)
        headers = {
            **self._headers,
            "webhook-id": message.id,
            "traceparent": traceparent(message.id, self.address(), message.attempt, message.sent_at),
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(self.keyring.signers(now * 1000), message.id, timestamp, body),
        }
        request = Request("POST", self._url, headers=headers, body=body, authorise=False, idempotent=False)
        response = yield from ask(request)
        return judge(response, message.sent_at, self._hidden)


def judge(response: Response, now: datetime, hidden: Sequence[str] = ()) -> Outcome:
    """A receiver's answer in, what becomes of the delivery out; `hidden` texts are blotted out of the excerpt.

    2xx is delivered. 410 disables. `webhook-delivery: disable` disables, `abort-message` gives this message up.
    429 and 503 slow the whole target. All else, redirects included, is tried again.
    """
    status, address = response.status, response.address
    said = excerpt(response.body, hidden)
    control = response.headers.get("webhook-delivery", "").strip().lower()
    disable = control == "disable"
    if 200 <= status < 300:
        return Outcome(Verdict.DELIVERED, status, disable=disable, address=address, response=said)
    error = _complaint(response)
    if status == 410 or disable or control == "abort-message":
        stop = disable or status == 410
        return Outcome(Verdict.FAILED, status, error, disable=stop, address=address, response=said)
    wait, hold = asked_wait(response, now), status in {429, 503}
    return Outcome(Verdict.RETRY, status, error, wait, hold, address=address, response=said)


def _complaint(response: Response) -> str:
    """What was wrong with the answer, for people."""
    control = response.headers.get("webhook-delivery", "").strip().lower()
    answered = f"answered {named(response.status)}"
    if control == "disable":
        return f"{answered} and asks for no more messages (webhook-delivery: disable)"
    if control == "abort-message":
        return f"{answered} and does not want this message (webhook-delivery: abort-message)"
    if response.status == 410:
        return f"{answered}: the receiver wants no more messages"
    if 300 <= response.status < 400:
        return f"{answered}: the redirect to {_host(response.headers.get('location', ''))} is not followed"
    return answered


def _host(location: str) -> str:
    """The host of a Location header; a relative one stays where it is."""
    try:
        return urlsplit(location).hostname or "another path"
    except ValueError:
        return "an unreadable address"


def build(_: str, options: WebhookOptions) -> Target:
    """The target's name and its validated options in, the target out."""
    return Webhook(options)


PLUGIN: Plugin[WebhookOptions, Target] = Plugin(WebhookOptions, build)
