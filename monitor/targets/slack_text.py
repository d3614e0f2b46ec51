"""Text for Slack: nothing in it that can ping, format or break, and never longer than asked. Pure.

https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from monitor.moments import parse_instant
from monitor.targets.telling import Moment, Part, Strong, in_utc

CUT = "…"
"""What ends a text that was cut."""

# Control characters, and those that turn the direction of what follows or are no characters at all.
_DROPPED = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
_HALF = re.compile(r"[\ud800-\udfff]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# An invisible joiner keeps the signs of style from being read as such; Slack has no escape for them.
_REPLACED = _ENTITIES | {char: f"\u034f{char}" for char in "*~`"}
_SAFE = str.maketrans(_REPLACED)
_LINK = re.compile(r"https?://[^\s<>|\"]{1,1000}")


def plain(text: str, limit: int) -> str:
    """Any text in, one clean line of at most `limit` characters out, for places where Slack reads no markup."""
    # Not read as markup there, but the same payload may be quoted where it would be.
    return _fit(_clean(text, limit).replace("<!", "<\u2060!").replace("<@", "<\u2060@"), limit, width)


def escape(text: str, limit: int) -> str:
    """Any text in, one line of mrkdwn that reads the same out: entities for & < >, at most `limit` characters."""
    return _fit(_clean(text, limit), limit, _safe_width).translate(_SAFE)


def link(url: str | None, label: str) -> str:
    """Escaped text in, the same as a link out where `url` is a plain http(s) address."""
    if url is None or not _LINK.fullmatch(url):
        return label
    return f"<{url.replace('&', '&amp;')}|{label.replace('|', '│')}>"


def moment(value: str) -> str:
    """An instant in, what Slack shows in the reader's zone out; the fallback carries UTC."""
    at = parse_instant(value)
    if at is None or at.timestamp() <= 0:
        return escape(value, 40)
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{in_utc(value)}>"


def mrkdwn(parts: Sequence[Part], limit: int, url: str | None = None) -> str:
    """A sentence in, mrkdwn of at most `limit` characters out; its first strong part links to `url`."""
    rendered: list[str] = []
    left = limit
    for part in parts:
        if isinstance(part, Moment):
            text = moment(part.at)
        elif isinstance(part, Strong):
            text, url = _strong(part.text, url, left, limit // 2), None
        else:
            text = _spaced(part, left)
        if width(text) > left:
            # Only an instant cannot be cut in the middle.
            return "".join(rendered) + (CUT if left else "")
        rendered.append(text)
        left -= width(text)
    return "".join(rendered)


def _strong(text: str, url: str | None, left: int, most: int) -> str:
    """Bold, and a link where that leaves room for a readable label."""
    around = len(link(url, "")) if url else 0
    if around > left - 40:
        url, around = None, 0
    label = escape(text, min(most, left - around - 2))
    return f"*{link(url, label)}*" if label else ""


def _spaced(text: str, limit: int) -> str:
    """Escaped text that keeps the spaces at its ends, which join it to its neighbours."""
    inner = escape(text, max(0, limit - 2))
    return f"{' ' if text[:1] == ' ' else ''}{inner}{' ' if inner and text[-1:] == ' ' else ''}"


def _clean(text: str, limit: int) -> str:
    """One line without control characters; of an endless text only what could fit is looked at."""
    start = _HALF.sub("\ufffd", _DROPPED.sub("", text[: limit * 4 + 64]))
    return " ".join(start.split()) + (CUT if len(text) > limit * 4 + 64 else "")


def width(text: str) -> int:
    """Characters as Slack counts them, which is as JavaScript does: 2 for most emoji."""
    return len(text) + sum(char > "\uffff" for char in text)


def _safe_width(char: str) -> int:
    return len(_REPLACED[char]) if char in _REPLACED else width(char)


def _fit(text: str, limit: int, weigh: Callable[[str], int]) -> str:
    used = kept = 0
    for index, char in enumerate(text):
        used += weigh(char)
        if used > limit:
            return text[:kept].rstrip() + CUT if limit > 0 else ""
        if used < limit:
            kept = index + 1
    return text
