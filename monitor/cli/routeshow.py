"""`jobwire routes show`: the tree as it works, what routes inherit written out, and what deserves a look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from monitor.cli.desk.asked import values
from monitor.cli.desk.opening import desk
from monitor.cli.options import HERE, AsJson, Where
from monitor.cli.output import json_line, plain, say
from monitor.cli.phrases import value_text
from monitor.values import format_duration

_WHERE = "where"


async def routes_show(*, where: Where = HERE, as_json: AsJson = False) -> int:
    """Show the route tree: matchers, targets, and the timers, severity and labels that hold, inherited or not.

    What deserves a look stands with its route: never reached, no event of such a type, rounded reminders, more
    messages than Slack takes.
    """
    async with desk(where) as at:
        found = await at.routes()
    for line in found:
        if as_json:
            json_line(line)
            continue
        for text in lines_of(values(line)):
            say(text)
    if not found and not as_json:
        say("no route: events are stored and sent nowhere")
    return 0


def lines_of(one: Mapping[str, Any]) -> Iterator[str]:
    """A route with what it inherits in, lines for people out, indented by how deep it lies."""
    path, named = one["path"], one["route"]
    indent = "  " * path.count(".routes[")
    name = f"{named} ({path})" if named != path else path
    yield f"{indent}{name}{'  then the next ones too' if one['continue'] else ''}"
    indent += "    "
    yield f"{indent}takes {_match(one['match'])}"
    yield f"{indent}to {', '.join(one['to']) or 'nobody'}; severity {one['severity'] or 'by type'}"
    yield f"{indent}{_timers(one)}"
    if one["labels"]:
        yield f"{indent}labels {', '.join(f'{key}={value}' for key, value in one['labels'].items())}"
    for quiet, intervals in (("never in", one["mute"]), ("only in", one["active"])):
        if intervals:
            yield f"{indent}{quiet} {', '.join(intervals)}"
    if one["escalate"]:
        after = format_duration(one["escalate"]["after"])
        yield f"{indent}unseen for {after}: also to {', '.join(one['escalate']['to'])}"
    for text in one["warnings"]:
        yield f"{indent}warning: {text}"


def _match(match: Mapping[str, Any]) -> str:
    parts = [f"{name} {' or '.join(wanted)}" for name, wanted in match.items() if name != _WHERE]
    parts += [
        f"{path} {operator} {value_text(operand)}"
        for path, operators in match.get(_WHERE, {}).items()
        for operator, operand in operators.items()
    ]
    return plain("; ".join(parts)) or "everything"


def _timers(one: Mapping[str, Any]) -> str:
    by = ", ".join(one["group_by"]) or "the route alone"
    by = "each event alone" if one["group_by"] == ["..."] else by
    repeat = one["repeat_interval"]
    again = f"told again after {format_duration(repeat)}" if repeat is not None else "never told again"
    wait, interval = format_duration(one["group_wait"]), format_duration(one["group_interval"])
    return f"groups by {by}: waits {wait}, then every {interval}; {again}"
