"""Text of providers made fit to be read: one line, nothing hidden in it, nothing that turns or splits it. Pure.

For what people read. Data (stored events, keys, labels that name an alert) stays as it came.
https://www.unicode.org/reports/tr36/ (hidden and turned text) https://www.unicode.org/reports/tr9/ (directions)
"""

from __future__ import annotations

import re

CUT = "…"
"""What ends a text that was cut."""

# Controls; signs that turn the direction of what follows; what takes no room and has no shape; fillers that look like
# a space; tags and further variants, which hide whole texts; what is no character at all.
_DROPPED = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_HALF = re.compile("[\ud800-\udfff]")
# Joiners belong into Persian, Indic scripts and emoji, and a variant behind what it varies. Elsewhere they hide:
# words that look the same differ, and a search does not find them.
_JOINED = re.compile("(?<![\u0300-\U0010ffff])[\u200c\u200d]+|[\u200c\u200d]+(?=[\u0000-\u02ff\u200c\u200d\\s]|$)")
# @all, @somebody, <!here>, <@U1>, <#C1>; the @ of an e-mail address has a letter before it.
_PING = re.compile(r"(?<![0-9A-Za-z._%+-])@(?=\S)|<(?=[@!#])")
_VARIANTS = re.compile("(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]+")


def clean(text: str, about: int) -> str:
    """Any text in, one line without control characters, turns of direction and hidden signs out.

    Where much more than `about` characters come in, only the start is looked at, and the end is `CUT`.
    """
    # What is dropped takes room as well: so much of it in front of a text hides the rest, and is no loss.
    start = text[: about * 4 + 64]
    more = CUT if len(text) > len(start) else ""
    if start.isascii() and start.isprintable():
        return " ".join(start.split()) + more
    seen = " ".join(_HALF.sub("\ufffd", _DROPPED.sub("", start)).split())
    return " ".join(_VARIANTS.sub("", _JOINED.sub("", seen)).split()) + more


def line(text: str, limit: int) -> str:
    """Any text in, the same clean and of at most `limit` characters out; one that was cut says so by its end."""
    made = clean(text, limit)
    return made if len(made) <= limit else made[: max(0, limit - 1)].rstrip() + CUT[:limit]


def unping(text: str) -> str:
    """Any text in, the same to look at out, in which no chat finds a mention: @all, @name, <!here>, <@U1>."""
    return _PING.sub("\\g<0>\u2060", text)
