"""What a digest says: the next deadlines, and what has happened, as far as routes send it to that target."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.conditions.families import family_of
from monitor.deadlines import rules_of
from monitor.errors import Unreadable
from monitor.ladders import deadline_of
from monitor.moments import parse_date, stamp, to_millis
from monitor.pipeline.source import Source
from monitor.resources import Document, Known, pick
from monitor.routing import Router, rank
from monitor.store.conditions import Conditions
from monitor.store.deadlines import Deadlines
from monitor.store.eventlog import EventLog
from monitor.store.items import Items
from monitor.store.reading import Reading, StoredDelivery, Wanted
from monitor.targets.digest import Digest
from monitor.targets.telling import Moment, plain_text, read, tell
from monitor.vocabulary import DeadlineRule

KEPT = "kept for the digest"
"""Why a delivery to a target with a digest is not sent by itself; such deliveries are what its digest counts."""

DEADLINES, IMPORTANT, TYPES = 50, 10, 30
"""What a digest names one by one at the most; it says how many more there are."""

_ARMED = 10_000
_AT_ONCE = 100
_AFTER_THE_DATE = timedelta(days=8)
"""A date stays armed until it is told that it is over: a day later, some more over weekends and holidays."""


@dataclass(frozen=True, slots=True)
class DigestContent:
    """Gathers what a digest says from what the store holds."""

    items: Items
    deadlines: Deadlines
    log: EventLog
    reading: Reading
    conditions: Conditions
    sources: Mapping[str, Source]
    router: Router

    async def gather(self, target: str, digest: Digest, now: datetime, window: tuple[int, int]) -> dict[str, Any]:
        """`details` of the event; empty when there is nothing to say. `window` is from when to when (ms) it counts."""
        ahead = sorted(
            [one async for one in self._ahead(target, digest, now)], key=lambda one: (one["day"], one["key"])
        )
        types: Counter[str] = Counter()
        important: list[tuple[int, int, str, StoredDelivery]] = []
        wanted = Wanted(status="suppressed", since=window[0], until=window[1])
        async for _, one in self.reading.deliveries([target], wanted, newest_first=False):
            if one is None or one.reason != KEPT:
                continue
            types[one.type] += 1
            # The gravest, of those the latest.
            heapq.heappush(important, (rank(one.severity), one.made_ms, one.id, one))
            if len(important) > IMPORTANT:
                heapq.heappop(important)
        if not ahead and not types:
            return {}
        loudest = [one for *_, one in sorted(important, reverse=True)]
        return {
            "days": digest.days,
            "deadlines": ahead[:DEADLINES],
            "deadlines_total": len(ahead),
            "events": dict(types.most_common(TYPES)),
            "events_total": types.total(),
            "important": [told for one in loudest if (told := await self._told(one))],
        }

    async def _told(self, one: StoredDelivery) -> dict[str, Any] | None:
        stored = await self.log.get(one.event)
        if stored is None:
            return None
        facts = read(stored.body)
        sentence = tell(facts).sentence
        return {
            "id": one.event,
            "type": one.type,
            "key": one.key,
            "severity": one.severity,
            "state": await self._state(one),
            "text": plain_text(sentence, 300),
            "moments": [part.at for part in sentence if isinstance(part, Moment)],
            "url": facts.url,
        }

    async def _state(self, one: StoredDelivery) -> str | None:
        """How the condition that an event told stands now: open, resolved or expired; None where it told none."""
        family = family_of(one.type)
        if family is None:
            return None
        ledger = (await self.conditions.ledgers([one.key])).get(one.key)
        known = ledger.conditions.get(family.name) if ledger else None
        # What nobody remembers any more ended long ago.
        return "open" if known and not known.ended else "expired" if known and known.expired else "resolved"

    async def _ahead(self, target: str, digest: Digest, now: datetime) -> AsyncIterator[dict[str, Any]]:
        """The deadlines of today and the next days whose events would go to this target."""
        until = now + timedelta(days=digest.days) + _AFTER_THE_DATE
        by_source: dict[str, dict[str, set[tuple[str, str]]]] = {}
        for armed in await self.deadlines.due(to_millis(until), _ARMED):
            by_source.setdefault(armed.source, {}).setdefault(armed.item, set()).add((armed.ref, armed.type))
        for name, wanted in by_source.items():
            source = self.sources.get(name)
            if source is None:
                continue
            async for item, document in self._documents(name, list(wanted)):
                for ref, type_ in sorted(wanted[item]):
                    known = document.known.get(ref)
                    kind = source.provider.vocabulary.kinds.get(known.resource.kind) if known else None
                    for rule in rules_of(known, kind) if known else ():
                        told = _deadline(source, known, rule, digest, now) if known and rule.type == type_ else None
                        if known and told and self._goes(source, known, rule, target):
                            yield told

    async def _documents(self, source: str, ids: Sequence[str]) -> AsyncIterator[tuple[str, Document]]:
        """Documents by item; what cannot be read is left out: its source says so."""
        for start in range(0, len(ids), _AT_ONCE):
            chunk = ids[start : start + _AT_ONCE]
            found: list[Document | None] = []
            try:
                found = await self.items.documents(source, chunk)
            except Unreadable:
                for id in chunk:
                    try:
                        found += await self.items.documents(source, [id])
                    except Unreadable:
                        found.append(None)
            for id, document in zip(chunk, found, strict=True):
                if document is not None:
                    yield id, document

    def _goes(self, source: Source, known: Known, rule: DeadlineRule, target: str) -> bool:
        """Whether routes would send the event of this deadline to this target."""
        resource = known.resource
        event = {
            "type": rule.type,
            "subject": resource.ref,
            "data": {
                "provider": source.provider.vocabulary.provider,
                "source": source.name,
                "key": f"{source.name}/{resource.ref}",
                "resource": {
                    "kind": resource.kind,
                    "id": resource.id,
                    "title": resource.title,
                    "state": resource.state,
                    "fields": resource.fields,
                },
            },
        }
        return any(one.target == target for one in self.router.decide(event))


def _deadline(source: Source, known: Known, rule: DeadlineRule, digest: Digest, now: datetime) -> dict[str, Any] | None:
    """One deadline as a digest names it; None when it is over, or further off."""
    resource, zone = known.resource, ZoneInfo(digest.timezone)
    value = pick(resource.fields, rule.field)
    found = deadline_of(rule, value, source.clockwork.zone)
    if found is None or (isinstance(found, datetime) and found < now):
        return None
    given = parse_date(value)
    day: date = given or (found.astimezone(zone).date() if isinstance(found, datetime) else found)
    left = (day - now.astimezone(zone).date()).days
    if not 0 <= left <= digest.days:
        return None
    return {
        "day": day.isoformat(),
        "days_left": left,
        "at": stamp(found) if isinstance(found, datetime) and given is None else None,
        "key": f"{source.name}/{resource.ref}",
        "source": source.name,
        "title": resource.title[:300],
        "state": resource.state,
        "field": rule.field,
        "url": resource.url,
    }
