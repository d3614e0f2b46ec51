"""`jobwire poll`: one scan of one source now, in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from cyclopts import Parameter

from monitor.bootstrap import Services
from monitor.cli import session
from monitor.cli.entry import FAILED
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, note, say
from monitor.cli.phrases import counts_text, event_line, plural, span
from monitor.events import Event, decode, encode
from monitor.moments import to_millis
from monitor.pipeline.scan import ScanReport
from monitor.store.items import ItemCommit

_BATCH = 1000

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
        made = await (_preview if dry_run else _scan)(running, source)
    if as_json:
        json_line({"source": source, "scan": made.scan(), "events": made.events})
    else:
        _tell(made, dry_run=dry_run)
    return 0 if made.report.refused is None and made.report.reason is None else FAILED


@dataclass(slots=True)
class _Made:
    """What a scan did: its report, its events; of a preview also what would be stored."""

    report: ScanReport
    events: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, dict[str, int]] | None = None
    due: int = 0

    def scan(self) -> dict[str, Any]:
        """The report as JSON values."""
        report = self.report
        said: dict[str, Any] = {
            "complete": report.refused is None and report.reason is None,
            "reason": report.refused or report.reason,
            "error": report.error,
            "seconds": report.seconds,
            "baseline": report.baseline,
            "held": report.held,
            **asdict(report.tally),
        }
        return said if self.counts is None else {**said, "counts": self.counts}


async def _scan(running: Services, name: str) -> _Made:
    log = running.store.log
    place = await log.end()
    slot = await running.timetable.current_slot(name)
    report = await running.scanner.scan(running.sources[name], slot, force=True)
    made = _Made(report)
    more = True
    while more:
        stored = await log.after(place, _BATCH)
        made.events += [event for one in stored if (event := decode(one.body))["data"]["source"] == name]
        more, place = len(stored) == _BATCH, stored[-1].place if stored else place
    return made


async def _preview(running: Services, name: str) -> _Made:
    events: list[Event] = []
    counts: Counter[tuple[str, str]] = Counter()
    due = 0

    def see(commits: Sequence[ItemCommit]) -> None:
        nonlocal due
        now_ms = to_millis(running.scanner.clock())
        for commit in commits:
            due += sum(1 for at, _ in commit.arm if at <= now_ms)
            for known in commit.after.known.values():
                counts[known.resource.kind, known.resource.state or "-"] += 1

    report = await running.scanner.preview(running.sources[name], events.append, see)
    made = _Made(report, [decode(encode(event)) for event in events])
    if report.baseline:
        made.due, made.counts = due, {}
        for (kind, state), amount in counts.items():
            made.counts.setdefault(kind, {})[state] = amount
    return made


def _tell(made: _Made, *, dry_run: bool) -> None:
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


def _summary(made: _Made, *, dry_run: bool) -> str:
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
