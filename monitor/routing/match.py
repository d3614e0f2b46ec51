"""What an event must be like for a route or a silence: matchers compiled once into tests. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from typing import Any, TypeAlias

from monitor.resources import pick, present

Facts: TypeAlias = Mapping[str, Any]
Test: TypeAlias = Callable[[Facts], bool]

LISTS = ("type", "source", "provider", "kind", "state")
"""What of a match is a list of words."""


@dataclass(frozen=True, slots=True)
class Match:
    """What an event must be like; each list is any-of, all that are given must agree. Empty matches all.

    `where` compares values inside `data` by dotted path with eq ne in gt gte lt lte glob exists.
    """

    type: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    where: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def compile_match(match: Match) -> Test:
    """Matchers in, one test of an event (as JSON values) out."""
    tests: list[Test] = []
    if match.type:
        patterns = [type_glob(pattern) for pattern in match.type]
        tests.append(lambda event: any(one.fullmatch(str(event.get("type"))) for one in patterns))
    named: dict[tuple[str, ...], tuple[str, ...]] = {
        ("data", "source"): match.source,
        ("data", "provider"): match.provider,
    }
    named |= {("data", "resource", "kind"): match.kind, ("data", "resource", "state"): match.state}
    tests += [_names(path, wanted) for path, wanted in named.items() if wanted]
    for path, operators in match.where.items():
        tests += [_where(path, name, operand) for name, operand in operators.items()]
    return lambda event: all(test(event) for test in tests)


def type_glob(pattern: str) -> re.Pattern[str]:
    """A glob by segment in, a pattern out: `*` is inside one segment, `**` any number of segments."""
    text, dot = "", ""
    for segment in pattern.split("."):
        if segment != "**":
            text += dot + re.escape(segment).replace(r"\*", "[^.]*")
            dot = r"\."
        else:
            text += r"(?:\.[^.]+)*" if dot else r"(?:[^.]+(?:\.|$))*"
    return re.compile(text)


def _names(path: tuple[str, ...], wanted: Sequence[str]) -> Test:
    patterns = [re.compile(translate(pattern)) for pattern in wanted]

    def test(event: Facts) -> bool:
        value: Any = event
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        return isinstance(value, str) and any(one.fullmatch(value) for one in patterns)

    return test


def _where(path: str, operator: str, operand: Any) -> Test:
    compare = _OPERATORS[operator]
    if operator == "exists":
        return lambda event: (
            (present(event.get("data") or {}, path) and pick(event["data"], path) is not None) == operand
        )
    return lambda event: compare(pick(event.get("data") or {}, path), operand)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Numbers compare with numbers and text with text; anything else is no match rather than an error."""

    def test(value: Any, operand: Any) -> bool:
        numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (value, operand))
        return (numbers or (isinstance(value, str) and isinstance(operand, str))) and compare(value, operand)

    return test


def _equal(value: Any, operand: Any) -> bool:
    """Numbers by their worth, but true is not 1."""
    return bool(value == operand) and isinstance(value, bool) == isinstance(operand, bool)


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    "ne": lambda value, operand: not _equal(value, operand),
    "in": lambda value, operand: any(_equal(value, one) for one in operand),
    "gt": _ordered(lambda value, operand: value > operand),
    "gte": _ordered(lambda value, operand: value >= operand),
    "lt": _ordered(lambda value, operand: value < operand),
    "lte": _ordered(lambda value, operand: value <= operand),
    "glob": lambda value, operand: (
        isinstance(value, str) and re.compile(translate(operand)).fullmatch(value) is not None
    ),
    "exists": lambda value, operand: (value is not None) == operand,
}
