"""The fields of a Slack message about one event: what somebody on call wants to know of this kind of thing. Pure.

At most six: those of the event's family first (contract, interview, job, source, target), then what changed, then where
it comes from. Slack shows two of them beside each other, and below each other on a phone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from monitor.targets.slack_text import escape, mrkdwn, plain
from monitor.targets.telling import Facts, FieldMove, Part, count, day, field_name, field_value, said

Json: TypeAlias = dict[str, Any]
Row: TypeAlias = tuple[str, tuple[Part, ...]]

_FIELDS = 6
_NAME, _FIELD, _VALUE, _ENTRIES = 60, 400, 120, 5


def fields_of(facts: Facts, first: Sequence[Row] = ()) -> list[Json]:
    """An event and what is to be said `first` in, at most six fields of a section out."""
    own = _FAMILIES.get(facts.kind)
    rows: list[Row] = [*first]
    if facts.state and not facts.moved:
        rows.append(("State", (facts.state,)))
    rows += own(facts) if own else _due(facts, "Deadline")
    rows += [
        (field_name(change.field), (_short(change.before), " → ", _short(change.after)))
        for change in facts.changes
        if not _said_already(facts, change)
    ]
    last = _origin(facts)
    shown = rows[: _FIELDS - len(last)]
    if len(rows) > len(shown):
        shown = [*shown[:-1], ("And", (f"{count(len(rows) - len(shown) + 1, 'more change')}",))]
    return [
        {"type": "mrkdwn", "text": f"*{escape(name, _NAME)}*\n{mrkdwn(parts, _FIELD) or '–'}", "verbatim": True}
        for name, parts in [*shown, *last]
    ]


def _contract(facts: Facts) -> list[Row]:
    rows = _due(facts, "Ends")
    if "notice_by" in facts.details:
        rows.append(("Notice by", (day(facts.details["notice_by"]),)))
    if facts.details.get("renewal"):
        rows.append(("Renewal", (plain(said(facts.details["renewal"]), _VALUE),)))
    return rows


def _interview(facts: Facts) -> list[Row]:
    start = facts.fields.get("start_at")
    rows = _due(facts, "Starts")
    if not rows and start and not any(change.field == "start_at" for change in facts.changes):
        rows = [("Starts", (field_value(start),))]
    where = [said(facts.fields[name]).replace("_", " ") for name in ("kind", "location") if facts.fields.get(name)]
    return [*rows, ("Where", (", ".join(where),))] if where else rows


def _job(facts: Facts) -> list[Row]:
    rows = _due(facts, "Due")
    due = facts.fields.get("deadline_time")
    if not rows and due and not any(change.field == "deadline_time" for change in facts.changes):
        rows = [("Due", (field_value(due),))]
    return rows


def _source(facts: Facts) -> list[Row]:
    return _of_details(facts, ("Since", "since"), ("Scans failed", "failed_scans"), ("Reason", "reason"))


def _target(facts: Facts) -> list[Row]:
    rows = _of_details(facts, ("Since", "since"), ("Attempts failed", "failures"))
    answer = facts.details.get("status")
    # Slack refuses with 200: beside the reason that would read as if all were well.
    if not (isinstance(answer, int) and 200 <= answer < 300):
        rows += _of_details(facts, ("Last answer", "status"))
    events = facts.details.get("events")
    if isinstance(events, list) and events:
        others = f" and {count(len(events) - 1, 'other')}" if len(events) > 1 else ""
        rows.append(("Not told yet", (f"{plain(said(events[0]), _VALUE)}{others}",)))
    return rows


_FAMILIES: Mapping[str, Callable[[Facts], list[Row]]] = MappingProxyType(
    {"contract": _contract, "interview": _interview, "job": _job, "source": _source, "target": _target}
)


def _due(facts: Facts, name: str) -> list[Row]:
    """The date or instant that the event's ladder leads to."""
    found = [facts.deadline[key] for key in ("date", "at") if facts.deadline.get(key)]
    return [(name, (field_value(one),)) for one in found]


def _of_details(facts: Facts, *wanted: tuple[str, str]) -> list[Row]:
    found = [(name, facts.details.get(key)) for name, key in wanted]
    return [(name, (_short(value),)) for name, value in found if value is not None]


def _origin(facts: Facts) -> list[Row]:
    """Which source of which provider; news about a target comes from none."""
    if facts.kind == "target":
        return [("Target", (facts.source,))]
    origin = " / ".join(name for name in (facts.provider, facts.source) if name)
    return [("Source", (origin,))] if origin else []


def _said_already(facts: Facts, change: FieldMove) -> bool:
    """Whether a changed field is the state itself, whose move is in the headline."""
    return facts.moved and (change.before, change.after) == (facts.before, facts.after)


def _short(value: Any) -> Part:
    part = field_value(value)
    return part if not isinstance(part, str) else plain(_read(value) if _nested(value) else part, _VALUE)


def _nested(value: Any) -> bool:
    return isinstance(value, list | dict)


def _read(value: Any) -> str:
    """A list or object as people read it: `ann preparer, ben reviewer and 2 more`."""
    if isinstance(value, list):
        told = ", ".join(_read(one) for one in value[:_ENTRIES])
        return (told + (f" and {len(value) - _ENTRIES} more" if len(value) > _ENTRIES else "")) or "–"
    if isinstance(value, dict):
        return " ".join(_read(one) for one in list(value.values())[:_ENTRIES] if one not in (None, "")) or "–"
    return said(value)
