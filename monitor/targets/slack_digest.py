"""A digest in, the JSON of its Slack message out, inside the same limits as every other. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeAlias

from monitor.moments import parse_instant
from monitor.targets.digest import DIGEST
from monitor.targets.slack_blocks import context, header, late_words, lines_in_sections, section
from monitor.targets.slack_text import escape, moment, mrkdwn
from monitor.targets.telling import Facts, day, plain_text, span
from monitor.targets.telling.digest import Story, by_type, story

Json: TypeAlias = dict[str, Any]

LISTED = 20
"""Deadlines that are listed one by one."""
_LINE, _TYPES, _LATE = 240, 600, 600.0


def message(events: Sequence[Facts], now: datetime, zone: tzinfo = UTC) -> Json | None:
    """Events of a message in, its `text` and `blocks` out when they are digests; None when they are not.

    Of several, because the target could not be reached for days, the last is told, and which days are missing. `zone`
    is that of instants where Slack does not show them in the reader's.
    """
    if not events or any(one.type != DIGEST for one in events):
        return None
    last = max(events, key=lambda one: one.time)
    told = story(last)
    title = f"Digest of {day(told.day)}"
    blocks: list[Json] = [header(f"🗓 {title}: {told.short}")]
    if told.deadline_count:
        blocks.append(section(f"*Deadlines of the next {told.days} days*"))
        blocks += lines_in_sections(_deadlines(told, zone))
    if told.total:
        blocks.append(
            section(f"*What has happened since {moment(told.since, zone)}*\n{escape(by_type(told, 8), _TYPES)}")
        )
        lines = [mrkdwn(parts, _LINE, zone=zone) for parts, _ in told.important]
        blocks += lines_in_sections(lines) if lines else []
    blocks.append(context([last.type, last.id, *_late(told, last, now), *_missing(events, last)]))
    return {"text": f"🗓 {escape(f'{title}: {told.short}{_first(told, zone)}', 290)}", "blocks": blocks}


def _first(told: Story, zone: tzinfo) -> str:
    """The deadline that comes first by name, else the gravest event: it ends the one line that a phone shows."""
    if not told.deadlines:
        return f" · {plain_text(told.important[0][0], 120, zone)}" if told.important else ""
    left = told.deadline_count - 1
    return f" · first {plain_text(told.deadlines[0][0], 120, zone)}{f' and {left} more' if left else ''}"


def _deadlines(told: Story, zone: tzinfo) -> list[str]:
    lines = [
        f"• {mrkdwn(parts, _LINE + (len(url) if url else 0), url, zone)}" for parts, url in told.deadlines[:LISTED]
    ]
    left = told.deadline_count - len(lines)
    return [*lines, f"… and {left} more"] if left else lines


def _late(told: Story, facts: Facts, now: datetime) -> list[str]:
    """Late because nobody was there to write it, or because it could not be sent."""
    if told.late > _LATE:
        return [f"late: it was due {span(told.late)} before"]
    written = parse_instant(facts.time)
    return late_words((now - written).total_seconds()) if written else []


def _missing(events: Sequence[Facts], last: Facts) -> list[str]:
    earlier = sorted({story(one).day for one in events if one is not last})
    named = ", ".join(map(day, earlier[:5])) + (", …" if len(earlier) > 5 else "")
    return [f"those of {named} could not be sent"] if earlier else []
