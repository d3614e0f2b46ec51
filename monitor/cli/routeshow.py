"""`jobwire routes show`: the tree as it works, what routes inherit written out, and what deserves a look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.cli import session
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, plain, say
from monitor.providers import PROVIDERS
from monitor.routing import Match, Route, Router, Timers
from monitor.settings.routelint import Advice, route_advice, route_path
from monitor.settings.tree import routes_of
from monitor.values import format_duration

_LISTS = ("type", "source", "provider", "kind", "state")


@dataclass(frozen=True, slots=True)
class Shown:
    """One route with what it inherits: its path in the file, its depth, and its timers as they work."""

    path: str
    depth: int
    route: Route
    to: tuple[str, ...]
    group_by: tuple[str, ...]
    severity: str | None
    labels: dict[str, str]
    timers: Timers


async def routes_show(*, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    """Show the route tree: matchers, targets, and the timers, severity and labels that hold, inherited or not.

    What deserves a look stands with its route: never reached, no event of such a type, rounded reminders, more
    messages than Slack takes.
    """
    settings = session.read(config)
    shown = list(every(routes_of(settings)))
    advice: dict[str, list[str]] = {}
    for one in route_advice(settings, PROVIDERS):
        advice.setdefault(route_path(one.path), []).append(_advice(one))
    for route in shown:
        if as_json:
            json_line(_values(route, advice.get(route.path, [])))
            continue
        for line in _lines(route, advice.get(route.path, [])):
            say(line)
    if not shown and not as_json:
        say("no route: events are stored and sent nowhere")
    return 0


def every(routes: Sequence[Route]) -> Iterator[Shown]:
    """Route trees in, every route with what it inherits out, in the order of the file."""
    router = Router(routes)
    root = Shown("", -1, Route(), (), (), None, {}, Timers())
    for index, route in enumerate(routes):
        yield from _under(root, route, f"routes[{index}]", router)


def _under(above: Shown, route: Route, path: str, router: Router) -> Iterator[Shown]:
    here = Shown(
        path,
        above.depth + 1,
        route,
        above.to if route.to is None else route.to,
        above.group_by if route.group_by is None else route.group_by,
        route.severity or above.severity,
        {**above.labels, **route.labels},
        router.timers(route.name or path),
    )
    yield here
    for index, inner in enumerate(route.routes):
        yield from _under(here, inner, f"{path}.routes[{index}]", router)


def _lines(one: Shown, advice: Sequence[str]) -> Iterator[str]:
    indent, route = "  " * one.depth, one.route
    name = f"{route.name} ({one.path})" if route.name else one.path
    yield f"{indent}{name}{'  then the next ones too' if route.continue_ else ''}"
    indent += "    "
    yield f"{indent}takes {_match(route.match)}"
    yield f"{indent}to {', '.join(one.to) or 'nobody'}; severity {one.severity or 'by type'}"
    yield f"{indent}{_timers(one)}"
    if one.labels:
        yield f"{indent}labels {', '.join(f'{key}={value}' for key, value in one.labels.items())}"
    for quiet, intervals in (("never in", one.timers.calendar.mute), ("only in", one.timers.calendar.active)):
        if intervals:
            yield f"{indent}{quiet} {', '.join(interval.name for interval in intervals)}"
    if one.timers.escalate:
        after = format_duration(one.timers.escalate.after)
        yield f"{indent}unseen for {after}: also to {', '.join(one.timers.escalate.to)}"
    for text in advice:
        yield f"{indent}warning: {text}"


def _match(match: Match) -> str:
    parts = [f"{name} {' or '.join(values)}" for name in _LISTS if (values := getattr(match, name))]
    parts += [
        f"{path} {operator} {operand}"
        for path, operators in match.where.items()
        for operator, operand in operators.items()
    ]
    return plain("; ".join(parts)) or "everything"


def _timers(one: Shown) -> str:
    timers, by = one.timers, ", ".join(one.group_by) or "the route alone"
    by = "each event alone" if one.group_by == ("...",) else by
    repeat = f"told again after {format_duration(timers.repeat)}" if timers.repeat is not None else "never told again"
    wait, interval = format_duration(timers.group_wait), format_duration(timers.group_interval)
    return f"groups by {by}: waits {wait}, then every {interval}; {repeat}"


def _values(one: Shown, advice: Sequence[str]) -> dict[str, Any]:
    match, timers = one.route.match, one.timers
    escalate = timers.escalate
    return {
        "route": one.route.name or one.path,
        "path": one.path,
        "match": {name: values for name in (*_LISTS, "where") if (values := getattr(match, name))},
        "continue": one.route.continue_,
        "to": one.to,
        "group_by": one.group_by,
        "group_wait": timers.group_wait,
        "group_interval": timers.group_interval,
        "repeat_interval": timers.repeat,
        "mute": [interval.name for interval in timers.calendar.mute],
        "active": [interval.name for interval in timers.calendar.active],
        "severity": one.severity,
        "labels": one.labels,
        "escalate": {"after": escalate.after, "to": escalate.to} if escalate else None,
        "warnings": list(advice),
    }


def _advice(one: Advice) -> str:
    return f"{route_path(one.key)}: {one.text}" if one.key else one.text
