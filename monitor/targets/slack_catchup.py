"""A catch-up message in, the JSON of its Slack message out: `text` and `blocks` inside every limit of Slack. Pure.

It has no buttons and is not edited: a group that changes after it gets a message of its own.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from monitor.grouping.backlog import CatchUp
from monitor.targets.slack_blocks import context, header, lines_in_sections, section
from monitor.targets.slack_groups import standing_line
from monitor.targets.slack_text import escape, mrkdwn
from monitor.targets.telling import backlog as words

Json: TypeAlias = dict[str, Any]

_TEXT, _SENTENCE, _LINE = 290, 900, 900
_BARE, _BARE_LINE = 5, 300
"""Conditions named and characters of a count, where all is one text: below 4,000 of them Slack leaves it whole."""


def message(told: CatchUp) -> Json:
    """What is told, in the order of how much it matters: how late and why, what is open, the rest in numbers."""
    title = f"{_sign(told)} {words.title(told)}"
    named = [standing_line(member) for member in told.named]
    counted = [escape(line, _LINE) for line in words.rest(told)]
    return {
        "text": escape(title, _TEXT),
        "blocks": [
            header(title),
            section(mrkdwn(words.reason(told), _SENTENCE)),
            *(lines_in_sections(named) if named else []),
            *(lines_in_sections(counted) if counted else []),
            context([words.after(told), told.id]),
        ],
    }


def text_only(told: CatchUp) -> Json:
    """The same without blocks, for when Slack refuses them."""
    lines = [message(told)["text"], *(standing_line(member) for member in told.named[:_BARE])]
    return {"text": "\n".join([*lines, *(escape(line, _BARE_LINE) for line in words.rest(told))])}


def _sign(told: CatchUp) -> str:
    return "🔴" if told.critical else "🟠" if told.still_open else "🔵"
