"""What is open and who has it; which silences there are: as people and programs see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from monitor.conditions.brief import severity_of
from monitor.conditions.condition import Condition, Status
from monitor.conditions.ledger import Ledger
from monitor.conditions.life import times
from monitor.moments import stamp
from monitor.silences import Silence

_ORDER = (Status.OPEN, Status.ACKNOWLEDGED, Status.SNOOZED, Status.RESOLVED, Status.EXPIRED)


class ConditionView(msgspec.Struct, frozen=True):
    """One condition: `state` is open, acknowledged, snoozed, resolved or expired; `times` counts openings in 2 h."""

    id: str
    key: str
    family: str
    type: str
    state: str
    severity: str
    title: str
    source: str | None
    opened_at: str
    changed_at: str
    ended_at: str | None
    ended_by: str | None
    revision: int
    times: int
    event_id: str
    acknowledged_by: str | None
    snoozed_until: str | None
    comment: str | None
    targets: Sequence[str]


class SilenceView(msgspec.Struct, frozen=True):
    """One silence: `state` is pending, active or expired; `matchers` are as they are typed."""

    id: str
    state: str
    matchers: Sequence[str]
    starts_at: str
    ends_at: str
    until_change: bool
    by: str
    comment: str
    created_at: str


def condition_views(
    ledgers: Mapping[str, Ledger], now: datetime, *, every: bool = False, source: str | None = None
) -> list[ConditionView]:
    """Ledgers in, their open conditions (`every`: also those that ended lately) out; what nobody has first."""
    found = [
        one
        for ledger in ledgers.values()
        for one in ledger.conditions.values()
        if (every or not one.ended) and source in (None, one.source)
    ]
    found.sort(key=lambda one: (_ORDER.index(one.status(now)), one.opened_at, one.id))
    return [condition_view(one, now) for one in found]


def condition_view(one: Condition, now: datetime) -> ConditionView:
    """A condition in, what people see of it out; its severity is what the routes say that tell of it."""
    status = one.status(now)
    word = one.snooze if status is Status.SNOOZED and one.snooze else one.acknowledgement
    until = one.snooze.until if status is Status.SNOOZED and one.snooze else None
    return ConditionView(
        id=one.id,
        key=one.key,
        family=one.family,
        type=one.type,
        state=status,
        severity=severity_of(one),
        title=one.title,
        source=one.source,
        opened_at=stamp(one.opened_at),
        changed_at=stamp(one.changed_at),
        ended_at=stamp(one.ended_at) if one.ended_at else None,
        ended_by=one.ended_by,
        revision=one.revision,
        times=times(one, now),
        event_id=one.event,
        acknowledged_by=word.by if word else None,
        snoozed_until=stamp(until) if until else "it changes" if status is Status.SNOOZED else None,
        comment=word.comment or None if word else None,
        targets=sorted({place.target for place in one.places if not place.left}),
    )


def silence_views(silences: Iterable[Silence], now: datetime) -> list[SilenceView]:
    """Silences in, what people see of them out, those that count now first."""
    order = ("active", "pending", "expired")
    return [
        silence_view(one, now) for one in sorted(silences, key=lambda one: (order.index(one.state(now)), one.ends_at))
    ]


def silence_view(one: Silence, now: datetime) -> SilenceView:
    """A silence in, what people see of it out."""
    return SilenceView(
        id=one.id,
        state=one.state(now),
        matchers=[str(matcher) for matcher in one.matchers],
        starts_at=stamp(one.starts_at),
        ends_at=stamp(one.ends_at),
        until_change=one.until_change,
        by=one.by,
        comment=one.comment,
        created_at=stamp(one.created_at),
    )
