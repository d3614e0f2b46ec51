"""What people did about a condition, as a line of its Slack thread. Pure.

Who acted is a name, not a mention: it is escaped like all other text, and pings nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.conditions import Status
from monitor.grouping.message import Act, Member, News, Remark
from monitor.moments import stamp
from monitor.targets.slack_actions import CLICKED
from monitor.targets.slack_text import escape, mrkdwn, plain
from monitor.targets.telling import Moment, Part, count, plain_text, read

_NAME, _COMMENT, _TITLE, _SHORT, _LINE = 60, 200, 120, 50, 380
_NAMED = 3
_SIGNS = {Act.ACKNOWLEDGED: "🟡", Act.SNOOZED: "💤", Act.SILENCED: "🔕"}
_OVER = frozenset({Act.SNOOZE_OVER, Act.QUIET_OVER})


def only_remarks(member: Member) -> bool:
    """Whether what people did is all that is new about a condition."""
    return bool(member.remarks) and member.news in (News.ATTENDED, News.SAME) and not member.escalated


def remark_lines(member: Member, sign: str, title: str, sentence: Sequence[Part]) -> list[str]:
    """A condition with what people did about it in, a line of mrkdwn for each out.

    `sign` is that of its state, `title` is empty where the thread is about nothing else. `sentence` says what is so:
    it is told with what is open again.
    """
    lines = []
    for one in member.remarks:
        parts, about = _words(one, member), ""
        if one.act in _OVER and member.status is Status.OPEN and only_remarks(member):
            parts = [*parts, " ", *sentence]
        elif title:
            about = f"{escape(plain(title, _TITLE), _TITLE)}: "
        lines.append(f"{_SIGNS.get(one.act, sign)} {about}{mrkdwn(parts, _LINE)}")
    return lines


def told_at_once(told: Sequence[Member]) -> tuple[list[Member], list[list[Member]]]:
    """Conditions in; those that get lines of their own, and those about which the same was said, together, out."""
    same: dict[tuple[str, ...], list[Member]] = {}
    for member in told:
        if only_remarks(member) and len(member.remarks) == 1 and member.remarks[0].act not in _OVER:
            one = member.remarks[0]
            same.setdefault((one.act, one.by, str(one.until), one.comment, member.status), []).append(member)
    together = [those for those in same.values() if len(those) > 1]
    folded = {id(member) for those in together for member in those}
    return [member for member in told if id(member) not in folded], together


def together_line(those: Sequence[Member], sign: str) -> str:
    """Conditions about which the same was said in, the line that says it once out, with some of them by name.

    `sign` is that of the first one's state.
    """
    first = those[0]
    titles = [escape(_title(member), _SHORT) for member in those[:_NAMED]]
    more = f" and {len(those) - _NAMED} more" if len(those) > _NAMED else ""
    # What people wrote ends as they ended it.
    words = mrkdwn(_words(first.remarks[0], first), _LINE).rstrip(".")
    about = f"{count(len(those), 'condition')}: {', '.join(titles)}{more}."
    return f"{_SIGNS.get(first.remarks[0].act, sign)} {words} · {about}"


def acts_line(told: Sequence[Member], sign: str) -> str | None:
    """Conditions of which something is told in, the line for phones where that is what people did and nothing else.

    `sign` is that of the first one's state.
    """
    if not told or not all(map(only_remarks, told)):
        return None
    first = told[0]
    words = plain_text(_words(first.remarks[-1], first))
    more = f" and {count(len(told) - 1, 'other')}" if len(told) > 1 else ""
    return f"{sign} {escape(_title(first), 80)}{more}: {escape(words, 280)}"


def _title(member: Member) -> str:
    return plain(read(member.condition.event_bytes).title, _TITLE)


def _words(one: Remark, member: Member) -> list[Part]:
    by = f" by {plain(one.by, _NAME)}" if one.by else ""
    at: list[Part] = [" at ", Moment(stamp(one.at))] if one.at else []
    until: list[Part] = [" until ", Moment(stamp(one.until))] if one.until else []
    why = f": {plain(one.comment, _COMMENT)}" if one.comment not in ("", CLICKED) else "."
    match one.act:
        case Act.ACKNOWLEDGED:
            return [f"Acknowledged{by}", *at, f", until it gets worse{why}"]
        case Act.SNOOZED:
            return [f"Snoozed{by}", *(until or [" until it changes"]), why]
        case Act.SILENCED:
            return [f"Silenced{by}", *until, why]
        case Act.TAKEN_BACK:
            return [f"Taken back{by}", *at, f", nobody has it now{why}"]
        case Act.SNOOZE_OVER:
            return [f"The snooze{by} is over, {_still(member)}."]
        case Act.QUIET_OVER:
            return [f"It is not kept quiet any more, {_still(member)}."]


def _still(member: Member) -> str:
    taken = member.condition.acknowledgement
    if member.status is Status.ACKNOWLEDGED and taken:
        return f"acknowledged by {plain(taken.by, _NAME)}"
    return "still open"
