"""One walk over a source's lists: each page is sifted, what differs is diffed, judged and committed at once.

Unchanged items stop at the sift: their raw bytes are hashed and compared with the store, one round trip a
page, and they are never parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeAlias

import msgspec
import structlog
from msgspec import Raw

from monitor.diff import diff_item
from monitor.drift import Shapes
from monitor.errors import UnexpectedAnswer
from monitor.events import Event
from monitor.exchange import Page, ScanEnd
from monitor.pipeline.arming import arms, may_be_armed
from monitor.pipeline.doubt import Doubts
from monitor.pipeline.ports import Commit, Reads
from monitor.pipeline.proofs import Proofs
from monitor.pipeline.seen import Seen
from monitor.pipeline.source import Source
from monitor.pipeline.tally import Tally
from monitor.pipeline.writes import Writes
from monitor.providers.base import ScanPlan
from monitor.resources import Document
from monitor.rules import Judgement, Setting, judge
from monitor.store.items import DIGEST_SIZE, ItemCommit, raw_digest
from monitor.store.pages import PageCommit
from monitor.unreadable import UnreadableDates

_COMMIT_TRIES = 5

_Row: TypeAlias = tuple[str, Raw | bytes, bytes, bytes]
"""An item that differs: its id, raw bytes, digest, and what is stored of it ("": nothing)."""

_Judged: TypeAlias = tuple[Judgement, ItemCommit]


class Note(msgspec.Struct, frozen=True):
    """How often complete scans missed something: `n` times, last in scan `epoch`, last seen at `seen`.

    `elsewhere` is when a look-up by id last found it though no walk shows it, `times` how often in a row.
    """

    n: int
    epoch: int
    seen: str | None
    elsewhere: str | None = None
    times: int = 0


@dataclass(slots=True)
class Walk:
    """The walk of one scan.

    `seen` holds a hash of each id met so far (8 bytes instead of a string: memory stays flat), `stored` counts
    those that are in the store, `shown` has the digests of those that differed; `unknown_states` collects what
    no document lists, `unreadable_dates` deadlines that are no dates. `by_id` says that the provider has answered
    by id before. `release` is what an operator said of held removals: `release` tells them, `discard` forgets in
    silence.
    """

    source: Source
    reads: Reads
    commit: Commit
    clock: Callable[[], datetime]
    epoch: int
    baseline: bool
    last_seen: str | None
    plan: ScanPlan = field(default_factory=ScanPlan)
    end: ScanEnd = field(default_factory=lambda: ScanEnd(False))
    tally: Tally = field(default_factory=Tally)
    seen: Seen = field(default_factory=Seen)
    unreadable: set[str] = field(default_factory=set)
    shown: dict[str, bytes] = field(default_factory=dict)
    unknown_states: set[tuple[str, str]] = field(default_factory=set)
    unreadable_dates: UnreadableDates = field(default_factory=UnreadableDates)
    stored: int = 0
    told: Callable[[Event], None] = field(default=lambda event: None)
    release: str | None = None
    by_id: bool = False
    doubts: Doubts = field(default_factory=lambda: Doubts(0.0, {}))
    shapes: Shapes = field(default_factory=Shapes)
    proofs: Proofs | None = None
    writes: Writes = field(default_factory=Writes)

    @property
    def full(self) -> bool:
        """Whether this walk shows everything: it was planned so, or the provider could not make it narrow."""
        return self.plan.full or self.end.full

    async def page(self, page: Page) -> None:
        """Take one page: what changed in it is judged when this returns, and stored once `writes` are done."""
        self.tally.pages += 1
        self.tally.items += len(page.ids)
        if page.vouched:
            self._vouched(page)
            return
        ids, raws, again = self._first_sights(page)
        digests = [raw_digest(raw, self.source.config) for raw in raws]
        stored = await self.reads.stored(self.source.name, ids)
        known = len(stored) - stored.count(None)
        changed = [
            (id, raw, digest, value or b"")
            for id, raw, digest, value in zip(ids, raws, digests, stored, strict=True)
            if value is None or value[:DIGEST_SIZE] != digest
        ]
        self.stored += known
        if changed:
            await self._take(changed, page)
        elif self.proofs and (remembered := self.proofs.unchanged(page)):
            await self.writes.begin(partial(self._remember, remembered))
        if again:
            await self._seen_again(again)

    def _vouched(self, page: Page) -> None:
        """Take a page that is vouched for: what it showed when it was stored is what it shows now."""
        fresh = self.seen.fresh(page.ids)
        self.seen.update(fresh)
        self.stored += len(fresh)
        self.tally.duplicates += len(page.ids) - len(fresh)
        if page.read:
            self.tally.repeated += 1
        else:
            self.tally.not_modified += 1
        if self.proofs and page.proof:
            self.tally.bytes_saved += 0 if page.read else page.proof.size
            self.proofs.vouched(page.proof)

    async def _seen_again(self, rows: dict[str, Raw | bytes]) -> None:
        """Items that this walk has shown before: the same content is nothing; different content is a doubt."""
        await self.writes.done()
        stored = await self.reads.stored(self.source.name, list(rows))
        different = []
        for (id, raw), value in zip(rows.items(), stored, strict=True):
            digest = raw_digest(raw, self.source.config)
            if value is None:
                continue
            if digest != self.shown.get(id, value[:DIGEST_SIZE]):
                self.doubts.came_twice(id, self.clock())
                different.append((id, raw, digest, value))
            elif self.doubts.agree(id) and value[:DIGEST_SIZE] != digest:
                different.append((id, raw, digest, value))
        if different:
            await self._take(different)

    def _first_sights(self, page: Page) -> tuple[Sequence[str], Sequence[Raw | bytes], dict[str, Raw | bytes]]:
        """The page parted into ids new in this walk and those met before: rows slide between pages while one reads."""
        marks = self.seen.fresh(page.ids)
        if len(marks) == len(page.ids):
            self.seen.update(marks)
            return page.ids, page.raws, {}
        again: dict[str, Raw | bytes] = {}
        ids: list[str] = []
        raws: list[Raw | bytes] = []
        for id, raw in zip(page.ids, page.raws, strict=True):
            mark = hash(id)
            if mark in self.seen:
                self.tally.duplicates += 1
                again[id] = raw
                continue
            self.seen.add(mark)
            ids.append(id)
            raws.append(raw)
        return ids, raws, again

    async def _take(self, changed: Sequence[_Row], page: Page | None = None) -> None:
        if not self.baseline:
            self.shown.update({id: digest for id, _, digest, _ in changed})
        judged = await self._judge_all(changed)
        await self.writes.begin(partial(self._write, changed, judged, page))

    async def _remember(self, page: PageCommit) -> None:
        await self.commit([], page)

    async def _write(self, changed: Sequence[_Row], judged: Sequence[_Judged], page: Page | None) -> None:
        """Commit what was judged; what somebody else changed meanwhile is judged again."""
        whole = True
        for _ in range(_COMMIT_TRIES):
            whole = whole and len(judged) == len(changed)
            remembered = None
            if page is not None and self.proofs is not None:
                told = any(judgement.revisions or judgement.silent for judgement, _ in judged)
                remembered = self.proofs.stored(page, whole=whole, told=told)
            conflicts = set(await self.commit([commit for _, commit in judged], remembered))
            self._count(judged, conflicts)
            if not conflicts:
                return
            changed = await self._again([row for row in changed if row[0] in conflicts])
            judged = await self._judge_all(changed)
        structlog.get_logger().warning("scan.contended", source=self.source.name, epoch=self.epoch, items=len(changed))

    async def _again(self, rows: Sequence[_Row]) -> Sequence[_Row]:
        stored = await self.reads.stored(self.source.name, [id for id, *_ in rows])
        return [(id, raw, digest, value or b"") for (id, raw, digest, _), value in zip(rows, stored, strict=True)]

    async def _judge_all(self, changed: Sequence[_Row]) -> Sequence[_Judged]:
        """Rows that differ in, what each has become and what must be written for it out, but for those left as is."""
        ids, stored = [id for id, *_ in changed], [stored for *_, stored in changed]
        documents = await self.reads.documents(self.source.name, ids, stored)
        setting = self.setting(self.clock())
        judged = [self._judge(row, document, setting) for row, document in zip(changed, documents, strict=True)]
        return [one for one in judged if one is not None]

    def _judge(self, row: _Row, document: Document | None, setting: Setting) -> _Judged | None:
        id, raw, digest, expected = row
        try:
            resources = self.source.provider.resources(bytes(raw))
            self.shapes.see(resources)
            diff = diff_item(document, resources, self.source.tracking)
        except (UnexpectedAnswer, RecursionError) as error:
            self.tally.unreadable += 1
            self.unreadable.add(id)
            structlog.get_logger().warning("item.unreadable", source=self.source.name, item=id, error=str(error))
            return None
        if self.doubts.loses(id, document, resources, (digest, expected[:DIGEST_SIZE])):
            return None
        if not self.baseline and self.doubts.waits(id, document, resources, diff, setting.now):
            return None
        judgement = judge(document, diff, setting)
        self.unreadable_dates.see(self.source.name, judgement.document, setting.vocabulary.kinds, setting.clockwork)
        note = msgspec.json.encode(Note(0, self.epoch, self.last_seen)) if diff.missing else b""
        present = [ref for ref in (document.known if document else {}) if ref not in diff.missing]
        return judgement, commit_of(
            self.source,
            id,
            expected,
            digest,
            document,
            judgement,
            clear=["", *present] if document else (),
            note=[(ref, note) for ref in diff.missing],
        )

    def setting(self, now: datetime, last_seen: str | None = None, *, discard: bool = False) -> Setting:
        """What the rules must know, at this moment of the walk."""
        return Setting(
            source=self.source.name,
            vocabulary=self.source.provider.vocabulary,
            clockwork=self.source.clockwork,
            now=now,
            last_seen_before=last_seen or self.last_seen,
            baseline=self.baseline and self.source.options.baseline == "silent",
            widened=self.plan.widened and self.source.options.baseline == "silent",
            discard=discard,
        )

    def _count(self, judged: Sequence[_Judged], conflicts: set[str]) -> None:
        for judgement, commit in judged:
            if commit.id in conflicts:
                continue
            self.stored += not commit.expected
            self.tally.changed += 1
            self.tally.events += len(judgement.revisions)
            self.tally.silent += len(judgement.silent)
            if not self.baseline:
                self.unknown_states.update(judgement.unknown_states)
            for event in judgement.events:
                self.told(event)


def commit_of(
    source: Source,
    id: str,
    expected: bytes,
    digest: bytes | None,
    before: Document | None,
    judgement: Judgement,
    *,
    clear: Sequence[str] = (),
    note: Sequence[tuple[str, bytes]] = (),
) -> ItemCommit:
    """A judged item in, what must be written for it out, its deadlines armed anew."""
    armed = dict(arms(source, id, judgement.document))
    old = may_be_armed(source, id, before) if before else ()
    roots = [known.resource for known in judgement.document.known.values() if not known.gone][:1]
    return ItemCommit(
        id=id,
        walked=any(source.provider.expects(root) for root in roots),
        expected=expected,
        digest=digest,
        before=before,
        after=judgement.document,
        revisions=judgement.revisions,
        disarm=[member for member in old if member not in armed],
        arm=[(due, member) for member, due in armed.items()],
        clear=clear,
        note=note,
    )
