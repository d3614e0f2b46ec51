"""Text for Slack: nothing in it that can ping, link, format or break, and never longer than asked. Pure.

https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, tzinfo

from monitor.moments import parse_instant
from monitor.targets.telling import Moment, Part, Strong, in_zone
from monitor.targets.telling.cleaning import CUT, clean

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_JOINER = "\u034f"
# Slack has no escape for its marks, but a mark counts only at the edge of a word, and the combining grapheme joiner is
# neither seen nor an edge; the zero-width space is one, and would make marks live that were not. Wide forms of marks
# count too, and a quote begins with &gt; as well. What stands inside a word, as in driver_jobs, is left as it is. What
# text ends with is looked at as if a mark of ours came next.
# https://github.com/yhatt/jsx-slack/blob/main/docs/about-escape-and-exact-mode.md
# https://github.com/healthchecks/healthchecks (U+034F before asterisks)
_LIVE = re.compile(r"[*~`＊～｀]|(?<![0-9A-Za-z])[_＿]|[_＿](?![0-9A-Za-z])|:(?=[^\s:]+(?::|$))|^[>＞]")
_TOKEN = re.compile(r"(<[^<>]*>)")
_ADDRESS = re.compile(r":(?=//)|(?<=[0-9A-Za-z])[@.](?=[0-9A-Za-z])|(?<=mailto):|(?<=tel):")
_LINK = re.compile(r"https?://[^\s<>|\"]{1,1000}")


def plain(text: str, limit: int) -> str:
    """Any text in, one clean line of at most `limit` characters out, for places where Slack reads no markup."""
    # Not read as markup there, but the same payload may be quoted where it would be.
    return _fit(clean(text, limit).replace("<!", "<\u2060!").replace("<@", "<\u2060@"), limit)


def escape(text: str, limit: int) -> str:
    """Any text in, one line of mrkdwn that reads the same out, at most `limit` characters: nothing in it is live.

    It styles, quotes, links, pings and draws nothing: & < > are entities, and marks have a joiner on either side.
    """
    return _fit(_dead(clean(text, limit)), limit)


def _dead(text: str) -> Iterator[str]:
    """Text in, each of its characters as it is written where Slack reads mrkdwn out."""
    at = 0
    for mark in _LIVE.finditer(text):
        yield from (_ENTITIES.get(char, char) for char in text[at : mark.start()])
        yield f"{_JOINER}{_ENTITIES.get(mark.group(), mark.group())}{_JOINER}"
        at = mark.end()
    yield from (_ENTITIES.get(char, char) for char in text[at:])


def unlinked(text: str) -> str:
    """Mrkdwn in, the same without the addresses in it that Slack makes links of by itself out; tokens are kept.

    Blocks say `verbatim` and the Web API `parse`, but for the bare text of a webhook there is no such switch.
    """
    parts = _TOKEN.split(text)
    return "".join(part if part.startswith("<") else _ADDRESS.sub(rf"{_JOINER}\g<0>{_JOINER}", part) for part in parts)


def link(url: str | None, label: str) -> str:
    """Escaped text in, the same as a link out where `url` is a plain http(s) address."""
    if url is None or not _LINK.fullmatch(url):
        return label
    return f"<{url.replace('&', '&amp;')}|{label.replace('|', '│')}>"


def moment(value: str, zone: tzinfo = UTC) -> str:
    """An instant in, what Slack shows in the reader's zone out; where it cannot, it is shown in `zone`."""
    at = parse_instant(value)
    if at is None or at.timestamp() <= 0:
        return escape(value, 40)
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{escape(in_zone(value, zone), 40)}>"


def mrkdwn(parts: Sequence[Part], limit: int, url: str | None = None, zone: tzinfo = UTC) -> str:
    """A sentence in, mrkdwn of at most `limit` characters out; its first strong part links to `url`.

    `zone` is that of instants where Slack does not know the reader's.
    """
    rendered: list[str] = []
    left = limit
    for part in parts:
        if isinstance(part, Moment):
            text = moment(part.at, zone)
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


def width(text: str) -> int:
    """Characters as Slack counts them, which is as JavaScript does: 2 for most emoji."""
    return len(text) + sum(char > "\uffff" for char in text)


def _fit(pieces: Iterable[str], limit: int) -> str:
    """As many pieces as fit; where that is not all, an ellipsis ends them."""
    taken: list[str] = []
    used = kept = 0
    for piece in pieces:
        used += width(piece)
        if used > limit:
            return "".join(taken[:kept]).rstrip() + CUT if limit > 0 else ""
        taken.append(piece)
        if used < limit:
            kept = len(taken)
    return "".join(taken)
