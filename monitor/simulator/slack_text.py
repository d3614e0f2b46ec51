"""Slack markup in; whom it would ping, and how it reads as plain text, out.

https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_MENTION = re.compile(r"<(?:!(?:channel|here|everyone)|!subteam\^[A-Z0-9]+|@[UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_LOOSE = re.compile(r"(?<![\w@])@(channel|here|everyone)\b")
_ANGLE = re.compile(r"<([^<>]+)>")
# Looser than what is documented, as Slack is: spaces inside do not matter, wide marks count, and whatever is neither
# letter nor digit is an edge; but not the combining grapheme joiner, which joins.
_STYLE = re.compile(r"(?<![0-9A-Za-z\u034f])([*_~`＊＿～｀])([^\n]+?)\1(?![0-9A-Za-z\u034f])")
_BLOCK = re.compile(r"```.+?```", re.DOTALL)
_QUOTE = re.compile(r"^(?:&gt;|>|＞).*", re.MULTILINE)
_NAMED = re.compile(r":([^\s:<>|\u034f]+):")
_LINKED = re.compile(
    r"(?:https?|mailto|tel):\S+|www\.\S+|[0-9A-Za-z][\w.+-]*@[\w-]+\.\w+|\b[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}\b"
)
_EMOJI = {
    "rotating_light": "🚨",
    "warning": "⚠️",
    "white_check_mark": "✅",
    "heavy_check_mark": "✔️",
    "x": "❌",
    "red_circle": "🔴",
    "large_green_circle": "🟢",
    "large_yellow_circle": "🟡",
    "large_orange_circle": "🟠",
    "large_blue_circle": "🔵",
    "white_circle": "⚪",
    "hourglass_flowing_sand": "⏳",
    "alarm_clock": "⏰",
    "calendar": "📅",
    "bell": "🔔",
    "no_bell": "🔕",
    "information_source": "ℹ️",
    "new": "🆕",
    "wastebasket": "🗑️",
    "arrows_counterclockwise": "🔄",
    "tada": "🎉",
    "eyes": "👀",
    "memo": "📝",
    "page_facing_up": "📄",
    "truck": "🚚",
}


def mentions(message: dict[str, Any]) -> list[str]:
    """Give everything in a message that would ping somebody, in the order it is written."""
    found = [hit.group(0) for text in _live_texts(message) for hit in _MENTION.finditer(text)]
    if message.get("link_names") or message.get("parse") == "full":
        found += [hit.group(0) for text in _live_texts(message) for hit in _LOOSE.finditer(text)]
    return found + list(_rich_mentions(message.get("blocks")))


def _live_texts(value: Any) -> Iterator[str]:
    """Give the texts in which Slack looks for mentions: all but those of type plain_text."""
    if isinstance(value, list):
        for item in value:
            yield from _live_texts(item)
    elif isinstance(value, dict) and value.get("type") != "plain_text":
        for name, item in value.items():
            if isinstance(item, str) and name in ("text", "pretext", "title", "value", "fallback"):
                yield item
            elif name not in ("url", "metadata"):
                yield from _live_texts(item)


def _rich_mentions(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _rich_mentions(item)
    elif isinstance(value, dict):
        if value.get("type") == "broadcast":
            yield f"<!{value.get('range')}>"
        elif value.get("type") == "user" and "user_id" in value:
            yield f"<@{value['user_id']}>"
        elif value.get("type") == "usergroup":
            yield f"<!subteam^{value.get('usergroup_id')}>"
        yield from _rich_mentions(value.get("elements"))


def plain(text: str) -> str:
    """Take mrkdwn and give what a person reads: links, dates, emoji and styles resolved, entities decoded."""
    text = _ANGLE.sub(lambda hit: _angle(hit.group(1)), text)
    text = _NAMED.sub(lambda hit: _EMOJI.get(hit.group(1), hit.group(0)), text)
    text = _STYLE.sub(r"\2", text).replace("```", "").replace("\u034f", "")
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def live(text: str, *, verbatim: bool = True) -> list[str]:
    """Take mrkdwn and give all in it that Slack may style, quote or draw; without ``verbatim`` what it links as well.

    Tokens in angle brackets are what their sender means; of links the label is looked at.
    """
    shown = _ANGLE.sub(lambda hit: hit.group(1).partition("|")[2] if hit.group(1).startswith("http") else "", text)
    looked_for = [_STYLE, _BLOCK, _QUOTE, _NAMED] + ([] if verbatim else [_LINKED])
    return [hit.group(0) for pattern in looked_for for hit in pattern.finditer(shown)]


def live_in(message: dict[str, Any]) -> list[str]:
    """Take a message payload and give the same of every text of it that Slack reads as markup."""
    return list(_live(message.get("blocks"))) + live(
        message.get("text") or "", verbatim=bool(message.get("blocks")) or message.get("parse") == "none"
    )


def _live(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _live(item)
    elif isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            yield from live(str(value.get("text")), verbatim=value.get("verbatim") is True)
        elif value.get("type") == "plain_text" and value.get("emoji") is not False:
            yield from (hit.group(0) for hit in _NAMED.finditer(str(value.get("text"))))
        for item in value.values():
            yield from _live(item)


def _angle(inside: str) -> str:
    target, _, label = inside.partition("|")
    if target.startswith("!date^"):
        return label or target
    if target.startswith(("!", "@", "#")):
        return label if label.startswith(("@", "#")) else f"@{label or target.lstrip('!@#').partition('^')[0]}"
    return f"{label} ({target})" if label and label != target else target


def lines_of(message: dict[str, Any]) -> list[str]:
    """Take a message payload and give the lines a person sees; the fallback text only where there are no blocks."""
    lines = [line for block in message.get("blocks") or [] for line in _block(block)]
    if not lines and message.get("text"):
        lines = plain(message["text"]).split("\n")
    for attachment in message.get("attachments") or []:
        texts = [attachment.get(name) for name in ("pretext", "title", "text", "footer")]
        inner = [line for text in texts if text for line in plain(text).split("\n")]
        inner += [f"{field.get('title')}: {plain(str(field.get('value')))}" for field in attachment.get("fields") or []]
        inner += [line for block in attachment.get("blocks") or [] for line in _block(block)]
        lines += [f"│ {line}" for line in inner]
    return lines


def _block(block: dict[str, Any]) -> list[str]:
    elements = block.get("elements") or []
    match block.get("type"):
        case "divider":
            lines = ["─" * 40]
        case "markdown":
            lines = str(block.get("text", "")).split("\n")
        case "actions":
            lines = [" ".join(_button(element) for element in elements)]
        case "context":
            lines = ["  " + " · ".join(_object(element) for element in elements)]
        case "rich_text":
            lines = ["".join(_rich(block))]
        case "image":
            lines = [_object(block)]
        case _:
            lines = _section(block)
    return lines


def _section(block: dict[str, Any]) -> list[str]:
    lines = _object(block.get("text")).split("\n") if block.get("text") else []
    lines += [f"  {_object(field)}".replace("\n", ": ") for field in block.get("fields") or []]
    accessory = block.get("accessory")
    return [*lines, _button(accessory)] if isinstance(accessory, dict) else lines


def _object(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value or "")
    text = str(value.get("text") or value.get("alt_text") or "")
    return plain(text) if value.get("type") == "mrkdwn" else text


def _button(element: dict[str, Any]) -> str:
    label = _object(element.get("text") or element.get("placeholder"))
    return f"[{label}]({element['url']})" if element.get("url") else f"[{label}]"


def _rich(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _rich(item)
    elif isinstance(value, dict):
        yield str(value.get("text") or value.get("url") or "")
        yield from _rich(value.get("elements"))
