"""What happened to a resource, in words: one event in, its tone, a short move and one sentence out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from monitor.moments import parse_instant
from monitor.targets.telling.facts import Facts, FieldMove
from monitor.targets.telling.monitor import tell_monitor
from monitor.targets.telling.words import Moment, Part, Said, Strong, Tone, count, day, days, in_utc, said, span
from monitor.values import parse_duration

_CRITICAL = frozenset({"failed"})
_GOOD = frozenset({"completed", "verified"})


def tell(facts: Facts) -> Said:
    """An event in, its words out: its family's own sentence, else that of its state, else that of its changes."""
    if facts.of_monitor:
        return tell_monitor(facts)
    own = _TOLD.get(f"{facts.kind}.{facts.what}") or _TOLD.get(facts.what)
    return own(facts) if own else _state(facts) if facts.moved else _updated(facts)


def field_value(value: Any) -> Part:
    """A field's value as a part: an instant as a moment, a date as a day, the rest as people read it."""
    return Moment(value) if isinstance(value, str) and parse_instant(value) else day(value)


def field_name(path: str) -> str:
    """`job.company.name` in, `Job company name` out."""
    words = path.replace("_", " ").replace(".", " ").strip()
    return words[:1].upper() + words[1:]


def _subject(facts: Facts) -> tuple[Part, ...]:
    """The resource as a sentence begins with it; its kind is said where the title does not."""
    named = facts.kind == "job_driver" or facts.title.lower().startswith(facts.kind.lower())
    return (Strong(facts.title),) if named else (f"{field_name(facts.kind)} ", Strong(facts.title))


def _when(facts: Facts) -> tuple[Part, ...]:
    """When it happened as the provider says, else when the monitor saw it."""
    return (" at ", Moment(facts.occurred_at)) if facts.occurred_at else (", seen at ", Moment(facts.seen_at))


def _late(facts: Facts) -> str:
    """A word about a rung that is told after it was due.

    What is told on the very day, or as soon as it could be known, is not late for people.
    """
    late, left = facts.deadline.get("late"), facts.deadline.get("days_left")
    today = facts.deadline.get("rung") == ("overdue" if left == -1 else f"{left}d")
    if late in {None, "", "0s"} or today or "known_at" in facts.details:
        return ""
    try:
        return f" This is told {span(parse_duration(late))} late."
    except ValueError:
        return f" This is told {late} late."


def _state(facts: Facts) -> Said:
    tone = Tone.CRITICAL if facts.what in _CRITICAL else Tone.GOOD if facts.what in _GOOD else Tone.NEWS
    if facts.after is None:
        move, verb = f"{facts.before} → no state", f" has no state any more, it was {facts.before}"
    elif facts.before is None:
        move, verb = f"→ {facts.after}", f" is now {facts.after}"
    else:
        move, verb = f"{facts.before} → {facts.after}", f" went from {facts.before} to {facts.after}"
    return Said(tone, move, (*_subject(facts), verb, *_when(facts), "."))


def _updated(facts: Facts) -> Said:
    names = [field_name(change.field).lower() for change in facts.changes]
    told = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return Said(
        Tone.NEWS,
        f"{told or 'it'} changed",
        (*_subject(facts), f" changed: {told or 'see the event'}", *_when(facts), "."),
    )


def _created(facts: Facts) -> Said:
    state = f", {facts.state}" if facts.state else ""
    brought = f" It came with {count(len(facts.related), 'more resource')}." if facts.related else ""
    return Said(Tone.NEWS, f"new{state}", (*_subject(facts), f" is new{state}", *_when(facts), f".{brought}"))


def _removed(facts: Facts) -> Said:
    was = f" It was {facts.before}." if facts.before else ""
    gone = f" {count(len(facts.related), 'resource')} went with it." if facts.related else ""
    sentence = (*_subject(facts), " is gone from ", facts.source, ", seen at ", Moment(facts.seen_at))
    return Said(Tone.NEWS, f"{facts.before} → removed" if facts.before else "removed", (*sentence, f".{was}{gone}"))


def _restored(facts: Facts) -> Said:
    state = f", {facts.state}" if facts.state else ""
    return Said(Tone.NEWS, f"back{state}", (*_subject(facts), f" is back{state}", *_when(facts), "."))


def _expiring(facts: Facts) -> Said:
    left, date = days(facts.deadline.get("days_left")), day(facts.deadline.get("date"))
    standing = str(facts.details.get("renewal"))
    renewal, in_short = _renewal(facts), {"pending": ", renewal pending", "agreed": ", renewed"}.get(standing, "")
    notice = f" Notice must be given by {day(facts.details['notice_by'])}." if "notice_by" in facts.details else ""
    return Said(
        Tone.WARNING,
        f"ends {left or f'on {date}'}{in_short}",
        (
            *_subject(facts),
            f" ends {f'{left}, ' if left else ''}on ",
            Strong(date),
            f".{renewal}{notice}{_late(facts)}",
        ),
    )


def _renewal(facts: Facts) -> str:
    """What follows on a contract that comes to its end, as a sentence; empty when nothing does."""
    offers = "; ".join(f"{said(one.get('title'))}{_term(one)}" for one in facts.related)
    begun = {
        "agreed": "It is renewed",
        "gap": "A renewal is on offer, but it does not follow at once",
        "rejected": "The renewal was rejected",
    }.get(str(facts.details.get("renewal")), "A renewal is on offer")
    return f" {begun}: {offers}." if offers else ""


def _contract_overdue(facts: Facts) -> Said:
    ago, date = days(facts.deadline.get("days_left")), day(facts.deadline.get("date"))
    sentence = (
        *_subject(facts),
        f" ended {f'{ago}, ' if ago else ''}on ",
        Strong(date),
        f", and is still {said(facts.state)}.{_late(facts)}",
    )
    return Said(Tone.CRITICAL, f"ended {ago or f'on {date}'}, still {said(facts.state)}", sentence)


def _renewal_offered(facts: Facts) -> Said:
    offers = "; ".join(f"{said(one.get('title'))}{_term(one)}" for one in facts.related)
    return Said(
        Tone.GOOD, "renewal offered", (*_subject(facts), f" has a renewal on offer{f': {offers}' if offers else ''}.")
    )


def _term(related: Mapping[str, Any]) -> str:
    fields = related.get("fields")
    dates = [fields.get("start_date"), fields.get("end_date")] if isinstance(fields, dict) else []
    return f", from {day(dates[0])} to {day(dates[1])}" if all(dates) and dates else ""


def _upcoming(facts: Facts) -> Said:
    left = span(facts.deadline.get("seconds_left"))
    sentence = (
        *_subject(facts),
        f" starts in {left}, at ",
        Moment(said(facts.deadline.get("at"))),
        f"{_place(facts)}.{_late(facts)}",
    )
    return Said(Tone.WARNING, f"starts in {left}", sentence)


def _interview_overdue(facts: Facts) -> Said:
    sentence = (*_subject(facts), " should have taken place at ", Moment(said(facts.deadline.get("at"))))
    return Said(
        Tone.CRITICAL,
        f"overdue, still {said(facts.state)}",
        (*sentence, f" and is still {said(facts.state)}.{_late(facts)}"),
    )


def _place(facts: Facts) -> str:
    named = [facts.fields.get("kind"), facts.fields.get("location")]
    told = ", ".join(said(one).replace("_", " ") for one in named if one)
    return f" ({told})" if told else ""


def _rescheduled(facts: Facts) -> Said:
    start = _change(facts, "start_at") or _change(facts, "end_at")
    moved: tuple[Part, ...] = (" from ", field_value(start.before), " to ", field_value(start.after)) if start else ()
    return Said(Tone.NEWS, "rescheduled", (*_subject(facts), " was moved", *moved, f"{_place(facts)}."))


def _amended(facts: Facts) -> Said:
    proposed = _change(facts, "amend_start_at")
    when: tuple[Part, ...] = (": ", field_value(proposed.after)) if proposed else ()
    by = facts.fields.get("amended_by")
    who = f", by {said(by)}" if by else ""
    return Said(
        Tone.NEWS, "another time is proposed", (*_subject(facts), " has another time proposed", *when, f"{who}.")
    )


def _approaching(facts: Facts) -> Said:
    left = span(facts.deadline.get("seconds_left"))
    at = said(facts.deadline.get("at"))
    sentence = (*_subject(facts), f" is due {f'in {left}, ' if left else ''}at ", Moment(at))
    return Said(
        Tone.WARNING,
        f"due in {left}" if left else f"due at {in_utc(at)}",
        (*sentence, f", and is {said(facts.state)}.{_late(facts)}"),
    )


def _missed(facts: Facts) -> Said:
    sentence = (*_subject(facts), " was due at ", Moment(said(facts.deadline.get("at"))))
    return Said(
        Tone.CRITICAL,
        f"deadline missed, {said(facts.state)}",
        (*sentence, f" and is {said(facts.state)}.{_late(facts)}"),
    )


def _stuck(facts: Facts) -> Said:
    since = facts.details.get("since") or facts.deadline.get("at")
    when: tuple[Part, ...] = (" since ", Moment(str(since))) if since else (" for too long",)
    return Said(
        Tone.WARNING, f"stuck in {said(facts.state)}", (*_subject(facts), f" has been {said(facts.state)}", *when, ".")
    )


def _members(facts: Facts) -> Said:
    return Said(Tone.NEWS, "members changed", (*_subject(facts), " has other members now", *_when(facts), "."))


def _retried(facts: Facts) -> Said:
    number = facts.fields.get("retry_count")
    nth = f" (retry {number})" if number is not None else ""
    return Said(Tone.NEWS, f"retried{nth}", (*_subject(facts), f" was started again{nth}", *_when(facts), "."))


def _progressed(facts: Facts) -> Said:
    progress = said(facts.fields.get("progress"))
    return Said(Tone.NEWS, f"progress {progress}", (*_subject(facts), f" is at {progress}", *_when(facts), "."))


def _change(facts: Facts, field: str) -> FieldMove | None:
    return next((change for change in facts.changes if change.field == field), None)


_TOLD: Mapping[str, Callable[[Facts], Said]] = MappingProxyType(
    {
        "created": _created,
        "removed": _removed,
        "restored": _restored,
        "updated": _updated,
        "stuck": _stuck,
        "contract.expiring": _expiring,
        "contract.overdue": _contract_overdue,
        "contract.renewal_offered": _renewal_offered,
        "interview.upcoming": _upcoming,
        "interview.overdue": _interview_overdue,
        "interview.rescheduled": _rescheduled,
        "interview.amended": _amended,
        "job.deadline_approaching": _approaching,
        "job.deadline_missed": _missed,
        "job.members_changed": _members,
        "job.retried": _retried,
        "job.progressed": _progressed,
    }
)
