"""What a click in Slack is about: what the message showed when it was written, and nothing that came since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.bootstrap import Services
from monitor.conditions import Condition
from monitor.grouping.book import Book
from monitor.targets.slack_actions import Wish, order


@dataclass(frozen=True, slots=True)
class Shown:
    """The ids of what a click is about, and how many that are open in its group it is not about."""

    conditions: tuple[str, ...]
    newer: int = 0


async def shown_in(one: Wish, message: Mapping[str, Any], running: Services) -> Shown:
    """What a click asks for and the message it was on, as Slack sends it, in; what it is about out."""
    if one.conditions or not one.group:
        return Shown(one.conditions)
    target, _, lane = one.group.partition("/")
    book = (await running.store.groups.load(target, lane)).book
    standing = await _open_in(target, lane, running)
    until = order(one.newest) if one.newest is not None else _written(message)
    known = [each.id for each in standing if order(each.at) <= until and _told(book, each, old=one.newest is None)]
    return Shown(tuple(known), len(standing) - len(known))


async def _open_in(target: str, lane: str, running: Services) -> list[Condition]:
    """What is open in a group."""
    ledgers = (await running.store.conditions.all()).values()
    return [
        one
        for ledger in ledgers
        for one in ledger.open
        if any((place.target, place.lane) == (target, lane) and not place.left for place in one.places)
    ]


def _told(book: Book, one: Condition, *, old: bool) -> bool:
    """Whether a message could have shown it: what was kept quiet from the beginning was in none.

    What the book does not name may be in the very message that was clicked, whose arrival is being noted.
    """
    told = book.told.get(one.id)
    return not old if told is None else told.knows or told.perhaps


def _written(message: Mapping[str, Any]) -> tuple[int, int]:
    """When Slack says that a message was written last, as a place in the event log: places begin with that."""
    edited = message.get("edited")
    stamp = str((edited.get("ts") if isinstance(edited, dict) else None) or message.get("ts") or "")
    seconds, _, micros = stamp.partition(".")
    whole = f"{seconds}{micros[:3]:0<3}"
    return (int(whole), 0) if seconds and whole.isdecimal() and whole.isascii() else (0, 0)
