"""A group of conditions in, the JSON of its Slack message and of the reply in its thread out. Pure.

The message shows what is so now and is edited in place; the replies under it are what happened. Limits and escaping
are those of `slack_blocks` and `slack_text`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Any, TypeAlias

from monitor.conditions import Status
from monitor.grouping.message import Group, Member, News, Reason
from monitor.moments import stamp
from monitor.targets.slack_actions import buttons, reference_of
from monitor.targets.slack_blocks import (
    context,
    header,
    ids_of,
    late_words,
    lines_in_sections,
    rule_of,
    section,
)
from monitor.targets.slack_fields import fields_of
from monitor.targets.slack_lines import began, headline, joint, loud, news_first, news_line, state_of, title_of
from monitor.targets.slack_remarks import acts_line, only_remarks, remark_lines, together_line, told_at_once
from monitor.targets.slack_text import mrkdwn, plain
from monitor.targets.standing import facts_of, move_of, owner, since
from monitor.targets.telling import Facts, Moment, Part, Strong, span, tell

Json: TypeAlias = dict[str, Any]

LISTED = 10
_SENTENCE = 1500
_LINE = 260
_STANDS, _WAS = 600, 400


def parent(group: Group, *, clicks: bool, before: str | None = None, zone: tzinfo = UTC) -> Json:
    """A group with members in, `text` and `blocks` of its message out.

    `before` links to the one it had last time. `zone` is that of instants in the text; blocks show the reader's.
    """
    one = group.members[0] if len(group.members) == 1 else None
    blocks = _one(group, one, clicks=clicks) if one else _several(group, clicks=clicks)
    return {"text": headline(group, zone), "blocks": [*blocks, *_link_before(before)]}


def reply(
    group: Group, others: Sequence[Facts], mention: str | None, *, alone: bool = False, zone: tzinfo = UTC
) -> Json | None:
    """A group in, what has happened to it since its last message out, for its thread; None where there is no news.

    `others` are occurrences that came along. `mention` comes from the config alone, and is the one thing that pings.
    `alone` says that the message above was posted just now and tells of the conditions itself.
    """
    repeated = group.reason in {Reason.REPEAT, Reason.ESCALATION}
    told = [
        member
        for member in group.members
        if member.news is not News.SAME or (repeated and member.status is Status.OPEN and not member.over)
    ]
    # Of an escalation only what is due: the others are not late yet, or were escalated before.
    due = [member for member in told if member.escalated]
    if group.reason is Reason.ESCALATION and due:
        told = [*due, *(member for member in told if not member.escalated and member.news is not News.SAME)]
    if alone and not mention:
        told = due = []
    ends = {member.condition.ended_event for member in group.members if member.over}
    others = [one for one in others if one.id not in ends]
    apart, together = told_at_once(told)
    lines = [
        *(together_line(those, state_of(those[0])[0]) for those in together[:LISTED]),
        *(line for member in apart[:LISTED] for line in _news_of(member, group)),
        *_lines_of(others),
    ]
    if left := len(apart[LISTED:]) + sum(map(len, together[LISTED:])):
        lines.append(f"… and {left} more")
    if not lines:
        return None
    opening = _opening(group)
    said = [f"{mention} {opening}".strip() if mention else opening, *lines]
    acts = acts_line(told, state_of(told[0])[0]) if told and not others else None
    text = (f"{mention} " if mention else "") + (acts or news_line(group, due or told, others, zone))
    return {"text": text, "blocks": lines_in_sections([line for line in said if line])}


def beside(others: Sequence[Facts]) -> list[Json]:
    """Occurrences that came along with a group in, the blocks about them out."""
    return lines_in_sections(_lines_of(others)) if others else []


def standing_line(member: Member) -> str:
    """A condition in, the line about it as it stands now out, for messages about more than its group."""
    # However late it is said: how long was left when its event was made is not so any more.
    return _listed(member, Reason.SILENCE_ENDED)


def _one(group: Group, member: Member, *, clicks: bool) -> list[Json]:
    condition = member.condition
    facts = facts_of(member, group.reason)
    sign, word = state_of(member)
    move = plain(move_of(member, facts), 50)
    body = section(_story(member, facts, [], _SENTENCE, facts.url))
    # Of what is over, the fields of its last event are not so any more.
    lasting = replace(facts, state=None, deadline={}, details={}, fields={}, changes=()) if member.over else facts
    body["fields"] = fields_of(lasting, [("Severity", (member.severity,)), *_owner(member)])
    return [
        header(f"{sign} {loud(member)}{word}: {plain(facts.title, 70)}{joint(move)}{move}"),
        body,
        *buttons(
            "" if member.over else condition.id,
            facts.url,
            _runbook(group),
            clicks=clicks,
            acknowledged=member.status is Status.ACKNOWLEDGED,
        ),
        context(
            [*rule_of(facts), f"route {group.route}", facts.id, *_numbers(group, [member]), *late_words(group.late)]
        ),
    ]


def _several(group: Group, *, clicks: bool) -> list[Json]:
    sign, title = title_of(group)
    shown = news_first(group.members)[:LISTED]
    lines = [_listed(member, group.reason) for member in shown]
    if len(group.members) > LISTED:
        lines.append(f"… and {len(group.members) - LISTED} more")
    carried = reference_of([(one.condition.id, one.condition.at) for one in group.open], group.key)
    attended = bool(carried) and all(member.status is not Status.OPEN for member in group.open)
    return [
        header(f"{sign} {title}"),
        *lines_in_sections(lines),
        *buttons(carried, None, _runbook(group), clicks=clicks, acknowledged=attended),
        context(
            [
                _kinds(group),
                f"route {group.route}",
                ids_of([member.condition.event for member in group.members]),
                *_numbers(group, group.members),
                *late_words(group.late),
            ]
        ),
    ]


def _listed(member: Member, reason: Reason) -> str:
    facts = facts_of(member, reason)
    sign, word = state_of(member)
    url = _short_url(facts)
    return f"{sign} {_story(member, facts, [f'{word}: '], _LINE + (len(url) if url else 0), url)}"


def _story(member: Member, facts: Facts, opening: Sequence[Part], limit: int, url: str | None) -> str:
    """What is so of a condition in one sentence, and since when or for how long where that sentence does not say it.

    What is long is cut there: who has it, since when and until when are told in full.
    """
    if member.over:
        was = mrkdwn([f" It was: {plain(tell(facts).move, 120)}."], _WAS)
        return mrkdwn([*opening, Strong(facts.title), "."], limit, url) + mrkdwn(since(member), _STANDS) + was
    told = list(tell(facts).sentence)
    sentence = mrkdwn([*opening, *told], limit, url)
    plainly = member.status is Status.OPEN and not member.silenced_by and not member.held
    dated = member.news is News.NEW and any(isinstance(part, Moment) for part in told)
    if plainly and (dated or began(facts)):
        return sentence
    ended = isinstance(told[-1], str) and told[-1].endswith((".", "!", "?", "…"))
    return sentence + ("" if ended else " ·") + mrkdwn(since(member), _STANDS)


def _news_of(member: Member, group: Group) -> list[str]:
    """The lines of the thread about one condition: what is new, and what people did about it."""
    facts = facts_of(member, group.reason)
    title = facts.title if len(group.members) > 1 else ""
    acts = remark_lines(member, state_of(member)[0], title, tell(facts).sentence)
    return acts if only_remarks(member) else [_happened(member, group.reason), *acts]


def _happened(member: Member, reason: Reason) -> str:
    """One line of the thread: what is new about a condition."""
    facts = facts_of(member, reason)
    sign, word = state_of(member)
    parts: list[Part] = [f"{word}: ", *tell(facts).sentence]
    if member.over:
        parts = [f"{word}: {plain(facts.title, 120)}.", *since(member)]
    elif member.news is News.ATTENDED:
        parts = [f"{plain(facts.title, 120)}.", *since(member)]
    elif reason is Reason.REPEAT:
        parts += [" Open since ", Moment(stamp(member.condition.opened_at)), "."]
    if member.times > 1 and not member.over:
        parts.append(f" ({_ordinal(member.times)} time in 2 h)")
    url = _short_url(facts)
    return f"{sign} {mrkdwn(parts, _LINE + 120 + (len(url) if url else 0), url)}"


def _lines_of(others: Sequence[Facts]) -> list[str]:
    lines = [f"• {mrkdwn(tell(facts).sentence, _LINE, _short_url(facts))}" for facts in others[:LISTED]]
    return lines + ([f"… and {len(others) - LISTED} more"] if len(others) > LISTED else [])


def _opening(group: Group) -> str:
    words = {
        Reason.ESCALATION: "*Nobody has taken this yet:*",
        Reason.REPEAT: "*Still open:*",
        Reason.WORSE: "*It got worse:*",
    }
    return words.get(group.reason, "")


def _owner(member: Member) -> list[tuple[str, tuple[Part, ...]]]:
    by = owner(member)
    return [("Owner", (by,))] if by else []


def _numbers(group: Group, members: Sequence[Member]) -> list[str]:
    """How often it came, and when it is told again."""
    most = max((member.times for member in members), default=1)
    told = [f"{_ordinal(most)} time in 2 h"] if most > 1 else []
    if group.reason is Reason.REPEAT:
        told.append("reminder")
    if group.again_in is not None and group.open:
        told.append(f"told again in {span(group.again_in)}")
    return told


def _kinds(group: Group) -> str:
    names = Counter(member.condition.type for member in group.members).most_common()
    return ", ".join(f"{number} × {name}" for name, number in names[:3]) + (", …" if len(names) > 3 else "")


def _link_before(before: str | None) -> list[Json]:
    if before is None:
        return []
    linked = {"type": "mrkdwn", "text": f"<{before}|What it was last time>", "verbatim": True}
    return [{"type": "context", "elements": [linked]}]


def _runbook(group: Group) -> str | None:
    labels: Mapping[str, str] = group.labels
    return labels.get("runbook")


def _short_url(facts: Facts) -> str | None:
    return facts.url if facts.url and len(facts.url) <= 120 else None


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
