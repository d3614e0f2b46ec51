"""Layouts of Slack messages by the operator: templates whose values can neither ping, format nor break. Pure."""

from __future__ import annotations

from typing import Any, TypeGuard

from monitor.targets.base import Message
from monitor.targets.rendering import Shape, TemplateFault, compiled
from monitor.targets.slack_text import escape

_VALUE = 2_000
_TEXT = 3_000


def layout(body: dict[str, Any]) -> Shape:
    """A tree of `text` and `blocks` as the config has it in, the same compiled out; TemplateFault for no template."""
    return compiled(body, lambda text: escape(text, _VALUE))


def own_message(shape: Shape | None, message: Message) -> dict[str, Any] | None:
    """A layout and a message in, its payload out; None where there is no layout, or it fails over this message."""
    if shape is None:
        return None
    try:
        made = shape.render(message)
    except TemplateFault:
        return None
    if not own_payload(made):
        return None
    return {**_verbatim(made), "text": made["text"][:_TEXT]}


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
    return isinstance(made.get("text"), str) and bool(made["text"]) and isinstance(made.get("blocks", []), list)
