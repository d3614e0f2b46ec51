"""A rendered layout for Slack in, the same inside Slack's limits out: each text cut for its place. Pure.

Limits: https://docs.slack.dev/reference/block-kit/blocks https://docs.slack.dev/reference/block-kit/composition-objects
All texts of the blocks together stay below 9,000, as Slack refuses somewhere above without documenting it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.targets.slack_text import width
from monitor.targets.telling.cleaning import CUT

TOTAL, TEXT = 9_000, 3_000
"""Characters of all blocks together, and of a text whose place has no limit of its own."""

_PLACES: Mapping[tuple[str, str], int] = {
    ("header", "text"): 150,
    ("section", "fields"): 2_000,
    ("button", "text"): 75,
    ("workflow_button", "text"): 75,
    ("options", "text"): 75,
    ("options", "description"): 75,
    ("options", "value"): 150,
    ("option_groups", "label"): 75,
    ("confirm", "title"): 100,
    ("confirm", "text"): 300,
    ("confirm", "confirm"): 30,
    ("confirm", "deny"): 30,
    ("image", "title"): 2_000,
    ("input", "label"): 2_000,
    ("input", "hint"): 2_000,
    ("video", "title"): 200,
    ("video", "description"): 200,
    ("markdown", "text"): TOTAL,
}
"""Characters by what holds a text, which is its type or, where it has none, the key it stands under; and by key."""

_KEYS: Mapping[str, int] = {
    "placeholder": 150,
    "accessibility_label": 75,
    "alt_text": 2_000,
    "value": 2_000,
    "author_name": 50,
}
_ADDRESSES = frozenset({"url", "image_url", "title_url", "thumbnail_url", "video_url", "provider_icon_url"})
_LONGEST_ADDRESS = 3_000
_SHORT = 150
"""Texts of places this small are not counted: a button keeps its name however much is written above it."""

_EMPTY = "–"
_JOINER = "\u034f"
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
# A token, an entity, a mark between its joiners, a character: none of these is cut in two.
_PIECE = re.compile(r"<[^<>]*>|\u034f(?:&\w{2,5};|[^\u034f])\u034f|&\w{2,5};|.", re.DOTALL)
_TOKEN = re.compile(r"<([^<>|]*)\|([^<>]*)>")
_LINK = re.compile(r"(https?://|mailto:|tel:)[^\s<>|\"]{1,2900}")


@dataclass(slots=True)
class _Room:
    left: int

    def take(self, text: str, most: int) -> str:
        """A text in, what there is room for out, ended by an ellipsis where that is not all."""
        if most <= _SHORT:
            return cut(text, most)
        made = cut(text, min(most, self.left)) or CUT
        self.left = max(0, self.left - width(made))
        return made


def fitted(payload: Mapping[str, Any]) -> dict[str, Any]:
    """`text` and `blocks` as they were rendered in, the same as Slack takes them out.

    Texts are cut where their place ends them, an empty one is a dash, a link without an address is its label, and
    addresses are written as such. An empty address is left out, and so is what is nothing without it: an image.
    """
    room = _Room(TOTAL)
    line = cut(linked(payload["text"]), TEXT)
    rest = {name: _fit(value, "", name, room) for name, value in payload.items() if name != "text"}
    return {**rest, "text": line}


def cut(text: str, limit: int) -> str:
    """A text in, at most `limit` characters as Slack counts them out: no token or entity is cut in two."""
    if width(text) <= limit:
        return text
    taken: list[str] = []
    used = width(CUT)
    for piece in _PIECE.finditer(text):
        used += width(piece.group())
        if used > limit:
            break
        taken.append(piece.group())
    return "".join(taken).rstrip() + CUT if limit > 0 else ""


def linked(text: str) -> str:
    """Mrkdwn whose values were escaped in, the same with whole addresses in its links out, and no link to nowhere."""
    return _TOKEN.sub(_link, text)


def _link(token: re.Match[str]) -> str:
    written, label = token.groups()
    address = written.replace(_JOINER, "")
    if not address.strip():
        return label
    return f"<{address}|{label.replace('|', '│')}>" if _LINK.fullmatch(address) else token.group()


def _fit(value: Any, holder: str, key: str, room: _Room) -> Any:
    """One value of the tree; None for what is left out. `holder` is what it stands in, `key` under what name."""
    if isinstance(value, dict):
        return _object(value, holder, key, room)
    if isinstance(value, list):
        made = [_fit(one, holder, key, room) for one in value]
        return [one for one, given in zip(made, value, strict=True) if one is not None or given is None]
    if not isinstance(value, str):
        return value
    if key in _ADDRESSES:
        return _address(value)
    most = _PLACES.get((holder, key)) or _KEYS.get(key)
    if key == "text":
        return room.take(value, most or TEXT) or _EMPTY
    return cut(value, most) if most else value


def _object(value: Mapping[str, Any], holder: str, key: str, room: _Room) -> dict[str, Any] | None:
    kind = value.get("type")
    if kind in {"mrkdwn", "plain_text"} and isinstance(value.get("text"), str):
        most = _PLACES.get((holder, key)) or _KEYS.get(key) or TEXT
        text = linked(value["text"]) if kind == "mrkdwn" else value["text"]
        return {**value, "text": room.take(text if text.strip() else _EMPTY, most)}
    inside = kind if isinstance(kind, str) else key
    made = {name: _fit(one, inside, name, room) for name, one in value.items()}
    kept = {name: one for name, one in made.items() if one is not None or value[name] is None}
    return None if "image_url" in made and "image_url" not in kept else kept


def _address(written: str) -> str | None:
    """An address that was escaped as text in, the address itself out; None for one that Slack would refuse."""
    address = written.replace(_JOINER, "").strip()
    for entity, char in _ENTITIES:
        address = address.replace(entity, char)
    return address if 0 < width(address) <= _LONGEST_ADDRESS else None
