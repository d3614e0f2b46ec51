"""A layout for Slack as it was rendered in, the first thing in it that Slack would refuse each time out. Pure.

A short list of our own: what is neither known to be right nor to be wrong passes.
https://docs.slack.dev/reference/block-kit/blocks https://docs.slack.dev/reference/block-kit/block-elements
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from monitor.targets.rendering import Path, TemplateFault

MOST = 50
"""Blocks of one message."""

# fmt: off
_BLOCKS = frozenset(
    {
        "actions", "alert", "auth_provider", "call", "card", "carousel", "container", "context", "context_actions",
        "divider", "file", "header", "image", "input", "markdown", "plan", "rich_text", "section", "table",
        "task_card", "video",
    }
)
_ELEMENTS = frozenset(
    {
        "button", "channels_select", "checkboxes", "conversations_select", "datepicker", "datetimepicker",
        "external_select", "feedback_buttons", "icon_button", "image", "multi_channels_select",
        "multi_conversations_select", "multi_external_select", "multi_static_select", "multi_users_select",
        "overflow", "radio_buttons", "static_select", "timepicker", "users_select", "workflow_button",
    }
)
# fmt: on
_TEXTS = frozenset({"mrkdwn", "plain_text"})
_PLAIN = frozenset({"plain_text"})
_KEYS: Mapping[str, frozenset[str]] = {
    "section": frozenset({"type", "block_id", "text", "fields", "accessory", "expand"}),
    "header": frozenset({"type", "block_id", "text", "level"}),
    "context": frozenset({"type", "block_id", "elements"}),
    "actions": frozenset({"type", "block_id", "elements"}),
    "divider": frozenset({"type", "block_id"}),
}
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "header": ("text",),
    "context": ("elements",),
    "actions": ("elements",),
    "button": ("text",),
    "image": ("alt_text",),
    "markdown": ("text",),
}
_LISTS: Mapping[tuple[str, str], int] = {
    ("section", "fields"): 10,
    ("context", "elements"): 10,
    ("actions", "elements"): 25,
}


def judged(payload: Mapping[str, Any]) -> None:
    """What a layout renders to in; TemplateFault with the place of what no message may have."""
    blocks = payload.get("blocks", [])
    if len(blocks) > MOST:
        raise TemplateFault(("body", "blocks"), f"these are {len(blocks)} blocks; Slack takes {MOST}")
    for index, block in enumerate(blocks):
        _block(block, ("body", "blocks", index))


def _block(block: Any, at: Path) -> None:
    kind = _kind(block, at, _BLOCKS, "block")
    for name in block:
        if name not in _KEYS.get(kind, block):
            raise TemplateFault((*at, name), f"a {kind} has no such key{_meant(name, _KEYS[kind])}")
    _needs(block, kind, at)
    if kind == "section" and not (block.get("text") or block.get("fields")):
        raise TemplateFault(at, "a section needs text: or fields:")
    if kind in {"section", "header"} and "text" in block:
        _kind(block["text"], (*at, "text"), _PLAIN if kind == "header" else _TEXTS, f"text of a {kind}")
        _needs_text(block["text"], (*at, "text"))
    for index, one in enumerate(_list(block, kind, "fields", at)):
        _kind(one, (*at, "fields", index), _TEXTS, "field")
        _needs_text(one, (*at, "fields", index))
    allowed = _TEXTS | {"image"} if kind == "context" else _ELEMENTS
    for index, one in enumerate(_list(block, kind, "elements", at)):
        _element(one, allowed, (*at, "elements", index))
    if kind == "section" and "accessory" in block:
        _element(block["accessory"], _ELEMENTS, (*at, "accessory"))


def _element(element: Any, allowed: frozenset[str], at: Path) -> None:
    kind = _kind(element, at, allowed, "element")
    _needs(element, kind, at)
    if kind in _TEXTS:
        _needs_text(element, at)
    if kind == "button":
        _kind(element["text"], (*at, "text"), _PLAIN, "text of a button")
        _needs_text(element["text"], (*at, "text"))


def _list(block: Mapping[str, Any], kind: str, key: str, at: Path) -> list[Any]:
    """The entries under a key of a kind that is known to have them; of others, none is looked at."""
    most = _LISTS.get((kind, key))
    if most is None or key not in block:
        return []
    entries = block[key]
    if not isinstance(entries, list) or not 0 < len(entries) <= most:
        raise TemplateFault((*at, key), f"a {kind} has a list of 1 to {most} {key}")
    return entries


def _kind(value: Any, at: Path, allowed: frozenset[str], what: str) -> str:
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise TemplateFault(at, f"write this {what} with its type:, one of {', '.join(sorted(allowed))}")
    kind: str = value["type"]
    if kind not in allowed:
        raise TemplateFault((*at, "type"), f"no {what} is a {kind!r} here{_meant(kind, allowed)}")
    return kind


def _needs(value: Mapping[str, Any], kind: str, at: Path) -> None:
    for name in _NEEDED.get(kind, ()):
        if name not in value:
            raise TemplateFault(at, f"a {kind} needs {name}:")


def _needs_text(value: Mapping[str, Any], at: Path) -> None:
    if not isinstance(value.get("text"), str):
        raise TemplateFault(at, f"a {value['type']} needs text:, which is one text")


def _meant(given: str, allowed: frozenset[str]) -> str:
    near = get_close_matches(given, sorted(allowed), n=1)
    return f"; did you mean {near[0]}?" if near else f"; allowed: {', '.join(sorted(allowed))}"
