"""A condition of a group in words: what it is, since when, who has it, and what ended it. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from monitor.conditions import Condition, Status
from monitor.grouping.message import Member, News, Reason
from monitor.moments import stamp
from monitor.targets.telling import Facts, Moment, Part, plain_text, read, span, tell
from monitor.targets.telling.cleaning import line

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))")
_WORDS = {
    Status.OPEN: "Open",
    Status.ACKNOWLEDGED: "Acknowledged",
    Status.SNOOZED: "Snoozed",
    Status.RESOLVED: "Resolved",
    Status.EXPIRED: "Expired",
}


def status_of(member: Member) -> Status:
    """A condition of a group in, what it is for that group out: what has moved to another one counts as resolved."""
    return member.status if not member.over or member.condition.ended else Status.RESOLVED


def word(member: Member) -> str:
    """`Open`, `Acknowledged`, `Snoozed`, `Resolved` or `Expired`."""
    return _WORDS[status_of(member)]


def facts_of(member: Member, reason: Reason) -> Facts:
    """What a condition stands on. Said again later, how long is left is not so any more: the date alone is told."""
    facts = read(member.condition.event_bytes)
    if reason is not Reason.SILENCE_ENDED and member.news in (News.NEW, News.WORSE, News.CHANGED):
        return facts
    lasting = {name: value for name, value in facts.deadline.items() if name in ("date", "at", "rung")}
    return replace(facts, deadline=lasting)


def move_of(member: Member, facts: Facts) -> str:
    """What a condition is about in a few words; of one that is over, what ended it."""
    ended = plain_text(_dated(member.condition.ended_by or "")) if member.over else ""
    return ended or tell(facts).move


def _dated(text: str) -> list[Part]:
    """Text in; the same with each instant in it as a moment, to be shown as others are, out."""
    return [Moment(part) if index % 2 else part for index, part in enumerate(_INSTANT.split(text)) if part]


def since(member: Member) -> list[Part]:
    """Since when, for how long, and who has it; a sentence that begins with a space."""
    condition = member.condition
    if member.over:
        lasted = span(((condition.ended_at or condition.changed_at) - condition.opened_at).total_seconds())
        why = [": ", *_dated(line(condition.ended_by, 120))] if condition.ended_by else []
        return [f" Over after {lasted}{_acted(condition)}", *why, "."]
    if member.status is Status.SNOOZED and condition.snooze:
        snooze = condition.snooze
        if snooze.until is None:
            return [f" Snoozed by {line(snooze.by, 60)} until it changes."]
        return [f" Snoozed by {line(snooze.by, 60)} until ", Moment(stamp(snooze.until)), "."]
    if member.status is Status.ACKNOWLEDGED and condition.acknowledgement:
        taken = condition.acknowledgement
        return [f" Acknowledged by {line(taken.by, 60)} at ", Moment(stamp(taken.at)), "."]
    quiet = f" Kept quiet by {line(member.silenced_by, 80)}." if member.silenced_by else ""
    held = " It opens and closes again and again: the next word comes when it is calm." if member.held else ""
    return [" Since ", Moment(stamp(condition.opened_at)), f".{quiet}{held}"]


def owner(member: Member) -> str | None:
    """Who has an open condition or has put it off, the last who said so where both count; None where nobody has."""
    taken, snooze = member.condition.acknowledgement, member.condition.snooze
    words = [one for one in (taken, snooze if member.status is Status.SNOOZED else None) if one]
    return None if member.over else max((one.at, one.by) for one in words)[1] if words else None


def _acted(condition: Condition) -> str:
    """Who did what about a condition that is over; both where two did something."""
    taken, snooze = condition.acknowledgement, condition.snooze
    if taken and snooze and taken.by == snooze.by:
        return f", acknowledged and snoozed by {line(taken.by, 60)}"
    had = f", acknowledged by {line(taken.by, 60)}" if taken else ""
    return had + (f", snoozed by {line(snooze.by, 60)}" if snooze else "")
