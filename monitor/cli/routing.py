"""`jobwire routes test`: which targets would get an event, and by which route. Nothing is sent or stored."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from monitor.answers.routing import checked_event, decided, decisions_view, sample_event
from monitor.cli import session
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, say, table
from monitor.errors import UsageError
from monitor.routing import Decision
from monitor.settings import Settings
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
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> int:
    """Show which targets would get an event, and by which route.

    Events from a file are matched whole; of one that is made from --type only type, source, kind and state are known.
    """
    settings = session.read(config)
    if (event is None) == (type_ is None):
        raise UsageError("give either an EVENT.json or --type TYPE")
    session.known("source", source, settings.sources)
    facts = read_event(event) if event is not None else sample_event(settings, type_ or "", source, state)
    found = decided(settings, facts)
    if as_json:
        json_line(decisions_view(found))
    elif found:
        head = ("target", "route", "severity", "sent")
        table(head, [(one.target, one.route, one.severity, _when(settings, one)) for one in found])
    else:
        say("no target")
    return 0


def read_event(path: Path) -> dict[str, Any]:
    """A file with one event in (`-`: standard input), its JSON values out; UsageError when it holds none."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text()
        event = msgspec.json.decode(text, type=dict[str, Any])
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, msgspec.DecodeError) as error:
        raise UsageError(f"{path} holds no single event: {error}") from None
    return checked_event(event, str(path))


def _when(settings: Settings, one: Decision) -> str:
    grouped = settings.targets[one.target].type != "webhook"
    return f"after {format_duration(one.group_wait)}, with its group" if grouped and one.group_wait else "at once"
