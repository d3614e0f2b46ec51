"""Why a route takes an event or does not: the walk of `monitor.routing`, told step by step. Pure.

Only the matchers that a route has are asked, one by one, by the same compiled tests that routes use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from monitor.resources import pick
from monitor.routing import Facts, Match, Route, compile_match

Outcome: TypeAlias = Literal["took", "inside", "no match", "not reached"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A matcher that an event does not fit: its name, what it wants, what the event has there."""

    route: str
    matcher: str
    wanted: Any
    found: Any


@dataclass(frozen=True, slots=True)
class Step:
    """One route of the tree: what became of the event there.

    took: it sends to its targets. inside: a route inside it took the event. no match: `failures` says why, those of
    the routes around it first. not reached: the route named by `because` took the event before and does not continue.
    """

    route: str
    path: str
    to: tuple[str, ...]
    outcome: Outcome
    failures: tuple[Failure, ...] = ()
    because: str | None = None


def trace(routes: Sequence[Route], event: Facts) -> list[Step]:
    """A route tree and an event in, every route with what became of the event there out, in the order of the file."""
    return list(_walk(routes, event, (), ("", (), None)))


def nearest(steps: Sequence[Step], target: str) -> Step | None:
    """Of the routes that send to a target and did not, the one that lacks least; None where none sends to it."""
    missed = [one for one in steps if target in one.to and one.outcome != "took"]
    return min(missed, key=lambda one: (len(one.failures), one.outcome == "no match"), default=None)


_Above: TypeAlias = tuple[str, tuple[Failure, ...], str | None]
"""What holds around routes: their path, what the event does not fit there, who took it before."""


def _walk(routes: Sequence[Route], event: Facts, to: tuple[str, ...], above: _Above) -> Iterator[Step]:
    path, failed, because = above
    for index, route in enumerate(routes):
        own = f"{path}.routes[{index}]" if path else f"routes[{index}]"
        called = route.name or own
        failures = (*failed, *_failures(called, route.match, event))
        sends = to if route.to is None else route.to
        inner = list(_walk(route.routes, event, sends, (own, failures, because)))
        inside = any(one.outcome == "took" for one in inner)
        outcome: Outcome = "not reached" if because else "no match" if failures else "inside" if inside else "took"
        yield Step(called, own, sends, outcome, failures, because)
        yield from inner
        if outcome in {"took", "inside"} and not route.continue_:
            because = called


def _failures(route: str, match: Match, event: Facts) -> Iterator[Failure]:
    data: Mapping[str, Any] = event.get("data") or {}
    resource: Mapping[str, Any] = data.get("resource") or {}
    named: list[tuple[str, tuple[str, ...], Match, Any]] = [
        ("type", match.type, Match(type=match.type), event.get("type")),
        ("source", match.source, Match(source=match.source), data.get("source")),
        ("provider", match.provider, Match(provider=match.provider), data.get("provider")),
        ("kind", match.kind, Match(kind=match.kind), resource.get("kind")),
        ("state", match.state, Match(state=match.state), resource.get("state")),
    ]
    for name, wanted, alone, found in named:
        if wanted and not compile_match(alone)(event):
            yield Failure(route, name, list(wanted), found)
    for path, operators in match.where.items():
        for operator, operand in operators.items():
            if not compile_match(Match(where={path: {operator: operand}}))(event):
                yield Failure(route, f"where {path} {operator}", operand, pick(data, path))
