"""A message as lines of plain text for people, what is new first, and what it is about in one line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from monitor.conditions import Status
from monitor.grouping.message import Member, News, Reason
from monitor.moments import parse_instant
from monitor.routing.severity import rank
from monitor.targets.base import Message
from monitor.targets.beside import apart
from monitor.targets.standing import facts_of, move_of, since, status_of, word
from monitor.targets.telling import Facts, headline, name, plain_text, read, tell
from monitor.targets.telling.cleaning import CUT, line

TITLE, LINE, TEXT = 200, 2_000, 4_000
"""Characters of a title, of a line and of all lines together."""

_MOVE = 200
_AGAIN = frozenset({Reason.REPEAT, Reason.SILENCE_ENDED})
_OLDEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing in a message: a condition (`member`) or an occurrence; `fresh` is what the message is sent for.

    `at` is when it became what it is, `lead` what a headline about it begins with, empty where that is its news alone.
    """

    facts: Facts
    severity: str
    at: datetime
    fresh: bool
    move: str
    text: str
    lead: str = ""
    member: Member | None = None

    @property
    def over(self) -> bool:
        """Whether it is a condition that is over."""
        return self.member is not None and self.member.over

    @property
    def calm(self) -> bool:
        """Whether it needs nobody: over, or somebody has it."""
        return self.member is not None and status_of(self.member) is not Status.OPEN


def lines_of(message: Message) -> Sequence[Line]:
    """A message in; each thing in it out, what is new first, the gravest of that first and the newest of those."""
    group = message.group
    if message.catch_up is not None:
        # However late it is said: how long was left when an event was made is not so any more.
        return [_condition(member, Reason.SILENCE_ENDED) for member in message.catch_up.named]
    lines = [_condition(member, group.reason) for member in group.members] if group else []
    lines += [_occurrence(one.body, one.severity) for one in apart(message)]
    if not any(one.fresh for one in lines):
        # An end of trouble, or what the book alone knows: what is open is what it is about.
        lines = [replace(one, fresh=not one.calm) for one in lines]
    return sorted(lines, key=_order)


def title(lines: Sequence[Line]) -> str:
    """What a message is about: the name of the first thing in it, and how many others are new as well."""
    return f"{name(lines[0].facts, TITLE - len(_more(lines)))}{_more(lines)}" if lines else "jobwire"


def summary(lines: Sequence[Line]) -> str:
    """The same with what happened to the first: `Resolved: Contract of X: renewed and 2 more`."""
    if not lines:
        return "jobwire"
    first, more = lines[0], _more(lines)
    return f"{first.lead}{headline(first.facts, TITLE - len(first.lead) - len(more), first.move)}{more}"


def text(lines: Sequence[Line], limit: int = TEXT) -> str:
    """All lines in at most so many characters; what has no room is counted."""
    told: list[str] = []
    left = limit
    for index, one in enumerate(lines):
        more = f"{CUT} and {len(lines) - index} more"
        last = index == len(lines) - 1
        if len(one.text) + 1 + (0 if last else len(more) + 1) > left:
            told.append(more if told else line(one.text, limit))
            break
        told.append(one.text)
        left -= len(one.text) + 1
    return "\n".join(told)


def _more(lines: Sequence[Line]) -> str:
    others = sum(one.fresh for one in lines[1:])
    return f" and {others} more" if others else ""


def _order(one: Line) -> tuple[bool, bool, int, float]:
    return not one.fresh, one.calm, -rank(one.severity), -(one.at - _OLDEST).total_seconds()


def _condition(member: Member, reason: Reason) -> Line:
    facts = facts_of(member, reason)
    again = reason in _AGAIN and not member.silenced_by and not member.held
    return Line(
        facts=facts,
        severity=member.severity,
        at=member.condition.ended_at or member.condition.changed_at,
        fresh=member.news is not News.SAME or member.escalated or (again and member.status is Status.OPEN),
        move=line(move_of(member, facts), _MOVE),
        text=_text(member, facts),
        lead=_lead(member, reason),
        member=member,
    )


def _lead(member: Member, reason: Reason) -> str:
    if member.over or member.news is News.ATTENDED or status_of(member) is not Status.OPEN:
        return f"{word(member)}: "
    if member.escalated:
        return "Nobody has taken this yet: "
    return "Still open: " if reason in _AGAIN and member.news is News.SAME else ""


def _text(member: Member, facts: Facts) -> str:
    """A condition in a sentence or two: what is new about it, or where it stands."""
    if member.over or member.news is News.ATTENDED:
        return plain_text([f"{word(member)}: {name(facts, TITLE)}.", *since(member)], LINE)
    sentence = plain_text(tell(facts).sentence, LINE - 400)
    if member.news is News.SAME or member.held:
        return plain_text([f"{word(member)}: {sentence}", *since(member)], LINE)
    often = f" It opened {member.times} times within 2 h." if member.times > 1 else ""
    return f"{'Nobody has taken this yet: ' if member.escalated else ''}{sentence}{often}"


def _occurrence(body: bytes, severity: str) -> Line:
    facts = read(body)
    said = tell(facts)
    return Line(
        facts=facts,
        severity=severity,
        at=parse_instant(facts.time) or _OLDEST,
        fresh=True,
        move=line(said.move, _MOVE),
        text=plain_text(said.sentence, LINE),
    )
