"""`jobwire routes test`: which targets would get an event, and by which route. Nothing is sent or stored."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from monitor.bootstrap import router_of
from monitor.cli import session
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, say, table
from monitor.errors import UsageError
from monitor.events import state_name
from monitor.providers import PROVIDERS
from monitor.routing import Decision
from monitor.settings import Settings
from monitor.settings.agreement import vocabularies
from monitor.values import format_duration
from monitor.vocabulary import Vocabulary

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
    facts = read_event(event) if event is not None else sample_event(settings, type_ or "", source, state)
    found = router_of(settings).decide(facts)
    if as_json:
        json_line({"targets": [one.target for one in found], "decisions": [_values(one) for one in found]})
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
    if not isinstance(event.get("type"), str) or not isinstance(event.get("data"), dict):
        raise UsageError(f"{path} holds no event of ours: `type` or `data` is missing")
    return event


def sample_event(settings: Settings, type_: str, source: str | None, state: str | None) -> dict[str, Any]:
    """What is known of an event of this type from this source; UsageError when they do not fit together."""
    session.known("source", source, settings.sources)
    provider, _, rest = type_.partition(".")
    kind, _, what = rest.partition(".")
    own = provider == "jobwire"
    if not what and type_ != "jobwire.test":
        raise UsageError(f"--type {type_!r} is no event type: write PROVIDER.KIND.WHAT, such as worklayer.job.claimed")
    if source is not None and not own and settings.sources[source].provider != provider:
        raise UsageError(
            f"source {source!r} speaks {settings.sources[source].provider}, so {type_} never comes from it"
        )
    vocabulary = vocabularies(settings, PROVIDERS).get(provider)
    resource: dict[str, Any] | None = (
        None if own else {"kind": kind, "state": state or _state_of(vocabulary, kind, what), "fields": {}}
    )
    subject = f"{kind}/{source or '-'}" if own else f"{kind}/-"
    named = settings.sources[source].provider if source else None
    facts = {
        "provider": named if own else provider,
        "source": source,
        "key": f"{source}/{subject}",
        "resource": resource,
    }
    return {"id": "evt_test", "type": type_, "subject": subject, "data": facts}


def _state_of(vocabulary: Vocabulary | None, kind: str, what: str) -> str | None:
    """The state that an event is named by, in the provider's own words; None where the type names none."""
    spec = vocabulary.kinds.get(kind) if vocabulary else None
    return next((one for one in sorted(spec.states) if state_name(one) == what), None) if spec else None


def _values(one: Decision) -> dict[str, Any]:
    wait = {"group_wait": one.group_wait, "group_interval": one.group_interval}
    return {"target": one.target, "route": one.route, "severity": one.severity, **wait, "labels": one.labels}


def _when(settings: Settings, one: Decision) -> str:
    grouped = settings.targets[one.target].type != "webhook"
    return f"after {format_duration(one.group_wait)}, with its group" if grouped and one.group_wait else "at once"
