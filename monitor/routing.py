"""Who receives an event: the route tree, walked as Alertmanager walks its own. Pure: an event in, decisions out.

Children are tried in order; the first that matches wins unless it says `continue`; a route takes the event
itself only when none of its children did. See https://prometheus.io/docs/alerting/latest/configuration/#route
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from typing import Any, TypeAlias

from monitor.resources import pick, present

DEFAULT_GROUP_WAIT = 10.0
SEVERITIES = ("info", "warning", "critical")
DEFAULT_SEVERITY = SEVERITIES[0]
_WARNING = (
    "expiring",
    "overdue",
    "failed",
    "stuck",
    "deadline_approaching",
    "stale",
    "removals_held",
    "credentials_expiring",
)
_CRITICAL = ("deadline_missed", "failing", "credentials_rejected", "exhausted", "disabled")


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


@dataclass(frozen=True, slots=True)
class Route:
    """One node of the tree; what is None is taken from the parent."""

    match: Match = field(default_factory=Match)
    name: str | None = None
    to: tuple[str, ...] | None = None
    continue_: bool = False
    routes: tuple[Route, ...] = ()
    group_by: tuple[str, ...] | None = None
    group_wait: float | None = None
    group_interval: float | None = None
    severity: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """One target that gets the event: by which route, in which group, and how long the group waits."""

    target: str
    route: str
    group: str
    group_wait: float
    group_interval: float
    severity: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Inherited:
    to: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    group_wait: float | None = None
    group_interval: float | None = None
    severity: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


Facts: TypeAlias = Mapping[str, Any]
Test: TypeAlias = Callable[[Facts], bool]


@dataclass(frozen=True, slots=True)
class _Node:
    path: str
    test: Test
    continue_: bool
    children: tuple[_Node, ...]
    given: _Inherited


class Router:
    """A compiled route tree; `decide` is a pure function of the event."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._nodes = tuple(_compile(route, f"routes[{index}]", _Inherited()) for index, route in enumerate(routes))

    def decide(self, event: Facts) -> list[Decision]:
        """The event as JSON values in, one decision a target out, in route order; empty when no route takes it."""
        taken = _walk(self._nodes, event)
        first: dict[str, Decision] = {}
        for node in taken:
            for target in node.given.to:
                first.setdefault(target, _decision(node, target, event))
        return list(first.values())


def default_severity(type_: str) -> str:
    """The severity of an event type when no route says otherwise."""
    what = type_.rsplit(".", 1)[-1]
    return "critical" if what in _CRITICAL else "warning" if what in _WARNING else DEFAULT_SEVERITY


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


def _compile(route: Route, path: str, parent: _Inherited) -> _Node:
    given = _Inherited(
        to=parent.to if route.to is None else route.to,
        group_by=parent.group_by if route.group_by is None else route.group_by,
        group_wait=parent.group_wait if route.group_wait is None else route.group_wait,
        group_interval=parent.group_interval if route.group_interval is None else route.group_interval,
        severity=route.severity or parent.severity,
        labels={**parent.labels, **route.labels},
    )
    children = tuple(_compile(child, f"{path}.routes[{index}]", given) for index, child in enumerate(route.routes))
    return _Node(route.name or path, _compile_match(route.match), route.continue_, children, given)


def _walk(nodes: Sequence[_Node], event: Facts) -> list[_Node]:
    taken: list[_Node] = []
    for node in nodes:
        if not node.test(event):
            continue
        taken += _walk(node.children, event) or [node]
        if not node.continue_:
            break
    return taken


def _decision(node: _Node, target: str, event: Facts) -> Decision:
    given = node.given
    severity = given.severity or default_severity(str(event.get("type")))
    wait = DEFAULT_GROUP_WAIT if given.group_wait is None else given.group_wait
    return Decision(
        target=target,
        route=node.path,
        group=_group(node, event, severity),
        group_wait=wait,
        group_interval=wait if given.group_interval is None else given.group_interval,
        severity=severity,
        labels=given.labels,
    )


def _group(node: _Node, event: Facts, severity: str) -> str:
    """The group's key: the route and the values of `group_by`; `...` gives every event a group of its own."""
    names = node.given.group_by
    if names == ("...",):
        return f"{node.path}\x1f{event.get('id')}"
    values = [str(_group_value(name, node, event, severity)) for name in names]
    return "\x1f".join([node.path, *values])


def _group_value(name: str, node: _Node, event: Facts, severity: str) -> Any:
    data = event.get("data") or {}
    resource = data.get("resource") or {}
    known = {
        "type": event.get("type"),
        "severity": severity,
        "kind": resource.get("kind"),
        "state": resource.get("state"),
        "source": data.get("source"),
        "provider": data.get("provider"),
        "key": data.get("key"),
    }
    return known[name] if name in known else node.given.labels.get(name)


def group_hash(group: str) -> str:
    """A group key in, a short name for its lane out."""
    return hashlib.blake2b(group.encode(), digest_size=10).hexdigest()


def _compile_match(match: Match) -> Test:
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
