"""`jobwire resources` and `jobwire history`: what is known now, and every revision of one resource."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from cyclopts import Parameter

from monitor.cli.desk.asked import values
from monitor.cli.desk.opening import desk
from monitor.cli.options import HERE, AsJson, SourceName, Where
from monitor.cli.output import json_line, say, shorter, table
from monitor.cli.phrases import ago, plural, short_time, what_changed
from monitor.errors import UsageError

Kind = Annotated[str | None, Parameter(help="Only this kind: job, job_driver, contract or interview.")]
State = Annotated[str | None, Parameter(help="Only this state, as the provider writes it; `-` for none.")]
Key = Annotated[str, Parameter(help="SOURCE/KIND/ID, as `jobwire resources` shows it.")]


async def resources(
    *,
    source: SourceName = None,
    kind: Kind = None,
    state: State = None,
    where: Where = HERE,
    as_json: AsJson = False,
) -> int:
    """Show every resource that is there now, with its next deadline."""
    rows: list[tuple[tuple[str, int, str, str], tuple[str, ...]]] = []
    async with desk(where) as at:
        await at.known("source", source)
        now = await at.now()
        async for one in at.resources(source, kind, state):
            if as_json:
                json_line(one)
            else:
                view = values(one)
                rows.append((_order(view), _row(view, now)))
    if not as_json:
        rows.sort()
        table(("key", "state", "for", "title", "next deadline"), [row for _, row in rows])
    return 0


async def history(key: Key, /, *, where: Where = HERE, as_json: AsJson = False) -> int:
    """Show every kept revision of one resource, the newest last: at most 50, for 90 days."""
    name = key.partition("/")[0]
    async with desk(where) as at:
        await at.known("source", name)
        found = await at.history(key)
    if found is None:
        raise UsageError(f"no resource {key!r} is known; `jobwire resources --source {name}` lists those that are")
    if as_json:
        for line in found.lines:
            json_line(line)
        return 0
    if found.resource is not None:
        say(_headline(key, found.resource))
    table(("revision", "when", "event", "change"), [_line(values(line)) for line in found.lines])
    return 0


def _order(one: Mapping[str, Any]) -> tuple[str, int, str, str]:
    """By source, then 9 before 10, and what lies inside another beside it: a server lists them in no order."""
    id = str(one["parent"] or one["key"]).split("/", 2)[-1]
    return one["source"], len(id), id, one["key"]


def _row(one: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    since = ago(one["since"], now).removesuffix(" ago")
    return one["key"], one["state"] or "-", since, shorter(one["title"], 60), _next(one["deadlines"])


def _next(deadlines: Sequence[Mapping[str, Any]]) -> str:
    waiting = sorted((one for one in deadlines if one["due"]), key=lambda one: str(one["due"]))
    if not waiting:
        return "-"
    first = waiting[0]
    return f"{first['field']} {first['value']}: {first['next']} at {short_time(first['due'])}"


def _headline(key: str, one: Mapping[str, Any]) -> str:
    state = "removed" if one["removed"] else one["state"] or "-"
    return (
        f"{key}: {one['title']}\n"
        f"{state} since {short_time(one['since'])}; revision {one['revision']}, "
        f"{plural(one['events'], 'event')}; first seen {short_time(one['first_seen'])}"
    )


def _line(line: dict[str, Any]) -> tuple[str, ...]:
    change = what_changed({"data": line})
    return str(line["revision"]), short_time(line["at"]), line["type"] or "-", change or "-"
