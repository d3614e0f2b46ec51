"""`jobwire routes test`: which targets would get an event, and by which route. Nothing is sent or stored."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from monitor.cli.desk.asked import EventGiven, SampleWanted, values
from monitor.cli.desk.opening import desk
from monitor.cli.options import HERE, AsJson, Where
from monitor.cli.output import json_line, say, table
from monitor.errors import UsageError
from monitor.values import format_duration

EventFile = Annotated[
    Path | None, Parameter(help="A CloudEvent as JSON, as `jobwire events --json` prints it; - reads it.")
]
EventType = Annotated[str | None, Parameter(name="--type", help="In place of a file: an event of this type.")]
EventSource = Annotated[str | None, Parameter(name="--source", help="The source it comes from.")]
EventState = Annotated[
    str | None, Parameter(name="--state", help="The state of its resource; the type's own if not given.")
]


async def routes_test(
    event: EventFile = None,
    /,
    *,
    type_: EventType = None,
    source: EventSource = None,
    state: EventState = None,
    where: Where = HERE,
    as_json: AsJson = False,
) -> int:
    """Show which targets would get an event, and by which route.

    Events from a file are matched whole; of one that is made from --type only type, source, kind and state are known.
    """
    if (event is None) == (type_ is None):
        raise UsageError("give either an EVENT.json or --type TYPE")
    async with desk(where) as at:
        await at.known("source", source)
        asked = read_event(event) if event is not None else SampleWanted(type_ or "", source, state)
        found = await at.routed(asked)
        decisions = values(found)["decisions"]
        types = await at.types() if decisions and not as_json else {}
    if as_json:
        json_line(found)
    elif decisions:
        table(("target", "route", "severity", "sent"), [_row(one, types) for one in decisions])
    else:
        say("no target")
    return 0


def read_event(path: Path) -> EventGiven:
    """A file with one event in (`-`: standard input), the event out; UsageError when it holds none."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text()
        event = msgspec.json.decode(text, type=dict[str, Any])
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, msgspec.DecodeError) as error:
        raise UsageError(f"{path} holds no single event: {error}") from None
    data = event.get("data")
    if not isinstance(event.get("type"), str) or not isinstance(data, dict):
        raise UsageError(f"{path} holds no event of ours: `type` or `data` is missing")
    if not isinstance(data.get("resource"), dict | None):
        raise UsageError(f"{path} holds no event of ours: its `resource` is neither an object nor null")
    return EventGiven(event)


def _row(one: Mapping[str, Any], types: Mapping[str, str]) -> tuple[str, ...]:
    grouped = types[one["target"]] != "webhook" and one["group_wait"]
    when = f"after {format_duration(one['group_wait'])}, with its group" if grouped else "at once"
    return one["target"], one["route"], one["severity"], when
