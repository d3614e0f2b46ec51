"""`jobwire explain`: why an event was made, where it went and where not, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from cyclopts import Parameter

from monitor.cli.desk.asked import values
from monitor.cli.desk.opening import desk
from monitor.cli.options import HERE, AsJson, Where
from monitor.cli.output import json_line, plain, say
from monitor.cli.phrases import changes_text, short_time, value_text
from monitor.errors import UsageError

Id = Annotated[str, Parameter(help="An event, as `jobwire events --json` shows it, or a delivery.")]


async def explain_event(id: Id, /, *, where: Where = HERE, as_json: AsJson = False) -> int:
    """Show why an event was made, and for each target which route took it or why none did, and what happened.

    Routes are those of the config now; what was sent by another route then is said so.
    """
    async with desk(where) as at:
        found = await at.explain(id)
    if found is None:
        raise UsageError(f"no event {id!r} is kept: `jobwire events --json` lists the ids of those that are")
    if as_json:
        json_line(found)
    else:
        for line in _told(values(found)):
            say(line)
    return 0


def _told(found: Mapping[str, Any]) -> Iterator[str]:
    event, made = found["event"], found["made"]
    data = event["data"]
    yield f"{event['type']}  {event['id']}"
    yield f"  {data['key']}, revision {data.get('revision')}, sequence {int(event['sequence'])}"
    yield f"  made: {plain(made['why'])} ({made['rule']})"
    if made["last_seen_before"]:
        before, first = short_time(made["last_seen_before"]), short_time(made["first_seen_after"])
        yield f"  seen before: {before}; seen so first: {first}"
    if made["occurred_at"]:
        yield f"  the provider's own stamp: {made['occurred_at']}"
    if made["changes"]:
        yield f"  changes: {changes_text(made['changes'])}"
    for name, value in (made["details"] or {}).items():
        yield f"  {name}: {plain(value_text(value))}"
    yield f"  stored: {made['committed_at']}, at {made['place']} of the log"
    if not found["targets"]:
        yield "no target is configured"
    for one in found["targets"]:
        yield from _fate(one)


def _fate(one: Mapping[str, Any]) -> Iterator[str]:
    took = f"taken by {one['route']}, {one['severity']}" if one["route"] else "not taken"
    yield f"{one['target']}: {took}"
    for reason in one["reasons"]:
        yield f"  {plain(reason)}"
    if one["why_not"]:
        yield f"  {plain(one['why_not'])}"
    if one["delivery"] is None:
        return
    if one["sent_by"] != one["route"]:
        yield f"  sent by {one['sent_by']}: the routes have changed since"
    yield from _delivery(one["delivery"])


def _delivery(one: Mapping[str, Any]) -> Iterator[str]:
    again = f", next try {short_time(one['next_at'])}" if one["next_at"] else ""
    yield f"  {one['status']}: {one['id']}{again}"
    for attempt in one["attempts"]:
        said = attempt["error"] or f"answered {attempt['status']}"
        where = f" from {attempt['address']}" if attempt["address"] else ""
        yield f"    {attempt['n']}. {short_time(attempt['at'])}: {plain(said)}{where}, {attempt['ms']} ms"
