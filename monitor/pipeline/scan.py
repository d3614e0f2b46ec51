"""One scan of one source, from the claim of its slot to the end of its lease: gather, decide, apply.

The lease's fence goes with every write, so a worker that was paused past its lease can change nothing.
However it ends, a scan leaves one `scan.finished` line in the log and the source's state in the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

import msgspec
import structlog

from monitor.drift import Shapes
from monitor.errors import Fenced, JobwireError, ProviderError, ProviderThrottled, TransportError, Unreadable
from monitor.events import Event
from monitor.health import Ending, after_bad_scan, removals_held
from monitor.moments import stamp, to_millis
from monitor.pipeline.absence import Absence, settle_absence
from monitor.pipeline.doubt import Doubt, Doubts
from monitor.pipeline.learning import asked, learn
from monitor.pipeline.lease import handed_back, kept
from monitor.pipeline.notices import after_read_scan
from monitor.pipeline.plan import paced, plan_of, remembered
from monitor.pipeline.ports import Commit
from monitor.pipeline.proofs import proofs_of
from monitor.pipeline.source import Source
from monitor.pipeline.tally import Tally, spent
from monitor.pipeline.telling import EventIds
from monitor.pipeline.traces import Traces
from monitor.pipeline.walk import Walk
from monitor.schedule import due_now, missed_slots
from monitor.store.items import ItemCommit, Items
from monitor.store.pages import PageCommit, Pages
from monitor.store.sources import Lease, ScanClosing, Sources
from monitor.targets.trace import scan_ids

LEASE_MS = 15_000


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What a scan did: `refused` says why it was not made, `reason` and `error` why it is not complete."""

    source: str
    epoch: int = 0
    refused: str | None = None
    reason: str | None = None
    error: str | None = None
    seconds: float = 0.0
    baseline: bool = False
    held: int = 0
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class Scanner:
    """Scans sources. `owner` names this worker in leases; `clock` gives now with zone."""

    items: Items
    sources: Sources
    pages: Pages
    owner: str
    clock: Callable[[], datetime]
    lease_ms: int = LEASE_MS
    traces: Traces = field(default=Traces())

    async def scan(self, source: Source, slot: int, *, force: bool = False) -> ScanReport:
        """Scan one source for one slot, unless somebody else does or did; `force` ignores slot and pause."""
        lease = await self.sources.claim(source.name, owner=self.owner, slot=slot, ttl_ms=self.lease_ms, force=force)
        if isinstance(lease, str):
            return ScanReport(source.name, refused=lease)
        before = spent(source.runner.stats)
        async with handed_back(self.sources, lease):
            walk = await self._walk(source, lease, by_hand=force)
        with EventIds(source.name, lease.epoch) as made:
            walk.told = made.note
            ending, absence = await self._under_lease(source, walk, lease, slot, before)
        self.traces.scanned(source, ending, walk.tally, made.first)
        return _report(source, walk, ending, absence.held, made.first)

    async def _under_lease(
        self, source: Source, walk: Walk, lease: Lease, slot: int, before: tuple[int, int, float]
    ) -> tuple[Ending, Absence]:
        """Walk and settle what is missing; how it ended, and what of it is held. `before` is what was spent before."""
        started = self.clock()
        try:
            async with kept(self.sources, lease, self.lease_ms):
                ending = await self._walk_all(source, walk, started)
                absence = Absence()
                if ending.reason is None:
                    try:
                        absence = await settle_absence(walk, self.items, self.sources)
                    except Unreadable as error:
                        ending = replace(ending, reason=error.reason, text=str(error))
                walk.tally.count(before, source.runner.stats)
                walk.tally.missed, walk.tally.outdated = _missed(source, lease.state, slot), walk.doubts.outdated
                walk.shapes.settle(complete=ending.reason is None)
                await learn(walk, self.sources, lease, self.clock())
                await self._close(source, walk, lease, max(slot, int(lease.state.get("slot", "-1"))), ending, absence)
        except Fenced as error:
            ending, absence = Ending(started, self.clock(), lease.epoch, "fenced", str(error)), Absence()
        except asyncio.CancelledError:
            await asyncio.shield(self.sources.release(lease))
            raise
        return ending, absence

    async def preview(
        self,
        source: Source,
        tell: Callable[[Event], None],
        see: Callable[[Sequence[ItemCommit]], None] = lambda commits: None,
    ) -> ScanReport:
        """Walk a source and tell the events that a scan would make now, removals too; nothing is stored.

        `see` gets what would be written, as it would be.
        """
        state, before = await self.sources.state(source.name), spent(source.runner.stats)

        async def keep_nothing(commits: Sequence[ItemCommit], page: PageCommit | None = None) -> list[str]:  # noqa: ARG001 - see above
            see(commits)
            # New items count as stored once they are committed, and here they are not.
            walk.stored -= sum(not commit.expected for commit in commits)
            return []

        walk = await self._new_walk(source, int(state.get("epoch", "0")) + 1, state, keep_nothing, by_hand=True)
        walk.told = tell
        ending = await self._walk_all(source, walk, self.clock())
        absence = await settle_absence(walk, self.items, self.sources) if ending.reason is None else Absence()
        walk.tally.count(before, source.runner.stats)
        return _report(source, walk, ending, absence.held)

    async def _walk(self, source: Source, lease: Lease, *, by_hand: bool) -> Walk:
        async def commit(commits: Sequence[ItemCommit], page: PageCommit | None = None) -> list[str]:
            now = self.clock()
            # Before the items: once they are stored nobody parses them again, and what they showed would be lost.
            await learn(walk, self.sources, lease, now)
            return await self.items.commit(source.name, commits, fence=lease.fence, now_ms=to_millis(now), page=page)

        walk = await self._new_walk(source, lease.epoch, lease.state, commit, by_hand=by_hand)
        walk.proofs = proofs_of(self.pages, source, lease.state, lease.epoch)
        return walk

    async def _new_walk(
        self, source: Source, epoch: int, state: Mapping[str, str], commit: Commit, *, by_hand: bool
    ) -> Walk:
        record = await self.sources.doubts(source.name)
        doubts = {id: msgspec.json.decode(note, type=Doubt) for id, note in record.items()}
        shapes, kinds = await self.sources.shapes(source.name), source.provider.vocabulary.kinds
        baseline = "baselined" not in state
        return Walk(
            source=source,
            reads=self.items,
            commit=commit,
            clock=self.clock,
            epoch=epoch,
            baseline=baseline,
            last_seen=state.get("fresh_from"),
            plan=plan_of(source, state, self.clock(), by_hand=by_hand),
            by_id="by_id" in state,
            release=state.get("release"),
            doubts=Doubts(source.options.settle, doubts),
            shapes=Shapes(shapes, kinds, asked=asked(source.options), baseline=baseline),
        )

    async def _walk_all(self, source: Source, walk: Walk, started: datetime) -> Ending:
        """Walk every list. What goes wrong becomes the ending's reason; a lost lease or store passes through."""
        reason = error = wait = None
        try:
            async with walk.writes.ended():
                walk.end = await source.runner.run(source.provider.scan(walk.plan), walk.page, walk.proofs)
            if not walk.end.complete:
                reason, error = "incomplete", walk.end.reason
        except ProviderThrottled as caught:
            reason, error, wait = caught.reason, str(caught), caught.retry_after
        except (ProviderError, TransportError, Unreadable) as caught:
            reason, error = caught.reason, str(caught)
        except JobwireError:
            raise
        except Exception as caught:  # noqa: BLE001 - a fault of ours must be told like any other, not end in silence
            structlog.get_logger().exception("scan.broken", source=source.name, epoch=walk.epoch)
            reason, error = "internal", f"{type(caught).__name__}: see the log"
        return Ending(started, self.clock(), walk.epoch, reason, error, wait)

    async def _close(
        self, source: Source, walk: Walk, lease: Lease, slot: int, ending: Ending, absence: Absence
    ) -> None:
        provider = source.provider.vocabulary.provider
        # Read again: what was told and decided while the scan ran counts.
        state = await self.sources.state(source.name)
        if ending.reason is None:
            counts = await self.sources.counts(source.name)
            health = after_read_scan(source.name, provider, state, ending, counts, walk.end.notices)
            if walk.full:
                health = removals_held(source.name, provider, state, ending, absence.held, health)
            planned = remembered(source, walk.plan, walk.end, ending.started, walk.tally.pages)
            planned |= paced(source, state, counts, changed=walk.tally.events > 0)
        else:
            health, planned = after_bad_scan(source.name, provider, state, ending), {}
        if walk.proofs is not None:
            planned |= await walk.proofs.close(source, walk.tally, ending.reason, ending.epoch)
        scan = {"at": stamp(ending.started), "reason": ending.reason, "error": ending.text, "ms": _ms(ending)}
        scan |= asdict(walk.tally)
        closing = ScanClosing(
            set={**health.set, **planned, **absence.fields, "slot": slot, "scan": msgspec.json.encode(scan)},
            forget=health.forget,
            missing=absence.notes,
            found=absence.found,
            events=health.events,
            doubts=_notes(walk.doubts.after(walk.seen, complete=ending.reason is None)),
            count=walk.tally.totals(ending.reason or "complete", _ms(ending)),
        )
        await self.sources.finish(lease, closing)
        for event in health.events:
            walk.told(event)


def _missed(source: Source, state: Mapping[str, str], slot: int) -> int:
    """How many slots passed unscanned between the last scan and this one, by the interval that held meanwhile."""
    last = int(state["slot"]) if "slot" in state else None
    _, every_ms = due_now(source.name, source.pace, int(state.get("pace_ms", "0")), slot, last)
    return missed_slots(every_ms, slot, last)


def _notes(doubts: Mapping[str, Doubt | None]) -> dict[str, bytes | None]:
    return {id: msgspec.json.encode(doubt) if doubt else None for id, doubt in doubts.items()}


def _ms(ending: Ending) -> int:
    return round((ending.ended - ending.started).total_seconds() * 1000)


def _report(
    source: Source, walk: Walk, ending: Ending, held: int, event_ids: Sequence[str] | None = None
) -> ScanReport:
    """What a scan did, and its line in the log; without `event_ids` there is none."""
    if event_ids is not None:
        line = structlog.get_logger().info if ending.reason is None else structlog.get_logger().warning
        line(
            "scan.finished",
            source=source.name,
            epoch=ending.epoch,
            outcome=ending.reason or "complete",
            error=ending.text,
            ms=_ms(ending),
            held=held,
            **asdict(walk.tally),
            event_ids=event_ids,
            trace_id=scan_ids(source.name, ending.epoch, ending.started)[0],
        )
    return ScanReport(
        source=source.name,
        epoch=ending.epoch,
        reason=ending.reason,
        error=ending.text,
        seconds=_ms(ending) / 1000,
        baseline=walk.baseline,
        held=held,
        tally=walk.tally,
    )
