"""Which events open a condition, and what ends it; every other event is an occurrence. Pure declarations.

What a family says of its end is what holds for it; `monitor.conditions.ending` looks whether it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

Lasts: TypeAlias = Literal["state", "rule", "until told", "credentials", "removals", "disabled"]


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of condition: the event types that open or move it, the mildest first, and how it ends.

    `lasts` says what it lasts as long as: the `state` of its resource, a `rule` about dates or stays, or until an
    event in `closed_by` about the same thing tells of its end (`until told`); the other words name facts about
    sources and targets that no event tells the end of. Types may begin with `*.*` for any kind of any provider
    and `*` for any provider. `ends` says it for people. `again` marks that the same type told once more is worse.
    """

    name: str
    opens: tuple[str, ...]
    lasts: Lasts
    ends: str
    closed_by: tuple[str, ...] = ()
    again: bool = False


_OVER = ("jobwire.source.recovered",)

FAMILIES: tuple[Family, ...] = (
    Family(
        "contract_end",
        ("*.contract.expiring", "*.contract.overdue"),
        "rule",
        "its end date has moved out of the ladder, it is not active any more, or it is gone",
    ),
    Family("interview_overdue", ("*.interview.overdue",), "rule", "it is not pending any more, has moved, or is gone"),
    Family(
        "deadline",
        ("*.*.deadline_approaching", "*.*.deadline_missed"),
        "rule",
        "the deadline has moved out of the ladder, the job is not open any more, or it is gone",
    ),
    Family("failed", ("*.job.failed",), "state", "the job has left the state, or is gone", again=True),
    Family("stuck", ("*.*.stuck",), "rule", "it has left the state, has moved on in it, or is gone"),
    Family(
        "source_failing",
        ("jobwire.source.failing", "jobwire.source.credentials_rejected"),
        "until told",
        "a complete scan again",
        _OVER,
    ),
    Family("source_stale", ("jobwire.source.stale",), "until told", "a complete scan again", _OVER),
    Family(
        "credentials_expiring",
        ("jobwire.source.credentials_expiring",),
        "credentials",
        "the config has a token that ends later",
    ),
    Family("removals_held", ("jobwire.source.removals_held",), "removals", "they are back, released or discarded"),
    Family(
        "target_failing", ("jobwire.target.failing",), "until told", "an attempt arrived", ("jobwire.target.recovered",)
    ),
    Family(
        "target_disabled",
        ("jobwire.target.disabled",),
        "disabled",
        "the target is enabled again",
    ),
)

MERELY_ENDS = frozenset({"jobwire.source.recovered", "jobwire.target.recovered"})
"""Events that say nothing but that a condition is over: not told where the condition itself was not."""

QUIETS: dict[str, tuple[str, ...]] = {"stuck": ("source_failing", "source_stale")}


@lru_cache(maxsize=4096)
def family_of(type_: str) -> Family | None:
    """An event type in, the family of the condition that it opens or moves out; None for an occurrence."""
    words = type_.split(".")
    if len(words) != 3:
        return None
    return _BY_TYPE.get(type_) or _BY_TYPE.get(f"*.{words[1]}.{words[2]}") or _BY_TYPE.get(f"*.*.{words[2]}")


def grade(family: Family, type_: str) -> int:
    """How far a type stands in its family, 0 for the mildest."""
    what = type_.rsplit(".", 1)[-1]
    return next((index for index, one in enumerate(family.opens) if one.rsplit(".", 1)[-1] == what), 0)


def closed_by(type_: str) -> tuple[Family, ...]:
    """The families whose end an event of this type tells, whatever else is so."""
    return _BY_CLOSING.get(type_, ())


_BY_TYPE = {type_: family for family in FAMILIES for type_ in family.opens}
_BY_NAME = {family.name: family for family in FAMILIES}
_BY_CLOSING = {
    type_: tuple(family for family in FAMILIES if type_ in family.closed_by)
    for type_ in sorted({type_ for family in FAMILIES for type_ in family.closed_by})
}


def named(name: str) -> Family | None:
    """The family of this name, None when a later version has given it up."""
    return _BY_NAME.get(name)
