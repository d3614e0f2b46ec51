"""What a provider declares about its kinds: which fields count, how they compare, what changes are called.

Pure data, read by `diff`, `rules` and `deadlines`, so that those know no provider.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec

from monitor.resources import FieldChange, Resource

_json = msgspec.json.Encoder(order="sorted")

Shape: TypeAlias = Callable[[Any], Any]

Standing: TypeAlias = Literal["agreed", "pending", "gap", "rejected"]
"""How what follows on a resource stands: agreed on, offered in time, offered too late (or without a date), rejected."""


@dataclass(frozen=True, slots=True)
class NamedChange:
    """A change worth more than `updated`: `what` it is called when one of `fields` changed and `when` agrees."""

    what: str
    fields: frozenset[str]
    when: Callable[[FieldChange], bool] = field(default=lambda change: True)


@dataclass(frozen=True, slots=True)
class DeadlineRule:
    """A date or instant that events are told about before and after it.

    `type` is the event before (`driver_jobs.contract.expiring`), `after` the one once it has passed,
    told when the day is over (dates) or at once (instants). `field` holds the value, `unit` says whether it
    is a calendar date or an instant, `before` the default rungs in seconds, and `alive` says of a
    state whether the deadline counts in it (in any other it is disarmed). `missed` says in which of those states
    `after` is told, None: in all. `followed_by` says of this resource and one beside it how that one follows on it:
    None where it does not.
    """

    type: str
    after: str
    field: str
    unit: Literal["date", "instant"]
    before: tuple[float, ...]
    alive: Callable[[str | None], bool]
    missed: Callable[[str | None], bool] | None = None
    followed_by: Callable[[Resource, Resource], Standing | None] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource: its tracked field paths, how some of them compare, its names and deadlines.

    `states` are the documented ones; any other works the same and is told once as schema drift.
    `shapes` turn a value into what is compared (a set of ids, say); the value shown stays as sent.
    `optional` are field paths beside the tracked ones that items may leave out: their first sight is no schema drift.
    `child_of` names the kind it comes and goes with, `busy` the states in which it will soon change again.
    """

    tracked: tuple[str, ...]
    states: frozenset[str] = frozenset()
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    named: tuple[NamedChange, ...] = ()
    deadlines: tuple[DeadlineRule, ...] = ()
    child_of: str | None = None
    busy: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A second fact that a new resource brings: event `what` on the resource `ref`, naming `related` refs."""

    ref: str
    what: str
    related: tuple[str, ...]


FollowUps: TypeAlias = Callable[[Resource, Sequence[Resource]], Sequence[FollowUp]]


def no_follow_ups(_created: Resource, _siblings: Sequence[Resource]) -> Sequence[FollowUp]:
    """The common case: a new resource says nothing about its siblings."""
    return ()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything a provider declares: its name, its kinds, and what a new resource says about its siblings.

    `announces` lists what `follow_ups` may tell, as `kind.what`: functions cannot be listed in schema and docs.
    """

    provider: str
    kinds: Mapping[str, Kind]
    follow_ups: FollowUps = no_follow_ups
    announces: tuple[str, ...] = ()


def as_set(value: Any) -> Any:
    """Shape for set-like fields: a string, a list in any order, or null all compare by their members."""
    if value is None:
        return []
    members = value if isinstance(value, list) else [value]
    names = [
        (member.get("id") or member.get("value") or member) if isinstance(member, dict) else member
        for member in members
    ]
    return sorted({name if isinstance(name, str) else _json.encode(name).decode() for name in names})
