"""What was sent to whom, with every attempt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from monitor.moments import from_millis, stamp
from monitor.store.lanes import Attempt
from monitor.store.reading import Reading, StoredDelivery


class DeliveryView(msgspec.Struct, frozen=True):
    """One event for one target: `status` is pending, delivered or failed, `next_at` when it is tried again."""

    id: str
    event_id: str
    target: str
    status: str
    attempts: Sequence[Attempt]
    next_at: str | None


async def latest_deliveries(
    reading: Reading, targets: Iterable[str], *, status: str | None = None, limit: int
) -> list[StoredDelivery]:
    """The latest deliveries of these targets, at most `limit` in all, oldest first."""
    found: list[StoredDelivery] = []
    for target in targets:
        mine = 0
        async for delivery in reading.deliveries(target):
            if mine == limit:
                break
            if status is None or delivery.status == status:
                found.append(delivery)
                mine += 1
    found.sort(key=lambda delivery: delivery.made_ms)
    return found[-limit:] if limit > 0 else []


async def deliveries_from(
    reading: Reading, targets: Iterable[str], before: tuple[int, str] | None, *, status: str | None = None, limit: int
) -> list[StoredDelivery]:
    """The latest deliveries of these targets that are older than a place (when made, id), the newest first."""
    found: list[StoredDelivery] = []
    for target in targets:
        mine = 0
        async for delivery in reading.deliveries(target, before):
            if mine == limit:
                break
            if status is None or delivery.status == status:
                found.append(delivery)
                mine += 1
    found.sort(key=lambda delivery: (delivery.made_ms, delivery.id), reverse=True)
    return found[:limit]


def delivery_view(stored: StoredDelivery) -> DeliveryView:
    """A stored delivery in, what people see of it out."""
    return DeliveryView(
        id=stored.id,
        event_id=stored.event,
        target=stored.target,
        status=stored.status,
        attempts=stored.attempts,
        next_at=stamp(from_millis(stored.next_ms)) if stored.next_ms is not None else None,
    )
