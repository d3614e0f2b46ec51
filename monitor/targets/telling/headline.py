"""What happened in one short line of plain text, for subjects, summaries and annotations. Pure."""

from __future__ import annotations

from monitor.targets.telling.cleaning import line
from monitor.targets.telling.facts import Facts
from monitor.targets.telling.resource import tell


def name(facts: Facts, limit: int) -> str:
    """What an event is about in, what people call it out: one clean line; its key where a title shows nothing."""
    return line(facts.title, limit) or line(facts.key, limit) or "–"


def headline(facts: Facts, limit: int, move: str | None = None) -> str:
    """An event in, `title: move` out, one clean line; a long title is cut, so that the move is always there.

    `move` is said in place of the event's own.
    """
    told = line(tell(facts).move if move is None else move, limit // 2)
    return f"{name(facts, limit - len(told) - 2)}: {told}"
