"""Ringing deadlines: what is due is looked at again, told if it is still so, and armed for its next rung.

The ring needs no lease: an item is written only if nobody changed it since it was read, and an event's id
is a function of resource, revision and rung, so two workers that ring at once tell one fact once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from monitor.errors import Unreadable
from monitor.moments import to_millis
from monitor.pipeline.source import Source
from monitor.pipeline.walk import commit_of
from monitor.resources import Document
from monitor.ringing import ring
from monitor.rules import Judgement, Revision, Setting
from monitor.store.deadlines import Armed, Deadlines
from monitor.store.items import DIGEST_SIZE, ItemCommit, Items

BATCH = 500
_UNKNOWN_SOURCE_PAUSE = timedelta(hours=1)
_BROKEN_PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Ringer:
    """Tells deadlines of the given sources; `clock` gives now with zone."""

    items: Items
    deadlines: Deadlines
    sources: Mapping[str, Source]
    clock: Callable[[], datetime]

    async def ring(self) -> int:
        """Look at every deadline that is due now; how many there were (at most one batch)."""
        now = self.clock()
        due = await self.deadlines.due(to_millis(now), BATCH)
        for name, mine in _grouped(due, lambda armed: armed.source).items():
            source = self.sources.get(name)
            if source is None:
                await self.deadlines.postpone(mine, to_millis(now + _UNKNOWN_SOURCE_PAUSE))
            else:
                await self._ring_source(source, mine, now)
        return len(due)

    async def _ring_source(self, source: Source, due: Sequence[Armed], now: datetime) -> None:
        by_item = _grouped(due, lambda armed: armed.item)
        ids = list(by_item)
        stored = await self.items.stored(source.name, ids)
        documents = await self._documents(source.name, ids, stored)
        commits: list[ItemCommit] = []
        for id, value, document in zip(ids, stored, documents, strict=True):
            mine = by_item[id]
            if isinstance(document, Unreadable):
                structlog.get_logger().error("deadline.unreadable", source=source.name, item=id, error=str(document))
                await self.deadlines.postpone(mine, to_millis(now + _BROKEN_PAUSE))
                continue
            if value is None or document is None:
                await self.deadlines.drop(mine)
                continue
            try:
                judgement = self._tell(source, document, mine, now)
            except Exception:  # noqa: BLE001 - one that cannot be told must not keep all that come after it
                structlog.get_logger().exception("deadline.broken", source=source.name, item=id)
                await self.deadlines.postpone(mine, to_millis(now + _BROKEN_PAUSE))
                continue
            commit = commit_of(source, id, value, value[:DIGEST_SIZE], document, judgement)
            stale = [armed.member for armed in mine if armed.member not in {member for _, member in commit.arm}]
            commits.append(commit.disarming(stale))
        conflicts = await self.items.commit(source.name, commits, fence="", now_ms=to_millis(now))
        written = [commit for commit in commits if commit.id not in conflicts]
        told = [revision.event.id for commit in written for revision in commit.revisions]
        structlog.get_logger().info(
            "deadlines.rung", source=source.name, looked_at=len(due), told=len(told), event_ids=told
        )

    async def _documents(
        self, source: str, ids: Sequence[str], stored: Sequence[bytes | None]
    ) -> Sequence[Document | Unreadable | None]:
        """The documents of items; of one that cannot be read the reason, and the others all the same."""
        try:
            return await self.items.documents(source, ids, stored)
        except Unreadable:
            found: list[Document | Unreadable | None] = []
        for id, value in zip(ids, stored, strict=True):
            try:
                found += await self.items.documents(source, [id], [value])
            except Unreadable as error:
                found.append(error)
        return found

    def _tell(self, source: Source, document: Document, due: Sequence[Armed], now: datetime) -> Judgement:
        """The document after every rung that must be told now, with the events."""
        revisions: list[Revision] = []
        setting = Setting(source.name, source.provider.vocabulary, source.clockwork, now)
        for armed in due:
            judgement = ring(document, armed.ref, armed.type, setting)
            document = judgement.document
            revisions += judgement.revisions
        return Judgement(document, tuple(revisions))


def _grouped(due: Sequence[Armed], by: Callable[[Armed], str]) -> Mapping[str, list[Armed]]:
    groups: dict[str, list[Armed]] = {}
    for armed in due:
        groups.setdefault(by(armed), []).append(armed)
    return groups
