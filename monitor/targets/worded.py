"""A message in plain words for targets that know no blocks: a title, a summary and all of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.grouping.backlog import CatchUp
from monitor.targets.base import Message
from monitor.targets.lines import TITLE, Line, summary, text, title
from monitor.targets.telling import backlog, plain_text
from monitor.targets.telling.cleaning import line

_NAMED, _COUNTED = 2_400, 300
"""Characters of what a catch-up message names, and of each line that counts the rest."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is new in one line, the same with what happened, and everything, line by line."""

    title: str
    summary: str
    text: str


def worded(message: Message, told: Sequence[Line]) -> Words:
    """A message and its lines in, its words out; of a catch-up message how late it is, what it names, and counts."""
    if message.catch_up is None:
        return Words(title(told), summary(told), text(told))
    return _catching_up(message.catch_up, told)


def _catching_up(catch_up: CatchUp, told: Sequence[Line]) -> Words:
    head = line(backlog.title(catch_up), TITLE)
    named = [text(told, _NAMED)] if told else []
    counted = [line(one, _COUNTED) for one in backlog.rest(catch_up)]
    last = f"{backlog.after(catch_up)} ({catch_up.id})."
    return Words(head, head, "\n".join([plain_text(backlog.reason(catch_up)), *named, *counted, last]))
