"""template: messages in a shape of the operator's own, for Teams, Discord, Mattermost and receivers in the house.

The body is a tree of YAML whose texts are Jinja templates, or one text that is a template as a whole.
https://jinja.palletsprojects.com/en/stable/templates/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import msgspec
import structlog
from pydantic import Field, model_validator

from monitor import __version__
from monitor.exchange import Exchange, Request, ask
from monitor.grouping.message import Group
from monitor.plugin import Plugin
from monitor.targets.address import HiddenUrl, TargetUrl, origin, secrets_in
from monitor.targets.base import Message, Outcome, Target, Verdict
from monitor.targets.digest import DigestOptions
from monitor.targets.keyring import Keyring
from monitor.targets.rendering import SHORTER, Context, Failing, Shape, TemplateFault, compiled, refuse
from monitor.targets.samples import an_event
from monitor.targets.signature import SigningSecret, sign
from monitor.targets.telling.cleaning import unping
from monitor.targets.trial import families, tried
from monitor.targets.webhook import judge

LARGEST = 1_000_000
"""Bytes of a body: chats take far less (Discord 2,000 characters, Teams 28 KB), receivers in the house mostly this."""

log = structlog.get_logger()

_QUOTED = ' "quoted" \\ and\nbroken'


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
        shape = compiled(self.body)
        samples = families(digest=self.digest is not None, catch_up=True)
        for about, made in tried(shape, samples):
            sent = made.encode() if isinstance(made, str) else msgspec.json.encode(made)
            if len(sent) > LARGEST:
                why = f"over a sample of {about} the body has {len(sent):,} bytes; {LARGEST:,} are sent at most"
                raise TemplateFault(("body",), why)
        if shape.whole and "json" in self.content_type:
            quoted = {"an event with quotes and line breaks in its texts": an_event(_QUOTED)}
            for about, made in tried(shape, {**samples, **quoted}):
                _is_json(made, about)
        return self

    def destinations(self) -> Mapping[str, str]:
        """The one URL."""
        return {"url": self.url}


def _is_json(made: str, about: str) -> None:
    try:
        msgspec.json.decode(made)
    except msgspec.DecodeError as error:
        advice = "write values as {{ text | tojson }}"
        raise TemplateFault(("body",), f"over a sample of {about} this is no JSON ({error}); {advice}") from None


class Templated:
    """One template target: renders what a message is about, POSTs it, and judges the answer as a webhook's."""

    grouped = True

    def __init__(self, options: TemplateOptions) -> None:
        self._url = HiddenUrl(options.url)
        self._shape: Shape = compiled(options.body)
        self._json = "json" in options.content_type
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

    def fault(self, message: Message) -> str | None:
        """Which text gives way to plain words over this message; None where none does."""
        faults: list[TemplateFault] = []
        self._shape.render(message, failing=in_words(faults))
        return f"{faults[0]}; plain words are sent there" if faults and not self._shape.whole else None

    def stands(self, _: Group) -> bool:
        """Never: what was sent is not edited."""
        return False

    def send(self, message: Message) -> Exchange[Outcome]:
        """One POST of the rendered body; a body that cannot be made is given up with the reason."""
        try:
            body = self._body(message)
        except TemplateFault as fault:
            return Outcome(Verdict.FAILED, error=str(fault), taken=False)
        now = message.sent_at.timestamp()
        timestamp = int(now)
        headers = {**self._headers, "webhook-id": message.id, "webhook-timestamp": str(timestamp)}
        if self.keyring is not None:
            signers = self.keyring.signers(now * 1000)
            headers["webhook-signature"] = sign(signers, message.id, timestamp, body)
        request = Request("POST", self._url, headers=headers, body=body, authorise=False, idempotent=False)
        response = yield from ask(request)
        return judge(response, message.sent_at, self._hidden)

    def _body(self, message: Message) -> bytes:
        """The body; where it is too large, with texts of events cut shorter. TemplateFault says why there is none."""
        size = 0
        for most in SHORTER:
            faults: list[TemplateFault] = []
            rendered = self._shape.render(message, most, refuse if self._shape.whole else in_words(faults))
            body = rendered.encode() if isinstance(rendered, str) else msgspec.json.encode(rendered)
            size = len(body)
            if size > LARGEST:
                continue
            if self._json and self._shape.whole:
                try:
                    msgspec.json.decode(body)
                except msgspec.DecodeError as error:
                    raise TemplateFault(("body",), f"over this event it is no JSON: {error}") from None
            if faults:
                log.warning("template.failed", message=message.id, error=str(faults[0]), instead="plain words")
            return body
        raise TemplateFault(("body",), f"it would be {size:,} bytes; {LARGEST:,} are sent at most")


def in_words(faults: list[TemplateFault]) -> Failing:
    """A list that takes the faults in, what puts the message in plain words where a template failed out.

    Nobody is mentioned in these, whether the template would have seen to that or not.
    """

    def failing(fault: TemplateFault, context: Context) -> str:
        faults.append(fault)
        return unping(str(context["text"]))

    return failing


def build(_: str, options: TemplateOptions) -> Target:
    """The target's name and its validated options in, the target out."""
    return Templated(options)


PLUGIN: Plugin[TemplateOptions, Target] = Plugin(TemplateOptions, build)
