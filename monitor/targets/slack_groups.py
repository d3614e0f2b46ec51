"""A group of conditions in, the JSON of its Slack message and of the reply in its thread out. Pure.

The message shows what is so now and is edited in place; the replies under it are what happened. Limits and escaping
are those of `slack_blocks` and `slack_text`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from monitor.conditions import Status
from monitor.grouping.message import Group, Member, News, Reason
from monitor.moments import stamp
from monitor.targets.slack_actions import buttons
from monitor.targets.slack_blocks import context, fields_of, header, late_words, lines_in_sections, section
from monitor.targets.slack_text import escape, mrkdwn, plain
from monitor.targets.telling import Facts, Moment, Part, Tone, count, graded, read, span, tell

Json: TypeAlias = dict[str, Any]

LISTED = 10
_SENTENCE = 1500
_LINE = 260
_STATES = {
    Status.OPEN: ("🔴", "Open"),
    Status.ACKNOWLEDGED: ("🟡", "Acknowledged"),
    Status.SNOOZED: ("💤", "Snoozed"),
    Status.RESOLVED: ("🟢", "Resolved"),
    Status.EXPIRED: ("⚪", "Expired"),
}


def parent(group: Group, *, clicks: bool, before: str | None = None) -> Json:
    """A group with members in, `text` and `blocks` of its message out; `before` links to the one it had last time."""
    if len(group.members) == 1:
        return _one(group, group.members[0], clicks=clicks, before=before)
    return _several(group, clicks=clicks, before=before)


def reply(group: Group, others: Sequence[Facts], mention: str | None, *, alone: bool = False) -> Json | None:
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
    lines = [] if alone and not mention else [_happened(member, group.reason) for member in told[:LISTED]]
    lines += _lines_of(others)
    if len(told) > LISTED:
        lines.append(f"… and {len(told) - LISTED} more")
    if not lines:
        return None
    opening = _opening(group)
    said = [f"{mention} {opening}".strip() if mention else opening, *lines]
    text = (f"{mention} " if mention else "") + escape(_plain_line(group, told), 280)
    return {"text": text, "blocks": lines_in_sections([line for line in said if line])}


def beside(others: Sequence[Facts]) -> list[Json]:
    """Occurrences that came along with a group in, the blocks about them out."""
    return lines_in_sections(_lines_of(others)) if others else []


def standing_line(member: Member) -> str:
    """A condition in, the line about it as it stands now out, for messages about more than its group."""
    # However late it is said: how long was left when its event was made is not so any more.
    return _listed(member, Reason.SILENCE_ENDED)


def headline(group: Group) -> str:
    """The one line of a group that phones and screen readers get."""
    member = group.members[0]
    if len(group.members) == 1:
        facts = _facts(member, group.reason)
        sign, word = _state(member)
        loud = _loud(member)
        what = f"{escape(facts.title, 130)}: {escape(_move(member, facts), 90)}"
        return f"{sign} {loud}{word}: {what} · {escape(facts.source, 40)}"
    sign, title = _title(group)
    return f"{sign} {escape(f'{title}: {_kinds(group)}', 290)}"


def _one(group: Group, member: Member, *, clicks: bool, before: str | None) -> Json:
    condition = member.condition
    facts = _facts(member, group.reason)
    words = tell(facts)
    sign, word = _state(member)
    body = section(mrkdwn([*words.sentence, *_since(member)], _SENTENCE, facts.url))
    rows = [("Severity", (member.severity,)), *_owner(member)]
    body["fields"] = fields_of(facts, rows)
    ids = [] if member.over else [condition.id]
    blocks = [
        header(f"{sign} {word}: {plain(facts.title, 80)}: {plain(_move(member, facts), 50)}"),
        body,
        *buttons(
            ids, group.key, facts.url, _runbook(group), clicks=clicks, acknowledged=member.status is Status.ACKNOWLEDGED
        ),
        context([facts.type, f"route {group.route}", facts.id, *_numbers(group, [member]), *late_words(group.late)]),
        *_link_before(before),
    ]
    return {"text": headline(group), "blocks": blocks}


def _several(group: Group, *, clicks: bool, before: str | None) -> Json:
    sign, title = _title(group)
    shown = group.members[:LISTED]
    lines = [_listed(member, group.reason) for member in shown]
    if len(group.members) > LISTED:
        lines.append(f"… and {len(group.members) - LISTED} more")
    ids = [member.condition.id for member in group.open]
    attended = bool(ids) and all(member.status is not Status.OPEN for member in group.open)
    blocks = [
        header(f"{sign} {title}"),
        *lines_in_sections(lines),
        *buttons(ids, group.key, None, _runbook(group), clicks=clicks, acknowledged=attended),
        context([_kinds(group), f"route {group.route}", *_numbers(group, group.members), *late_words(group.late)]),
        *_link_before(before),
    ]
    return {"text": headline(group), "blocks": blocks}


def _title(group: Group) -> tuple[str, str]:
    """`🔴`, `3 of 5 open, tax`."""
    still, of = len(group.open), len(group.members)
    values = " ".join(value for value in group.values.values() if value)
    place = f", {plain(values, 80)}" if values else ""
    if not still:
        return "🟢", f"All {of} resolved{place}"
    untouched = sum(member.status is Status.OPEN for member in group.open)
    sign = "🔴" if untouched else "🟡"
    return sign, f"{still} of {of} open{place}" if still < of else f"{count(still, 'condition')} open{place}"


def _listed(member: Member, reason: Reason) -> str:
    facts = _facts(member, reason)
    sign, word = _state(member)
    parts: list[Part] = [f"{word}: ", *tell(facts).sentence, *_since(member)]
    url = _short_url(facts)
    return f"{sign} {mrkdwn(parts, _LINE + (len(url) if url else 0), url)}"


def _happened(member: Member, reason: Reason) -> str:
    """One line of the thread: what is new about a condition."""
    facts = _facts(member, reason)
    sign, word = _state(member)
    parts: list[Part] = [f"{word}: ", *tell(facts).sentence]
    if member.over:
        parts = [f"{word}: {plain(facts.title, 120)}", *_since(member)]
    elif member.news is News.ATTENDED:
        parts = [f"{plain(facts.title, 120)}", *_since(member)]
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
        Reason.SILENCE_ENDED: "*The silence is over, this is still open:*",
    }
    return words.get(group.reason, "")


def _plain_line(group: Group, told: Sequence[Member]) -> str:
    if not told:
        return f"{group.reason}"
    facts = _facts(told[0], group.reason)
    others = f" and {count(len(told) - 1, 'other')}" if len(told) > 1 else ""
    return (
        f"{_state(told[0])[1]}: {plain(facts.title, 130)}: {plain(_move(told[0], facts), 90)}{others} ({group.reason})"
    )


def _state(member: Member) -> tuple[str, str]:
    status = member.status if not member.over or member.condition.ended else Status.RESOLVED
    sign, word = _STATES[status]
    if status is Status.OPEN and graded(Tone.WARNING, member.severity) is not Tone.CRITICAL:
        sign = graded(Tone.WARNING, member.severity).sign
    return sign, word


def _facts(member: Member, reason: Reason) -> Facts:
    """What a condition stands on. Said again later, how long is left is not so any more: the date alone is told."""
    facts = read(member.condition.event_bytes)
    if reason is not Reason.SILENCE_ENDED and member.news in (News.NEW, News.WORSE, News.CHANGED):
        return facts
    lasting = {name: value for name, value in facts.deadline.items() if name in ("date", "at", "rung")}
    return replace(facts, deadline=lasting)


def _move(member: Member, facts: Facts) -> str:
    """What a condition is about in a few words; of one that is over, what ended it."""
    return (member.condition.ended_by if member.over else None) or tell(facts).move


def _loud(member: Member) -> str:
    """`Critical, ` for what is open and grave; elsewhere the state says enough."""
    return "Critical, " if member.status is Status.OPEN and member.severity == "critical" else ""


def _since(member: Member) -> list[Part]:
    """Since when, for how long, and who has it."""
    condition = member.condition
    if member.over:
        lasted = span(((condition.ended_at or condition.changed_at) - condition.opened_at).total_seconds())
        acted = f", acknowledged by {plain(condition.acknowledgement.by, 60)}" if condition.acknowledgement else ""
        why = f": {plain(condition.ended_by, 120)}" if condition.ended_by else ""
        return [f" Over after {lasted}{acted}{why}."]
    if member.status is Status.SNOOZED and condition.snooze:
        snooze = condition.snooze
        if snooze.until is None:
            return [f" Snoozed by {plain(snooze.by, 60)} until it changes."]
        return [f" Snoozed by {plain(snooze.by, 60)} until ", Moment(stamp(snooze.until)), "."]
    if member.status is Status.ACKNOWLEDGED and condition.acknowledgement:
        taken = condition.acknowledgement
        return [f" Acknowledged by {plain(taken.by, 60)} at ", Moment(stamp(taken.at)), "."]
    quiet = f" Kept quiet by {plain(member.silenced_by, 80)}." if member.silenced_by else ""
    held = " It opens and closes again and again: the next word comes when it is calm." if member.held else ""
    return [" Since ", Moment(stamp(condition.opened_at)), f".{quiet}{held}"]


def _owner(member: Member) -> list[tuple[str, tuple[Part, ...]]]:
    taken = member.condition.acknowledgement
    return [("Owner", (taken.by,))] if taken and not member.over else []


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
