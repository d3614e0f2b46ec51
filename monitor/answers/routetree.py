"""The route tree as it works: what routes inherit written out, and what deserves a look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.providers import PROVIDERS
from monitor.routing import LISTS, Route, Router, Timers
from monitor.settings import Settings
from monitor.settings.routelint import Advice, route_advice, route_path
from monitor.settings.tree import routes_of


@dataclass(frozen=True, slots=True)
class Shown:
    """One route with what it inherits: its path in the file, its depth, its timers as they work, what to look at."""

    path: str
    depth: int
    route: Route
    to: tuple[str, ...]
    group_by: tuple[str, ...]
    severity: str | None
    labels: dict[str, str]
    timers: Timers
    warnings: tuple[str, ...] = ()

    def view(self) -> ShownRoute:
        """The same as programs see it."""
        match, timers, escalate = self.route.match, self.timers, self.timers.escalate
        return ShownRoute(
            route=self.route.name or self.path,
            path=self.path,
            match={name: values for name in (*LISTS, "where") if (values := getattr(match, name))},
            continue_=self.route.continue_,
            to=list(self.to),
            group_by=list(self.group_by),
            group_wait=timers.group_wait,
            group_interval=timers.group_interval,
            repeat_interval=timers.repeat,
            mute=[interval.name for interval in timers.calendar.mute],
            active=[interval.name for interval in timers.calendar.active],
            severity=self.severity,
            labels=self.labels,
            escalate=EscalationView(escalate.after, list(escalate.to)) if escalate else None,
            warnings=list(self.warnings),
        )


class EscalationView(msgspec.Struct, frozen=True):
    """Who is told as well when nobody acknowledges `after` so many seconds."""

    after: float
    to: list[str]


class ShownRoute(msgspec.Struct, frozen=True, rename={"continue_": "continue"}):
    """One route with what it inherits; `path` is its place in the file, times are in seconds."""

    route: str
    path: str
    match: dict[str, Any]
    continue_: bool
    to: list[str]
    group_by: list[str]
    group_wait: float
    group_interval: float
    repeat_interval: float | None
    mute: list[str]
    active: list[str]
    severity: str | None
    labels: dict[str, str]
    escalate: EscalationView | None
    warnings: list[str]


def route_tree(settings: Settings) -> list[Shown]:
    """Settings in, every route with what it inherits and what deserves a look out, in the order of the file."""
    advice: dict[str, list[str]] = {}
    for one in route_advice(settings, PROVIDERS):
        advice.setdefault(route_path(one.path), []).append(_advice(one))
    return list(_every(routes_of(settings), advice))


def _every(routes: Sequence[Route], advice: Mapping[str, Sequence[str]]) -> Iterator[Shown]:
    router = Router(routes)
    root = Shown("", -1, Route(), (), (), None, {}, Timers())
    for index, route in enumerate(routes):
        yield from _under(root, route, f"routes[{index}]", router, advice)


def _under(
    above: Shown, route: Route, path: str, router: Router, advice: Mapping[str, Sequence[str]]
) -> Iterator[Shown]:
    here = Shown(
        path,
        above.depth + 1,
        route,
        above.to if route.to is None else route.to,
        above.group_by if route.group_by is None else route.group_by,
        route.severity or above.severity,
        {**above.labels, **route.labels},
        router.timers(route.name or path),
        tuple(advice.get(path, ())),
    )
    yield here
    for index, inner in enumerate(route.routes):
        yield from _under(here, inner, f"{path}.routes[{index}]", router, advice)


def _advice(one: Advice) -> str:
    return f"{route_path(one.key)}: {one.text}" if one.key else one.text
