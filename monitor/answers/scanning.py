"""One scan of one source now; or the changes and events that it would make, of which nothing is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec

from monitor.bootstrap import Services
from monitor.events import Event, decode, encode
from monitor.moments import to_millis
from monitor.pipeline.scan import ScanReport
from monitor.store.items import ItemCommit

_BATCH = 1000


class ScanView(msgspec.Struct, frozen=True):
    """What a scan made or would make: its report (`complete`, or the `reason` why not, and counts), and its events."""

    source: str
    scan: dict[str, Any]
    events: list[dict[str, Any]]


@dataclass(slots=True)
class Scanned:
    """What a scan did: its report, its events; of one that stored nothing also what would be stored.

    `counts` are resources by kind and state, there at a first look only; `due` counts deadlines that are due already.
    """

    report: ScanReport
    events: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, dict[str, int]] | None = None
    due: int = 0

    def view(self) -> ScanView:
        """The same as programs see it."""
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
        first_look = {} if self.counts is None else {"counts": self.counts, "due": self.due}
        return ScanView(report.source, {**said, **first_look}, self.events)


async def scan_now(running: Services, name: str) -> Scanned:
    """Scan a source whatever its schedule says, and read the events that this made."""
    log = running.store.log
    place = await log.end()
    slot = await running.timetable.current_slot(name)
    report = await running.scanner.scan(running.sources[name], slot, force=True)
    made = Scanned(report)
    more = True
    while more:
        stored = await log.after(place, _BATCH)
        made.events += [event for one in stored if (event := decode(one.body))["data"]["source"] == name]
        more, place = len(stored) == _BATCH, stored[-1].place if stored else place
    return made


async def scan_dry(running: Services, name: str, most: int | None = None) -> Scanned:
    """Walk a source and say what a scan would make; of its events the first `most`, all where it is None."""
    events: list[Event] = []
    counts: Counter[tuple[str, str]] = Counter()
    due = 0

    def tell(event: Event) -> None:
        if most is None or len(events) < most:
            events.append(event)

    def see(commits: Sequence[ItemCommit]) -> None:
        nonlocal due
        now_ms = to_millis(running.scanner.clock())
        for commit in commits:
            due += sum(1 for at, _ in commit.arm if at <= now_ms)
            for known in commit.after.known.values():
                counts[known.resource.kind, known.resource.state or "-"] += 1

    report = await running.scanner.preview(running.sources[name], tell, see)
    made = Scanned(report, [decode(encode(event)) for event in events])
    if report.baseline:
        made.due, made.counts = due, {}
        for (kind, state), amount in counts.items():
            made.counts.setdefault(kind, {})[state] = amount
    return made
