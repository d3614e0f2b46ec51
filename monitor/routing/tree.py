"""The route tree, walked as Alertmanager walks its own. Pure: an event in, decisions out.

Children are tried in order; the first that matches wins unless it says `continue`; a route takes the event
itself only when none of its children did. See https://prometheus.io/docs/alerting/latest/configuration/#route
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitor.conditions.families import family_of
from monitor.intervals import Calendar, Interval
from monitor.routing.match import Facts, Match, Test, compile_match
from monitor.routing.severity import default_severity

DEFAULT_GROUP_WAIT = 10.0


@dataclass(frozen=True, slots=True)
class Escalation:
    """Who is told as well when nobody saw to a condition for `after` seconds."""

    after: float
    to: tuple[str, ...]


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
    repeat_interval: float | None = None
    mute: tuple[Interval, ...] | None = None
    active: tuple[Interval, ...] | None = None
    severity: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    escalate: Escalation | None = None


@dataclass(frozen=True, slots=True)
class Timers:
    """What holds for messages of a route, its parents heard: seconds, times of the calendar, and who is told later."""

    group_wait: float = DEFAULT_GROUP_WAIT
    group_interval: float = DEFAULT_GROUP_WAIT
    repeat_interval: float | None = None
    calendar: Calendar = field(default_factory=Calendar)
    escalate: Escalation | None = None

    @property
    def repeat(self) -> float | None:
        """How long after a message it is really repeated: looked at on ticks only, so rounded up to the next one."""
        if self.repeat_interval is None or not self.group_interval:
            return self.repeat_interval
        return -(-self.repeat_interval // self.group_interval) * self.group_interval


@dataclass(frozen=True, slots=True)
class Decision:
    """One target that gets the event: by which route, in which group, and by which timers.

    `values` are those of `group_by`, as text.
    """

    target: str
    route: str
    group: str
    group_wait: float
    group_interval: float
    severity: str
    labels: Mapping[str, str]
    values: Mapping[str, str] = field(default_factory=dict)
    timers: Timers = field(default_factory=Timers)


@dataclass(frozen=True, slots=True)
class _Inherited:
    to: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    group_wait: float | None = None
    group_interval: float | None = None
    repeat_interval: float | None = None
    mute: tuple[Interval, ...] = ()
    active: tuple[Interval, ...] = ()
    severity: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    escalate: Escalation | None = None

    def under(self, route: Route) -> _Inherited:
        """What holds inside a route that stands in this."""
        mine = {
            name: value
            for name in ("to", "group_by", "group_wait", "group_interval", "repeat_interval", "mute", "active")
            if (value := getattr(route, name)) is not None
        }
        kept = {name: getattr(self, name) for name in self.__slots__} | mine
        severity, escalate = route.severity or self.severity, route.escalate or self.escalate
        return _Inherited(
            **kept | {"severity": severity, "escalate": escalate, "labels": {**self.labels, **route.labels}}
        )

    def timers(self) -> Timers:
        """The timers that hold here."""
        wait = DEFAULT_GROUP_WAIT if self.group_wait is None else self.group_wait
        return Timers(
            group_wait=wait,
            group_interval=wait if self.group_interval is None else self.group_interval,
            repeat_interval=self.repeat_interval,
            calendar=Calendar(self.mute, self.active),
            escalate=self.escalate,
        )


@dataclass(frozen=True, slots=True)
class _Node:
    path: str
    test: Test
    continue_: bool
    children: tuple[_Node, ...]
    given: _Inherited
    timers: Timers


class Router:
    """A compiled route tree; `decide` is a pure function of the event."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._nodes = tuple(_compile(route, f"routes[{index}]", _Inherited()) for index, route in enumerate(routes))
        self._timers = {node.path: node.timers for node in _every(self._nodes)}

    def decide(self, event: Facts) -> list[Decision]:
        """The event as JSON values in, one decision a target out, in route order; empty when no route takes it.

        News about a target never goes to that target.
        """
        first: dict[str, Decision] = {}
        for node in _walk(self._nodes, event):
            for target in node.given.to:
                if target not in first and not own_news(event, target):
                    first[target] = _decision(node, target, event)
        return list(first.values())

    def timers(self, route: str) -> Timers:
        """The timers of a route by its name or path; those of no route at all when it is gone."""
        return self._timers.get(route, Timers())


def own_news(event: Facts, target: str) -> bool:
    """Whether the event is news about this very target, which would not reach it or only feed its trouble."""
    return str(event.get("type")).startswith("jobwire.target.") and event.get("subject") == f"target/{target}"


def _compile(route: Route, path: str, parent: _Inherited) -> _Node:
    given = parent.under(route)
    children = tuple(_compile(child, f"{path}.routes[{index}]", given) for index, child in enumerate(route.routes))
    test = compile_match(route.match)
    return _Node(route.name or path, test, route.continue_, children, given, given.timers())


def _every(nodes: Sequence[_Node]) -> Iterator[_Node]:
    for node in nodes:
        yield node
        yield from _every(node.children)


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
    severity = node.given.severity or default_severity(str(event.get("type")))
    values = _values(node, event, severity)
    own = _alone(event) if node.given.group_by == ("...",) else list(values.values())
    return Decision(
        target=target,
        route=node.path,
        group="\x1f".join([node.path, *own]),
        group_wait=node.timers.group_wait,
        group_interval=node.timers.group_interval,
        severity=severity,
        labels=node.given.labels,
        values=values,
        timers=node.timers,
    )


def _alone(event: Facts) -> list[str]:
    """`...` in `group_by`: a group for each condition, and for each occurrence."""
    family = family_of(str(event.get("type")))
    key = (event.get("data") or {}).get("key")
    return [str(key), family.name] if family is not None else [str(event.get("id"))]


def _values(node: _Node, event: Facts, severity: str) -> dict[str, str]:
    return {
        name: str(_value(name, node, event, severity))
        for name in node.given.group_by
        if node.given.group_by != ("...",)
    }


def _value(name: str, node: _Node, event: Facts, severity: str) -> Any:
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
