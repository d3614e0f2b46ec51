"""template: messages in a shape of the operator's own, for Teams, Discord, Mattermost and receivers in the house.

The body is a tree of YAML whose texts are Jinja templates, or one text that is a template as a whole.
https://jinja.palletsprojects.com/en/stable/templates/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import msgspec
from pydantic import Field, model_validator

from monitor import __version__
from monitor.exchange import Exchange, Request, ask
from monitor.grouping.message import Group
from monitor.plugin import Plugin
from monitor.targets.address import HiddenUrl, TargetUrl, origin, secrets_in
from monitor.targets.base import Message, Outcome, Target, Verdict
from monitor.targets.digest import DigestOptions
from monitor.targets.keyring import Keyring
from monitor.targets.rendering import Shape, TemplateFault, compiled
from monitor.targets.signature import SigningSecret, sign
from monitor.targets.webhook import judge

LARGEST = 256_000
"""Bytes of a body: the receivers that this is for take far less (Discord 2,000 characters, Teams 28 KB)."""


class TemplateOptions(DigestOptions):
    """Options of a template target: where to, and what the body looks like."""

    url: TargetUrl = Field(description="where messages are POSTed to")
    body: str | dict[str, Any] | list[Any] = Field(
        description="a tree whose texts are Jinja templates (sent as JSON), or one text that is a template as a whole"
    )
    content_type: str = Field(
        default="application/json", pattern=r"^[\w.+-]+/[\w.+-]+(; ?charset=[\w-]+)?$", description="of the body"
    )
    secret: SigningSecret | None = Field(
        default=None, description="signs every message as a webhook's: whsec_... or whsk_..."
    )

    @model_validator(mode="after")
    def _renders(self) -> Self:
        made = compiled(self.body).try_out()
        if isinstance(made, str) and "json" in self.content_type:
            try:
                msgspec.json.decode(made)
            except msgspec.DecodeError as error:
                advice = "write values as {{ text | tojson }}"
                raise ValueError(f"body: over a sample event this is no JSON ({error}); {advice}") from None
        return self

    def destinations(self) -> Mapping[str, str]:
        """The one URL."""
        return {"url": self.url}


class Templated:
    """One template target: renders what a message is about, POSTs it, and judges the answer as a webhook's."""

    grouped = True

    def __init__(self, options: TemplateOptions) -> None:
        self._url = HiddenUrl(options.url)
        self._shape: Shape = compiled(options.body)
        self.keyring = Keyring([options.secret.get_secret_value()]) if options.secret else None
        self._hidden = secrets_in(options.url, options.further, path=True)
        self._headers = {
            **options.further,
            "content-type": options.content_type,
            "user-agent": f"jobwire/{__version__}",
        }

    def address(self) -> str:
        """The host alone: the paths of such addresses are mostly secrets."""
        return origin(self._url)

    def stands(self, _: Group) -> bool:
        """Never: what was sent is not edited."""
        return False

    def send(self, message: Message) -> Exchange[Outcome]:
        """One POST of the rendered body; what cannot be rendered is said in one plain sentence instead."""
        try:
            rendered = self._shape.render(message)
        except TemplateFault as fault:
            return Outcome(Verdict.FAILED, error=str(fault))
        body = rendered.encode() if isinstance(rendered, str) else msgspec.json.encode(rendered)
        if len(body) > LARGEST:
            return Outcome(Verdict.FAILED, error=f"the body would be {len(body):,} bytes; {LARGEST:,} are sent at most")
        now = message.sent_at.timestamp()
        timestamp = int(now)
        headers = {**self._headers, "webhook-id": message.id, "webhook-timestamp": str(timestamp)}
        if self.keyring is not None:
            signers = self.keyring.signers(now * 1000)
            headers["webhook-signature"] = sign(signers, message.id, timestamp, body)
        request = Request("POST", self._url, headers=headers, body=body, authorise=False, idempotent=False)
        response = yield from ask(request)
        return judge(response, message.sent_at, self._hidden)


def build(_: str, options: TemplateOptions) -> Target:
    """The target's name and its validated options in, the target out."""
    return Templated(options)


PLUGIN: Plugin[TemplateOptions, Target] = Plugin(TemplateOptions, build)
