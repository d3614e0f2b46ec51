"""Layouts of Slack messages by the operator: templates whose values can neither ping, format nor break. Pure."""

from __future__ import annotations

from typing import Any, TypeGuard

import structlog

from monitor.targets.base import Message
from monitor.targets.rendering import Shape, TemplateFault, compiled
from monitor.targets.slack_fitting import fitted
from monitor.targets.slack_text import escape

log = structlog.get_logger()

_VALUE = 2_000
_JOINER = "\u034f"
_BEGINS = ("!", "@", "#")
"""What makes a mention or a channel of a token: `<{{ url }}|open>` must be none where the address is `!channel`."""


def layout(body: dict[str, Any]) -> Shape:
    """A tree of `text` and `blocks` as the config has it in, the same compiled out; TemplateFault for no template."""
    return compiled(body, _inert)


def own_message(shape: Shape | None, message: Message) -> dict[str, Any] | None:
    """A layout and a message in, its payload out; None where there is no layout, or it fails over this message.

    One text that fails is enough: what would stand in for it went through no filter and knows no place, so that the
    layout as a whole gives way to the built-in one.
    """
    if shape is None or message.catch_up is not None:
        return None
    try:
        return _made(shape, message)
    except TemplateFault as fault:
        log.warning("layout.failed", message=message.id, error=str(fault), instead="the built-in layout")
        return None


def own_fault(shape: Shape | None, message: Message) -> str | None:
    """A layout and a message in, why the built-in layout is sent in its place out; None where it is not."""
    try:
        if shape is not None and message.catch_up is None:
            _made(shape, message)
    except TemplateFault as fault:
        return f"{fault}; the built-in layout is sent"
    return None


def _made(shape: Shape, message: Message) -> dict[str, Any]:
    made = shape.render(message)
    if not own_payload(made):
        raise TemplateFault(("body", "text"), "it is empty over this message")
    return fitted(_verbatim(made))


def _inert(text: str) -> str:
    """What a template writes out in, the same with nothing live in it out, nor behind a < of the operator's."""
    dead = escape(text, _VALUE)
    return f"{_JOINER}{dead}" if dead[:1] in _BEGINS else dead


def _verbatim(value: Any) -> Any:
    """The same, and addresses in what a provider wrote become no links, unless the operator has said that they may."""
    if isinstance(value, list):
        return [_verbatim(one) for one in value]
    if not isinstance(value, dict):
        return value
    first = {"verbatim": True} if value.get("type") == "mrkdwn" else {}
    return first | {name: _verbatim(one) for name, one in value.items()}


def own_payload(made: Any) -> TypeGuard[dict[str, Any]]:
    """Whether what was rendered has a line of text, and blocks in a list if any."""
    if not isinstance(made, dict) or set(made) - {"text", "blocks", "attachments"}:
        return False
    return isinstance(made.get("text"), str) and bool(made["text"].strip()) and isinstance(made.get("blocks", []), list)
