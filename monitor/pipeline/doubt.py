"""What a walk saw but does not believe yet: states that must settle, answers older than what is known, doubles.

- With `settle`, a new state is taken once it has held that long; a state that was left again is never told.
- An item whose own stamp is older than the one on record came from a copy that lags behind: it is ignored,
  unless it holds for ten minutes (then it was the record that was wrong).
- An item that one walk showed twice with different content has one winner, the same in every walk: the one
  with the later stamp, else the one with the greater digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from monitor.diff import Change, ItemDiff
from monitor.moments import parse_instant, stamp
from monitor.resources import Document, Resource

OLDER_HOLDS_SECONDS = 600.0
_NEVER = datetime.min.replace(tzinfo=UTC)


class Doubt(msgspec.Struct, frozen=True):
    """One doubtful item: a digest of what it would change, since when it shows it, and whether it came twice."""

    sign: str
    since: str
    double: bool = False


@dataclass(slots=True)
class Doubts:
    """The doubts of one source: those on record, and those that this walk has met or settled."""

    settle: float
    record: Mapping[str, Doubt]
    fresh: dict[str, Doubt | None] = field(default_factory=dict)
    waiting: int = 0
    outdated: int = 0

    def waits(
        self, id: str, document: Document | None, resources: Sequence[Resource], diff: ItemDiff, now: datetime
    ) -> bool:
        """Whether an item's changes must wait; what is new or back is never kept waiting."""
        changes = [change for change in diff.changes if change.what == "changed"]
        if document is None or not changes:
            return False
        older = _is_older(document, resources)
        hold = max(self.settle, OLDER_HOLDS_SECONDS if older else 0.0)
        if hold == 0.0:
            return False
        doubt, sign = self._about(id), _sign(changes)
        since = parse_instant(doubt.since) if doubt and doubt.sign == sign else None
        if since is not None and (now - since).total_seconds() >= hold:
            self.fresh[id] = None
            return False
        self.fresh[id] = Doubt(sign, stamp(since or now), bool(doubt and doubt.double))
        self.waiting += 1
        self.outdated += older
        return True

    def loses(
        self, id: str, document: Document | None, resources: Sequence[Resource], digests: tuple[bytes, bytes]
    ) -> bool:
        """Whether an item that came twice in a walk must yield to the one on record (digests: new, on record)."""
        doubt = self._about(id)
        if doubt is None or not doubt.double or document is None:
            return False
        new, known = _stamps(document, resources)
        return (new or _NEVER, digests[0]) <= (known or _NEVER, digests[1])

    def agree(self, id: str) -> bool:
        """Both sights of this walk are the same: the item is no double any more; True when it was one."""
        doubt = self._about(id)
        if doubt is None or not doubt.double:
            return False
        self.fresh[id] = None
        return True

    def came_twice(self, id: str, now: datetime) -> None:
        """Note that one walk showed an item twice with different content."""
        doubt = self._about(id)
        self.fresh[id] = Doubt(doubt.sign if doubt else "", doubt.since if doubt else stamp(now), double=True)

    def after(self, seen: Container[int], *, complete: bool) -> dict[str, Doubt | None]:
        """What to write down: doubts met, and None for those settled; seen without a doubt, an item is settled."""
        gone = {id: None for id in self.record if complete and id not in self.fresh and hash(id) in seen}
        return {**gone, **self.fresh}

    def _about(self, id: str) -> Doubt | None:
        return self.fresh[id] if id in self.fresh else self.record.get(id)


def _is_older(document: Document, resources: Sequence[Resource]) -> bool:
    new, known = _stamps(document, resources)
    return new is not None and known is not None and new < known


def _stamps(document: Document, resources: Sequence[Resource]) -> tuple[datetime | None, datetime | None]:
    """The provider's stamps of the item's own resource: as it is shown now, and as it is known."""
    known = next(iter(document.known.values()), None)
    return parse_instant(resources[0].stamp if resources else None), parse_instant(known and known.resource.stamp)


def _sign(changes: Sequence[Change]) -> str:
    facts = [[change.ref, change.after.state if change.after else None, change.fields] for change in changes]
    return hashlib.blake2b(msgspec.json.encode(facts, order="deterministic"), digest_size=12).hexdigest()
