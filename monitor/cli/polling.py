"""`jobwire poll`: one scan of one source now, in this process."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from monitor.answers.scanning import Scanned, scan_dry, scan_now
from monitor.cli import session
from monitor.cli.entry import FAILED
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, note, say
from monitor.cli.phrases import counts_text, event_line, plural, span

SourceToPoll = Annotated[str, Parameter(help="The source's name in the config file.")]
DryRun = Annotated[bool, Parameter(negative=(), help="Store nothing: print the changes and events a scan would make.")]


async def poll(
    source: SourceToPoll,
    /,
    *,
    dry_run: DryRun = False,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> int:
    """Scan one source now, whatever its schedule says.

    Events are stored, and a running worker delivers them. Exits with 1 if the scan failed.
    """
    settings = session.read(config)
    session.known("source", source, settings.sources)
    async with session.wired(settings) as running:
        made = await (scan_dry if dry_run else scan_now)(running, source)
    if as_json:
        json_line(made.view())
    else:
        _tell(made, dry_run=dry_run)
    return 0 if made.report.refused is None and made.report.reason is None else FAILED


def _tell(made: Scanned, *, dry_run: bool) -> None:
    report = made.report
    if report.refused is not None:
        note(f"error: {report.source} is being scanned by a worker right now ({report.refused}): nothing was done")
        return
    for event in made.events:
        event_line(event)
    say(_summary(made, dry_run=dry_run))
    if report.tally.unreadable:
        say(f"{plural(report.tally.unreadable, 'item')} could not be read; what is known of them is kept")
    if report.held:
        say(f"{plural(report.held, 'known item')} missing at once: removals are held, none is told")
    if report.reason is not None:
        note(f"error: the scan failed ({report.reason}): {report.error}")


def _summary(made: Scanned, *, dry_run: bool) -> str:
    report, tally = made.report, made.report.tally
    told = plural(len(made.events), "event")
    read = f"{report.source}: {plural(tally.items, 'item')} on {plural(tally.pages, 'page')} in {span(report.seconds)}"
    if not report.baseline:
        ends = f"{told} would be stored; nothing was" if dry_run else told
        return f"{read}; {tally.changed} changed, {tally.removed} removed; {ends}"
    if made.counts is None:
        return f"{read}; the first look at this source: everything is stored, {told}"
    due = f"; {plural(made.due, 'deadline')} due already would be told" if made.due else ""
    return (
        f"{read}; this would be the first look at this source: stored silently would be "
        f"{counts_text(made.counts) or 'nothing'}{due}; nothing was stored"
    )
