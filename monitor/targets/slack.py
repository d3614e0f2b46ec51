"""Slack: one readable message per event or group, by incoming webhook or by bot token.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
https://docs.slack.dev/reference/methods/chat.postMessage
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

import msgspec
from pydantic import AfterValidator, Field, SecretStr, model_validator

from monitor import __version__
from monitor.exchange import Exchange, Request, Response, ask
from monitor.plugin import Plugin
from monitor.targets import slack_blocks
from monitor.targets.address import HiddenUrl, TargetUrl, check_url
from monitor.targets.answers import asked_wait, excerpt, named
from monitor.targets.base import GroupedOptions, Message, Outcome, Target, Verdict
from monitor.targets.slack_errors import Class, classify, outcome
from monitor.targets.telling import read
from monitor.values import Rate, Secret

_WORD = re.compile(r"[a-z][a-z0-9_]{1,79}")


def _url(secret: SecretStr) -> SecretStr:
    return SecretStr(check_url(secret.get_secret_value()))


def _sendable(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()
    if not text or not all("!" <= char <= "~" for char in text):
        raise ValueError("is empty or holds a space or a letter beyond ASCII: is the variable behind it set?")
    return SecretStr(text)


class SlackOptions(GroupedOptions):
    """Options of a Slack target: an incoming webhook, or a bot token and a channel."""

    webhook_url: Annotated[Secret, AfterValidator(_url)] | None = Field(
        default=None, description="incoming webhook; it names its channel itself"
    )
    token: Annotated[Secret, AfterValidator(_sendable)] | None = Field(
        default=None, description="bot token (xoxb-...) with the scope chat:write"
    )
    channel: str | None = Field(
        default=None, pattern=r"^#?[\w.-]{1,80}$", description="id (C0123...) or name of a channel the app is in"
    )
    api_url: TargetUrl = Field(default="https://slack.com/api", description="root of the Web API")
    signing_secret: Secret | None = Field(default=None, description="verifies clicks on buttons")
    signing_secrets: list[Secret] = Field(
        default_factory=list, max_length=10, description="several, newest first, while you rotate"
    )
    mention: str | None = Field(
        default=None, max_length=200, description="who an escalation mentions: <!here>, <@U...>"
    )
    broadcast: bool = Field(default=False, description="show replies of a thread in the channel too")
    rate: Rate | None = Field(default=1.0, description="messages a second at the most; Slack takes 1 a channel")
    concurrency: int = Field(default=1, ge=1, le=256, description="messages in flight at the most, per worker")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_token = self.token is not None and self.channel is not None
        if (self.webhook_url is None) != by_token or (self.webhook_url and (self.token or self.channel)):
            raise ValueError("write either webhook_url:, or token: and channel:")
        if self.signing_secret is not None and self.signing_secrets:
            raise ValueError("write either signing_secret: (one) or signing_secrets: [newest, ..., oldest]")
        return self

    def destinations(self) -> Mapping[str, str]:
        """The webhook, or the Web API."""
        if self.webhook_url is not None:
            return {"webhook_url": self.webhook_url.get_secret_value()}
        return {"api_url": self.api_url}


class Slack:
    """A Slack target: renders events as blocks, posts them, and understands what Slack answers."""

    grouped = True

    def __init__(self, options: SlackOptions) -> None:
        further = {name: value.get_secret_value() for name, value in options.headers.items()}
        self._headers = {
            **further,
            "content-type": "application/json; charset=utf-8",
            "user-agent": f"jobwire/{__version__}",
        }
        self._hidden = [*further.values()]
        self._extra: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}
        if options.webhook_url is not None:
            self._url = HiddenUrl(options.webhook_url.get_secret_value())
            self._address = f"incoming webhook at {urlsplit(self._url).hostname}"
            path = urlsplit(self._url).path.strip("/")
            self._hidden += [path, path.rpartition("/")[2]]
            self._judge = _webhook_error
        else:
            token = options.token.get_secret_value() if options.token else ""
            self._url = HiddenUrl(f"{options.api_url.rstrip('/')}/chat.postMessage")
            self._address = f"channel {options.channel} at {urlsplit(self._url).hostname}"
            self._headers["authorization"] = f"Bearer {token}"
            self._hidden.append(token)
            # link_names and parse keep @names and addresses in provider text from becoming live.
            self._extra |= {"channel": options.channel, "link_names": False, "parse": "none"}
            self._judge = _api_error

    def address(self) -> str:
        """The kind of way in, with channel and host; neither token nor webhook path."""
        return self._address

    def send(self, message: Message) -> Exchange[Outcome]:
        """Post one message about all its events; once more as plain text if Slack refuses the blocks."""
        events = [read(body) for body in message.events]
        payload = slack_blocks.message(events, message.sent_at, message.severity)
        response = yield from self._post(payload)
        word = self._judge(response)
        if word is None or classify(word, response.status) is not Class.PAYLOAD:
            return self._outcome(word, response, message.sent_at)
        refused = excerpt(response.body, self._hidden)
        response = yield from self._post(slack_blocks.text_only(payload, events))
        result = self._outcome(self._judge(response), response, message.sent_at)
        note = f"sent as plain text, because the blocks were refused: {refused}"
        return replace(result, response=note)

    def _post(self, payload: dict[str, Any]) -> Exchange[Response]:
        body = msgspec.json.encode({**payload, **self._extra})
        request = Request("POST", self._url, headers=self._headers, body=body, authorise=False, idempotent=False)
        return (yield from ask(request))

    def _outcome(self, word: str | None, response: Response, now: datetime) -> Outcome:
        shown = excerpt(response.body, self._hidden)
        if word is None:
            return Outcome(Verdict.DELIVERED, response.status, address=response.address, response=shown)
        return replace(outcome(word, response.status, asked_wait(response, now), shown), address=response.address)


def _webhook_error(response: Response) -> str | None:
    """What is wrong with a webhook's answer, None when it is the one that means success: 200 and `ok`."""
    text = response.body.decode("utf-8", "replace").strip()
    if response.status == 200 and text == "ok":
        return None
    return text if _WORD.fullmatch(text) and text != "ok" else _status(response)


def _api_error(response: Response) -> str | None:
    """What is wrong with a Web API answer, None when it is JSON with `ok` true; failures come as 200 too."""
    try:
        answer = msgspec.json.decode(response.body)
    except (ValueError, RecursionError):
        return _status(response)
    told = answer if isinstance(answer, dict) else {}
    if response.status == 200 and told.get("ok") is True:
        return None
    error = told.get("error")
    return error if isinstance(error, str) and _WORD.fullmatch(error) else _status(response)


def _status(response: Response) -> str:
    return f"{named(response.status)}, which is not its word for success"


def build(_: str, options: SlackOptions) -> Target:
    """The target's name and its validated options in, the target out."""
    return Slack(options)


PLUGIN: Plugin[SlackOptions, Target] = Plugin(SlackOptions, build)
