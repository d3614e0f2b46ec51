"""Committing changes with events of 1.5 kB, as a scan would."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from monitor.bootstrap import Services
from monitor.diff import diff_item
from monitor.moments import to_millis
from monitor.pipeline.walk import commit_of
from monitor.resources import Resource
from monitor.rules import Setting, judge
from monitor.store.items import ItemCommit

SOURCE = "bench"
BODY = 1500
_FIELDS = {f"field_{n:02d}": f"{n:03d} some words as they are in a document" for n in range(14)}


@dataclass(slots=True)
class Committer:
    """Commits changes, each of another resource; `committed` holds the ids of their events."""

    services: Services
    made: int = 0
    committed: list[str] = field(default_factory=list)

    def changes(self, count: int) -> list[ItemCommit]:
        """So many changes, ready to be committed; nothing is stored yet."""
        source = self.services.sources[SOURCE]
        setting = Setting(SOURCE, source.provider.vocabulary, source.clockwork, datetime.now(UTC))
        found = []
        for number in range(self.made, self.made + count):
            resource = Resource("job", f"job-{number:08d}", f"Job number {number}", "completed", _FIELDS)
            judgement = judge(None, diff_item(None, [resource], source.tracking), setting)
            digest = hashlib.sha256(resource.id.encode()).digest()[:16]
            found.append(commit_of(source, resource.id, b"", digest, None, judgement))
        self.made += count
        return found

    async def commit(self, changes: Sequence[ItemCommit]) -> None:
        """Store them."""
        now_ms = to_millis(datetime.now(UTC))
        conflicts = await self.services.store.items.commit(SOURCE, changes, fence="", now_ms=now_ms)
        if conflicts:
            raise RuntimeError(f"the store refused {conflicts}")
        self.committed += [revision.event.id for one in changes for revision in one.revisions]


def bodies(start: int, count: int) -> list[tuple[str, bytes]]:
    """The limit's events: ids and bodies of 1.5 kB."""
    return [
        (f"limit-{number:08d}", b'{"id":"%08d"}' % number + b" " * (BODY - 17))
        for number in range(start, start + count)
    ]
