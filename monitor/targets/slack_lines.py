"""What stands for a message where there is room for one line: on a phone, in a notification, for a screen reader. Pure.

Each line stands alone: the state in a word, what changed, which things by name, and since when. Instants are in the
zone of the target, and say so, because phones show date tokens as they are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from itertools import pairwise

from monitor.conditions import Status
from monitor.grouping.message import Group, Member, News, Reason
from monitor.moments import parse_instant
from monitor.routing.severity import rank
from monitor.targets.slack_text import escape, plain
from monitor.targets.standing import facts_of, move_of, status_of, word
from monitor.targets.telling import Facts, Moment, Tone, count, graded, span, tell

NAMED = 3
"""Things that a line names; the others are counted."""
_ONE, _LINE, _TITLE, _MOVE, _PLACE = 130, 300, 50, 45, 60
_SIGNS = {
    Status.OPEN: "🔴",
    Status.ACKNOWLEDGED: "🟡",
    Status.SNOOZED: "💤",
    Status.RESOLVED: "🟢",
    Status.EXPIRED: "⚪",
}
_PLURALS = {"is": "are", "has": "have"}
_WHY = {
    Reason.ESCALATION: "Nobody has taken this yet",
    Reason.REPEAT: "Still open",
    Reason.WORSE: "It got worse",
    Reason.SILENCE_ENDED: "The silence is over, this is still open",
}


def headline(group: Group, zone: tzinfo = UTC) -> str:
    """A group with members in, its line out: what is so now, and what of that is new."""
    if len(group.members) == 1:
        return _about(group.members[0], group.reason, zone)
    sign, title = title_of(group)
    fresh = [member for member in news_first(group.members) if member.news is not News.SAME]
    told = fresh or list(group.open) or list(group.members)
    line = f"{title}: {_told(told, group.reason, said='Open' if group.open else 'Resolved')}"
    return f"{sign} {escape(line, _LINE)}{_since(told, group.reason, zone)}"


def news_line(group: Group, told: Sequence[Member], others: Sequence[Facts], zone: tzinfo = UTC) -> str:
    """What a reply in a group's thread tells in: its conditions and what came along; its line out."""
    if not told:
        sign = min((tell(one).tone for one in others), key=lambda tone: tone.rank, default=Tone.NEWS).sign
        return f"{sign} {escape(named([(one.title, tell(one).move) for one in others]), _LINE)}"
    sign, state = state_of(told[0])
    why = _WHY.get(group.reason)
    more = f", and {count(len(others), 'event')} more" if others else ""
    line = escape(f"{why or state}: {_told(told, group.reason, said='Open' if why else state)}{more}", _LINE)
    return f"{sign} {line}{_since(told, group.reason, zone)}"


def news_first(members: Sequence[Member]) -> list[Member]:
    """Conditions of a group in its own order in; what this message is about before the rest out.

    Of that the gravest and the newest first, what is over after it; the rest stays in its order.
    """
    return sorted(members, key=_weight)


def _weight(member: Member) -> tuple[bool, bool, bool, int, float]:
    if member.news is News.SAME and not member.escalated:
        return True, False, False, 0, 0.0
    newest = (member.condition.ended_at or member.condition.changed_at).timestamp()
    return False, not member.escalated, member.over, -rank(member.severity), -newest


def title_of(group: Group) -> tuple[str, str]:
    """A group of several in; its sign, and `3 of 5 open, tax` out."""
    still, of = len(group.open), len(group.members)
    values = " ".join(value for value in group.values.values() if value)
    place = f", {plain(values, _PLACE)}" if values else ""
    if not still:
        return "🟢", f"All {of} resolved{place}"
    untouched = [member for member in group.open if member.status is Status.OPEN]
    sign = state_of(untouched[0])[0] if untouched else "🟡"
    grave = loud(untouched[0]) if untouched else ""
    return (
        sign,
        f"{grave}{still} of {of} open{place}" if still < of else f"{grave}{count(still, 'condition')} open{place}",
    )


def state_of(member: Member) -> tuple[str, str]:
    """A condition in; the sign and the word of its state out."""
    status = status_of(member)
    if status is Status.OPEN and graded(Tone.WARNING, member.severity) is not Tone.CRITICAL:
        return graded(Tone.WARNING, member.severity).sign, word(member)
    return _SIGNS[status], word(member)


def loud(member: Member) -> str:
    """`Critical, ` for what is open and grave; elsewhere the state says enough."""
    return "Critical, " if member.status is Status.OPEN and member.severity == "critical" else ""


def named(things: Sequence[tuple[str, str]]) -> str:
    """Titles and moves in, `failed: A, B, C and 5 more` out, or `A: failed; B: stuck and 5 more` where moves differ.

    What several things are is said of them: `A and B are failing`.
    """
    left = len(things) - NAMED
    more = f" and {left} more" if left > 0 else ""
    shown = [(plain(title, _TITLE), plain(move, _MOVE)) for title, move in things[:NAMED]]
    if len(things) > 1 and len({move for _, move in things}) == 1:
        verb, _, rest = shown[0][1].partition(" ")
        if verb in _PLURALS:
            titles = [title for title, _ in shown]
            first = ", ".join(titles) if more else f"{', '.join(titles[:-1])} and {titles[-1]}"
            return f"{first}{more} {_PLURALS[verb]} {rest}"
        return f"{f'{shown[0][1]}: ' if shown[0][1] else ''}{', '.join(title for title, _ in shown)}{more}"
    return "; ".join(f"{title}{joint(move)}{move}" if move else title for title, move in shown) + more


def origin(facts: Facts) -> str:
    """` · tax`, where the title does not name the source itself."""
    return f" · {escape(facts.source, 40)}" if facts.source and not facts.of_monitor else ""


def began(facts: Facts) -> datetime | None:
    """Since when it is so by the event's own sentence (stuck since, failing since); None where that says nothing."""
    told = tell(facts).sentence
    for before, part in pairwise(told):
        if isinstance(before, str) and before.endswith(" since ") and isinstance(part, Moment):
            return parse_instant(part.at)
    return None


def joint(move: str) -> str:
    """What stands between a title and its move: `source tax is failing`, but `Job 7: stuck in CLAIMED`."""
    return " " if move.startswith(("is ", "has ")) else ": "


def _told(members: Sequence[Member], reason: Reason, *, said: str) -> str:
    """The things that a line is about, with the word of each state that the line has not `said`."""
    things: dict[str, list[tuple[str, str]]] = {}
    for member in members:
        facts = facts_of(member, reason)
        # Of what is over without a word why, what it was is not so any more.
        move = "" if member.over and not member.condition.ended_by else move_of(member, facts)
        things.setdefault(word(member), []).append((facts.title, move))
    return " · ".join(
        f"{f'{state.lower()}: ' if state != said else ''}{named(those)}" for state, those in things.items()
    )


def _about(member: Member, reason: Reason, zone: tzinfo) -> str:
    """The line about one condition."""
    facts = facts_of(member, reason)
    sign, state = state_of(member)
    move = move_of(member, facts)
    what = f"{escape(facts.title, _ONE)}{joint(move)}{escape(move, 90)}"
    return f"{sign} {loud(member)}{state}: {what}{origin(facts)}{_standing(member, facts, zone)}"


def _standing(member: Member, facts: Facts, zone: tzinfo) -> str:
    """Since when it is so, for how long it was, or who has it."""
    condition = member.condition
    if member.over:
        lasted = ((condition.ended_at or condition.changed_at) - condition.opened_at).total_seconds()
        return f" · after {span(lasted)}"
    if member.status is Status.SNOOZED and condition.snooze:
        until = f"until {_at(condition.snooze.until, zone)}" if condition.snooze.until else "until it changes"
        return f" · by {escape(condition.snooze.by, 40)}, {until}"
    if member.status is Status.ACKNOWLEDGED and condition.acknowledgement:
        return f" · by {escape(condition.acknowledgement.by, 40)}"
    return f" · since {_at(began(facts) or condition.opened_at, zone)}"


def _since(told: Sequence[Member], reason: Reason, zone: tzinfo) -> str:
    """Since when the first of what a line tells is so; empty where all of that is over."""
    so = [began(facts_of(member, reason)) or member.condition.opened_at for member in told if not member.over]
    return f" · since {_at(min(so), zone)}" if so else ""


def _at(instant: datetime, zone: tzinfo) -> str:
    at = instant.astimezone(zone)
    return f"{at.day} {at:%b %H:%M %Z}"
