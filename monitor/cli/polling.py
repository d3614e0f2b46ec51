"""`jobwire poll`: one scan of one source now, in this process; over a server, by one of its workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import Parameter

from monitor.cli.desk.asked import values
from monitor.cli.desk.opening import desk
from monitor.cli.entry import FAILED
from monitor.cli.options import HERE, AsJson, Source, Where
from monitor.cli.output import json_line, note, say
from monitor.cli.phrases import counts_text, event_line, plural, span

DryRun = Annotated[bool, Parameter(negative=(), help="Store nothing: print the changes and events a scan would make.")]

_REFUSED = {"running", "done", "paused"}
"""Reasons why a scan was not made at all."""


async def poll(source: Source, /, *, dry_run: DryRun = False, where: Where = HERE, as_json: AsJson = False) -> int:
    """Scan one source now, whatever its schedule says.

    Events are stored, and a running worker delivers them. Exits with 1 if the scan failed. Over --server a worker is
    asked to scan, which it does as soon as it can; how that went, `sources` and `events` say.
    """
    async with desk(where) as at:
        await at.known("source", source)
        line = await at.poll(source, dry_run=dry_run)
    made = values(line)
    if as_json:
        json_line(line)
    elif "asked_at" in made:
        say(f"{source}: a worker is asked to scan it now; `jobwire events --follow` shows what it finds")
    else:
        _tell(made, dry_run=dry_run)
    return 0 if "asked_at" in made or made["scan"]["complete"] else FAILED


def _tell(made: Mapping[str, Any], *, dry_run: bool) -> None:
    source, scan = made["source"], made["scan"]
    if scan["reason"] in _REFUSED:
        note(f"error: {source} is being scanned by a worker right now ({scan['reason']}): nothing was done")
        return
    for event in made["events"]:
        event_line(event)
    say(_summary(made, dry_run=dry_run))
    if scan["unreadable"]:
        say(f"{plural(scan['unreadable'], 'item')} could not be read; what is known of them is kept")
    if scan["held"]:
        say(f"{plural(scan['held'], 'known item')} missing at once: removals are held, none is told")
    if scan["reason"] is not None:
        note(f"error: the scan failed ({scan['reason']}): {scan['error']}")


def _summary(made: Mapping[str, Any], *, dry_run: bool) -> str:
    scan = made["scan"]
    told = plural(max(len(made["events"]), scan["events"]), "event")
    items, pages = plural(scan["items"], "item"), plural(scan["pages"], "page")
    read = f"{made['source']}: {items} on {pages} in {span(scan['seconds'])}"
    if not scan["baseline"]:
        ends = f"{told} would be stored; nothing was" if dry_run else told
        return f"{read}; {scan['changed']} changed, {scan['removed']} removed; {ends}"
    if "counts" not in scan:
        return f"{read}; the first look at this source: everything is stored, {told}"
    due = f"; {plural(scan['due'], 'deadline')} due already would be told" if scan["due"] else ""
    return (
        f"{read}; this would be the first look at this source: stored silently would be "
        f"{counts_text(scan['counts']) or 'nothing'}{due}; nothing was stored"
    )
