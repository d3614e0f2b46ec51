"""`jobwire resources` and `jobwire history`: what is known now, and every revision of one resource."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from monitor.bootstrap import Services
from monitor.cli import session
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, SourceName
from monitor.cli.output import json_line, say, shorter, table
from monitor.cli.phrases import ago, plural, short_time, what_changed
from monitor.diff import same_state
from monitor.errors import UsageError
from monitor.resources import Known
from monitor.status import DeadlineView, ResourceView, known_resource
from monitor.status import resources as all_resources
from monitor.status.history import revisions

Kind = Annotated[str | None, Parameter(help="Only this kind: job, job_driver, contract or interview.")]
State = Annotated[str | None, Parameter(help="Only this state, as the provider writes it; `-` for none.")]
Key = Annotated[str, Parameter(help="SOURCE/KIND/ID, as `jobwire resources` shows it.")]


async def resources(
    *,
    source: SourceName = None,
    kind: Kind = None,
    state: State = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> int:
    """Show every resource that is there now, with its next deadline."""
    settings = session.read(config)
    session.known("source", source, settings.sources)
    rows = []
    async with session.wired(settings) as running:
        watched = [one for name, one in sorted(running.sources.items()) if source in {None, name}]
        async for one in all_resources(running.store.items, watched, kind=kind, state=state):
            if as_json:
                json_line(one)
            else:
                rows.append(_row(one, running))
    if not as_json:
        table(("key", "state", "for", "title", "next deadline"), rows)
    return 0


async def history(key: Key, /, *, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    """Show every kept revision of one resource, the newest last: at most 50, for 90 days."""
    settings = session.read(config)
    name, _, ref = key.partition("/")
    session.known("source", name, settings.sources)
    async with session.wired(settings) as running:
        known = await known_resource(running.store.items, running.sources[name], ref)
        lines = revisions(await running.store.reading.history(key), known)
    if known is None and not lines:
        raise UsageError(f"no resource {key!r} is known; `jobwire resources --source {name}` lists those that are")
    if as_json:
        for line in lines:
            json_line(line)
        return 0
    if known is not None:
        say(_headline(key, known))
    table(("revision", "when", "event", "change"), [_line(line) for line in lines])
    return 0


def _row(one: ResourceView, running: Services) -> tuple[str, ...]:
    since = ago(one.since, running.clock.now()).removesuffix(" ago")
    return one.key, one.state or "-", since, shorter(one.title, 60), _next(one.deadlines)


def _next(deadlines: list[DeadlineView]) -> str:
    waiting = sorted((one for one in deadlines if one.due), key=lambda one: one.due or "")
    if not waiting:
        return "-"
    return f"{waiting[0].field} {waiting[0].value}: {waiting[0].next} at {short_time(waiting[0].due)}"


def _headline(key: str, known: Known) -> str:
    state = "removed" if known.gone else same_state(known.resource.state) or "-"
    return (
        f"{key}: {known.resource.title}\n"
        f"{state} since {short_time(known.since)}; revision {known.revision}, "
        f"{plural(known.sequence, 'event')}; first seen {short_time(known.first_seen)}"
    )


def _line(line: dict[str, Any]) -> tuple[str, ...]:
    change = what_changed({"data": line})
    return str(line["revision"]), short_time(line["at"]), line["type"] or "-", change or "-"
