"""Whether a condition is over, by what an event or the store says of the thing it is about. Pure.

Every end has a witness: an event about the same resource, its parent's removal, a source's or target's news, or,
where nothing tells, what the store and the config hold (`over_by_facts`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

import msgspec

from monitor.conditions.condition import Condition
from monitor.conditions.families import closed_by, named
from monitor.moments import parse_date, parse_instant


@dataclass(frozen=True, slots=True)
class Sight:
    """A resource as it is now: its state, its fields, whether it is gone."""

    state: str | None
    fields: Mapping[str, Any] = field(default_factory=dict)
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a source or target without any event: what lasts now, and when a fixed token ends."""

    holding: frozenset[str] = frozenset()
    expires_at: datetime | None = None


Standing: TypeAlias = Callable[[Condition, Sight, datetime], str | None]
"""The event type that a resource's dates, or its stay in a state, call for at this moment; None when for none."""


def keys_of(event: Mapping[str, Any]) -> Iterator[str]:
    """What an event may end conditions of: its own key, and what is removed along with it."""
    data = event["data"]
    yield str(data["key"])
    if str(event["type"]).endswith(".removed"):
        for related in data.get("related") or ():
            yield str(related["key"])


def over_by_event(condition: Condition, event: Mapping[str, Any], standing: Standing, now: datetime) -> str | None:
    """An open condition and an event that concerns its key in; why it is over, None while it is not."""
    family = named(condition.family)
    if family is None:
        return "this version knows no such condition"
    type_, data = str(event["type"]), event["data"]
    if family in closed_by(type_):
        return family.ends
    if type_.startswith("jobwire."):
        return None
    if type_.endswith(".removed"):
        return "it is gone" if data["key"] == condition.key else f"it went with {data['key']}"
    resource = data.get("resource")
    return over_by_sight(condition, Sight(resource["state"], resource["fields"]), standing, now) if resource else None


def over_by_sight(condition: Condition, sight: Sight, standing: Standing, now: datetime) -> str | None:
    """An open condition of a resource and how that looks now in; why the condition is over, None while it is not."""
    family = named(condition.family)
    if family is None or sight.gone:
        return "it is gone"
    if family.lasts == "state":
        was = _event_data(condition)["resource"]["state"]
        return f"the state is {sight.state or 'none'} now" if sight.state != was else None
    if family.lasts == "rule" and standing(condition, sight, now) not in _types(condition, family.opens):
        return _moved(condition, sight) or family.ends
    return None


def put_off(condition: Condition, sight: Sight) -> str | None:
    """An open condition whose date may have moved out in; why it is over as it was told, None where it is not.

    For whoever has waited: what the later date calls for would have been told by now, unless it was told before.
    """
    date = _date(_event_data(condition), sight)
    return _moved_to(condition, date.now) if date and _is_later(date.was, date.now) else None


def over_by_facts(condition: Condition, facts: Facts) -> str | None:
    """An open condition of a source or target and what is known of that in; why it is over, None while it is not."""
    family = named(condition.family)
    if family is None:
        return "this version knows no such condition"
    if family.lasts in ("removals", "disabled", "until told"):
        return None if condition.family in facts.holding else family.ends
    if family.lasts == "credentials":
        ends = parse_instant((_event_data(condition).get("details") or {}).get("expires_at"))
        renewed = facts.expires_at is not None and ends is not None and facts.expires_at > ends
        return family.ends if renewed else None
    return None


def _moved(condition: Condition, sight: Sight) -> str | None:
    """What is different now from what the condition was opened by: the state, or the date that it was about."""
    data = _event_data(condition)
    if sight.state != data["resource"]["state"]:
        return f"the state is {sight.state or 'none'} now"
    date = _date(data, sight)
    if date is None:
        return None
    if _is_later(date.was, date.now):
        return _moved_to(condition, date.now)
    field = date.field.replace("_", " ").removesuffix(" at").removesuffix(" time")
    return f"the {field} is {date.now or 'none'} now"


class _Date(NamedTuple):
    """A field with the date that a condition was told about, which has another value now."""

    field: str
    was: Any
    now: Any


def _date(data: Mapping[str, Any], sight: Sight) -> _Date | None:
    """The date of an event's deadline as it was then and is now; None where it is the same, or there is none."""
    deadline = data.get("deadline") or {}
    told = deadline.get("date") or deadline.get("at")
    for name, value in data["resource"]["fields"].items() if told else ():
        about = value == told or (parse_instant(value) is not None and parse_instant(value) == parse_instant(told))
        if about and sight.fields.get(name) != value:
            return _Date(name, value, sight.fields.get(name))
    return None


def _is_later(was: Any, now: Any) -> bool:
    """Whether the second of two dates or two instants is later; False where they cannot be compared."""
    for read in (parse_instant, parse_date):
        first, second = read(was), read(now)
        if first is not None and second is not None:
            return second > first
    return False


def _moved_to(condition: Condition, value: Any) -> str:
    """`extended to 30 Sep 2026`."""
    at, day = parse_instant(value), parse_date(value)
    shown = f"{day.day} {day:%b %Y}" if day else f"{at.day} {at:%b %Y %H:%M} UTC" if at else str(value)
    return f"{'extended' if condition.family == 'contract_end' else 'moved'} to {shown}"


def _event_data(condition: Condition) -> Mapping[str, Any]:
    data: Mapping[str, Any] = msgspec.json.decode(condition.body)["data"]
    return data


def _types(condition: Condition, opens: Iterable[str]) -> set[str]:
    """The event types of a family as this provider and kind write them."""
    provider, kind, _ = condition.type.split(".")
    return {f"{provider}.{kind}.{one.rsplit('.', 1)[-1]}" for one in opens}
