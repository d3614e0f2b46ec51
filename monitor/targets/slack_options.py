"""What the config file says of a Slack target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from monitor.targets.address import TargetUrl, check_url
from monitor.targets.digest import DigestOptions
from monitor.targets.rendering import TemplateFault
from monitor.targets.slack_kit import judged
from monitor.targets.slack_layout import layout, own_payload
from monitor.targets.trial import families, tried
from monitor.values import Rate, Secret, ZoneName


def _url(secret: SecretStr) -> SecretStr:
    return SecretStr(check_url(secret.get_secret_value()))


def _sendable(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()
    if not text or not all("!" <= char <= "~" for char in text):
        raise ValueError("is empty or holds a space or a letter beyond ASCII: is the variable behind it set?")
    return SecretStr(text)


class SlackOptions(DigestOptions):
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
    users: list[Annotated[str, Field(pattern=r"^[USW][A-Z0-9]{1,30}$")]] = Field(
        default_factory=list,
        description="ids of users (U0123...) and, with a token, of groups (S0123...) whose clicks count; "
        "everybody's if not given",
    )
    timezone: ZoneName = Field(
        default="UTC", description="zone in which `until tomorrow 09:00` counts, and of instants that phones show"
    )
    body: dict[str, Any] | None = Field(
        default=None, description="a layout of your own: a tree of `text` and `blocks` whose texts are Jinja templates"
    )
    mention: str | None = Field(
        default=None, max_length=200, description="who an escalation mentions: <!here>, <@U...>"
    )
    broadcast: bool = Field(default=False, description="show replies of a thread in the channel too")
    rate: Rate | None = Field(
        default=1.0, description="messages a second in the channel, by all targets and workers; edits: 2/3 of it"
    )
    concurrency: int = Field(default=1, ge=1, le=256, description="messages in flight at the most, per worker")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_token = self.token is not None and self.channel is not None
        if (self.webhook_url is None) != by_token or (self.webhook_url and (self.token or self.channel)):
            raise ValueError("write either webhook_url:, or token: and channel:")
        if self.signing_secret is not None and self.signing_secrets:
            raise ValueError("write either signing_secret: (one) or signing_secrets: [newest, ..., oldest]")
        if self.token is None and any(one.startswith("S") for one in self.users):
            raise ValueError("a group (S...) in users: needs token:, by which its members are asked for")
        return self

    @model_validator(mode="after")
    def _renders(self) -> Self:
        if self.body is not None:
            # A catch-up message has the built-in layout.
            samples = families(digest=self.digest is not None, catch_up=False)
            for _, made in tried(layout(self.body), samples):
                if not own_payload(made):
                    raise TemplateFault(("body",), "write text: (one line for phones), and blocks: as you like")
                judged(made)
        return self

    def destinations(self) -> Mapping[str, str]:
        """The webhook, or the Web API."""
        if self.webhook_url is not None:
            return {"webhook_url": self.webhook_url.get_secret_value()}
        return {"api_url": self.api_url}
