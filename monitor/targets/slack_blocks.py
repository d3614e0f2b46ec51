"""Events in, the JSON of one Slack message out: a line for phones, then blocks. Pure.

Limits: https://docs.slack.dev/reference/block-kit/blocks (50 blocks, header 150, section 3000, field 2000
characters); all blocks together stay below 10,000, as Slack refuses somewhere above without documenting it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from monitor.moments import parse_instant
from monitor.targets.slack_fields import fields_of
from monitor.targets.slack_lines import joint, named, origin
from monitor.targets.slack_text import escape, mrkdwn, plain, width
from monitor.targets.telling import (
    Facts,
    Said,
    Tone,
    count,
    graded,
    plain_text,
    span,
    tell,
)

Json: TypeAlias = dict[str, Any]

LISTED = 10
"""Events that a message about several names one by one."""
_TEXT, _HEADER, _SECTION, _SENTENCE, _LINE = 300, 150, 2900, 1500, 300
_LATE = 120.0


@dataclass(frozen=True, slots=True)
class _Story:
    facts: Facts
    said: Said


def message(events: Sequence[Facts], now: datetime, severity: str | None = None, route: str | None = None) -> Json:
    """One event or a group of them in, the message's `text` and `blocks` out, inside every limit of Slack.

    `severity` is the route's (info, warning, critical) and colours the headline; None leaves it to the event. `route`
    is the one that they came by, None where they came by none (a preview, a test).
    """
    stories = [_Story(facts, tell(facts)) for facts in events]
    origin = [f"route {route}"] if route else []
    if len(stories) > 1:
        return _several(stories, now, severity, origin)
    only = stories[0].said
    return _single(_Story(stories[0].facts, replace(only, tone=graded(only.tone, severity))), now, origin)


def _single(story: _Story, now: datetime, route: Sequence[str]) -> Json:
    facts, words = story.facts, story.said
    body: Json = section(mrkdwn(words.sentence, _SENTENCE, facts.url))
    fields = fields_of(facts)
    if fields:
        body["fields"] = fields
    late = _late([facts], now)
    told = [*rule_of(facts), *(route or [facts.source]), facts.id, *late_words(late)]
    return {"text": f"{_headline(story)}{late_ending(late)}", "blocks": [_header(story), body, context(told)]}


def _several(stories: Sequence[_Story], now: datetime, severity: str | None, route: Sequence[str]) -> Json:
    facts = [story.facts for story in stories]
    types = Counter(one.type for one in facts).most_common()
    told = ", ".join(f"{number} × {name}" for name, number in types[:3]) + (", …" if len(types) > 3 else "")
    sources = sorted({one.source for one in facts if one.source})
    origin = sources[0] if len(sources) == 1 else count(len(sources), "source")
    # The loudest are listed, and all in the order they happened.
    ranked = sorted(range(len(stories)), key=lambda index: stories[index].said.tone.rank)
    sign = _sign(graded(stories[ranked[0]].said.tone, severity))
    lines = [_listed(stories[index]) for index in sorted(ranked[:LISTED])]
    if len(stories) > LISTED:
        lines.append(f"… and {len(stories) - LISTED} more")
    late = _late(facts, now)
    shown = [told, *route, ids_of([one.id for one in facts]), *late_words(late)]
    title = f"{len(stories)} events from {origin}"
    heard = named([(stories[index].facts.title, stories[index].said.move) for index in ranked])
    return {
        "text": f"{sign} {escape(f'{title}: {heard}', _TEXT)}{late_ending(late)}",
        "blocks": [header(f"{sign} {title}"), *lines_in_sections(lines), context(shown)],
    }


def _sign(tone: Tone) -> str:
    """`🔴 Critical:`; the sign alone where it needs no word."""
    return f"{tone.sign} {tone.word}:" if tone.word else tone.sign


def _headline(story: _Story) -> str:
    """The one line that phones and screen readers get: sign and word, object, move, source."""
    words, facts = story.said, story.facts
    what = f"{escape(facts.title, 140)}{joint(words.move)}{escape(words.move, 100)}"
    return f"{_sign(words.tone)} {what}{origin(facts)}"


def _header(story: _Story) -> Json:
    # The move is what matters most, so it is the title that gets cut.
    move = plain(story.said.move, 60)
    return header(f"{story.said.tone.sign} {plain(story.facts.title, 80)}{joint(move)}{move}")


def _listed(story: _Story) -> str:
    """One line of a group, linked where the provider gave a link that is not too long."""
    url = story.facts.url if story.facts.url and len(story.facts.url) <= 120 else None
    return f"{story.said.tone.sign} {mrkdwn(story.said.sentence, _LINE + (len(url) if url else 0), url)}"


def lines_in_sections(lines: Sequence[str]) -> list[Json]:
    """Lines in, as few sections as hold them out."""
    sections: list[list[str]] = [[]]
    for text in lines:
        if sum(width(one) + 1 for one in sections[-1]) + width(text) > _SECTION:
            sections.append([])
        sections[-1].append(text)
    return [section("\n".join(one)) for one in sections]


def rule_of(facts: Facts) -> list[str]:
    """Which rule an event comes from: its type, and which rung of a ladder."""
    rung = facts.deadline.get("rung")
    return [facts.type, f"rung {rung}"] if rung else [facts.type]


def ids_of(events: Sequence[str]) -> str:
    """Ids of events in, `evt_4kq7aaaa and 7 others` out."""
    others = len(set(events)) - 1
    return f"{events[0]} and {count(others, 'other')}" if others else events[0]


def _late(facts: Sequence[Facts], now: datetime) -> float:
    """Seconds between seeing the first of these and telling it."""
    seen = [at for at in (parse_instant(one.time) for one in facts) if at]
    return (now - min(seen)).total_seconds() if seen else 0.0


def late_words(seconds: float) -> list[str]:
    """Seconds between seeing and telling in, a word about it out where they are many."""
    return [f"delivered {span(seconds)} after it was seen"] if seconds > _LATE else []


def late_ending(seconds: float) -> str:
    """The same in, how a line for phones ends out."""
    return f" · {span(seconds)} late" if seconds > _LATE else ""


def section(text: str) -> Json:
    """Text of mrkdwn in, a section out."""
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> Json:
    # verbatim: addresses and channel names in provider text are not turned into links.
    return {"type": "mrkdwn", "text": text or "–", "verbatim": True}


def header(text: str) -> Json:
    """Text in, a header out, cut where Slack would refuse it."""
    return {"type": "header", "text": plain_object(plain(text, _HEADER) or "–")}


def plain_object(text: str) -> Json:
    """Text in, the object of it that Slack shows as it is out: `:tada:` stays so, and 🔴 is a letter like others."""
    return {"type": "plain_text", "text": text, "emoji": False}


def context(texts: Sequence[str]) -> Json:
    """Texts in, one quiet line at the foot of a message out."""
    told = " · ".join(plain(text, 300) for text in texts if text)
    return {"type": "context", "elements": [plain_object(told or "jobwire")]}


def text_only(payload: Json, events: Sequence[Facts]) -> Json:
    """The same message without blocks, for when Slack refuses them: the headline and up to ten plain lines."""
    lines = [payload["text"]]
    lines += [f"• {escape(plain_text(tell(facts).sentence), 200)}" for facts in events[:LISTED]]
    if len(events) > LISTED:
        lines.append(f"… and {len(events) - LISTED} more")
    return {"text": "\n".join(lines)}
