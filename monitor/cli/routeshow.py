"""`jobwire routes show`: the tree as it works, what routes inherit written out, and what deserves a look."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.answers.routetree import LISTS, Shown, route_tree
from monitor.cli import session
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, plain, say
from monitor.routing import Match
from monitor.values import format_duration


async def routes_show(*, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    """Show the route tree: matchers, targets, and the timers, severity and labels that hold, inherited or not.

    What deserves a look stands with its route: never reached, no event of such a type, rounded reminders, more
    messages than Slack takes.
    """
    shown = route_tree(session.read(config))
    for route in shown:
        if as_json:
            json_line(route.view())
            continue
        for line in _lines(route):
            say(line)
    if not shown and not as_json:
        say("no route: events are stored and sent nowhere")
    return 0


def _lines(one: Shown) -> Iterator[str]:
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
    for text in one.warnings:
        yield f"{indent}warning: {text}"


def _match(match: Match) -> str:
    parts = [f"{name} {' or '.join(values)}" for name in LISTS if (values := getattr(match, name))]
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
