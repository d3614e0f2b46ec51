"""What was sent to whom, with every attempt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from monitor.moments import from_millis, stamp
from monitor.store.lanes import Attempt
from monitor.store.reading import Reading, StoredDelivery, Wanted

LOOKED_AT = 5000
"""How many deliveries are looked at for one page of a list, however few of them are wanted."""


class DeliveryView(msgspec.Struct, frozen=True):
    """One event for one target: `status` is pending, delivered or failed, `next_at` when it is tried again.

    Only where details are wanted: when it was made, the type of the event, and the key of what it is about.
    """

    id: str
    event_id: str
    target: str
    status: str
    attempts: Sequence[Attempt]
    next_at: str | None
    made_at: str | msgspec.UnsetType = msgspec.UNSET
    type: str | msgspec.UnsetType = msgspec.UNSET
    key: str | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """A part of a list, the newest first, and the place (when made, id) where the rest begins; None at its end."""

    items: Sequence[StoredDelivery]
    rest: tuple[int, str] | None


async def latest_deliveries(
    reading: Reading, targets: Sequence[str], wanted: Wanted, *, limit: int
) -> list[StoredDelivery]:
    """The latest deliveries of these targets, at most `limit` in all, oldest first."""
    found: list[StoredDelivery] = []
    if limit > 0:
        async for _, delivery in reading.deliveries(targets, wanted, at_once=_at_once(limit)):
            if delivery is not None:
                found.append(delivery)
            if len(found) == limit:
                break
    return found[::-1]


async def deliveries_page(
    reading: Reading, targets: Sequence[str], wanted: Wanted, after: tuple[int, str] | None, *, limit: int
) -> DeliveryPage:
    """The next `limit` deliveries after a place, the newest first; fewer where too many had to be looked at."""
    found: list[StoredDelivery] = []
    place, looked_at = after, 0
    async for spot, delivery in reading.deliveries(targets, wanted, after, at_once=_at_once(limit + 1)):
        if looked_at == LOOKED_AT or (len(found) == limit and delivery is not None):
            return DeliveryPage(found, place)
        if delivery is not None:
            found.append(delivery)
        place, looked_at = (spot.made_ms, spot.id), looked_at + 1
    return DeliveryPage(found, None)


async def deliveries_of(
    reading: Reading, targets: Sequence[str], event: str, status: str | None = None
) -> list[StoredDelivery]:
    """The deliveries of one event, oldest first; with `status` only those that are so."""
    found = await reading.of_event(event, targets)
    chosen = [one for one in found if status in {None, one.status}]
    return sorted(chosen, key=lambda one: (one.made_ms, one.id))


def delivery_view(stored: StoredDelivery, *, detail: bool = False) -> DeliveryView:
    """A stored delivery in, what people see of it out."""
    more = {"made_at": stamp(from_millis(stored.made_ms)), "type": stored.type, "key": stored.key} if detail else {}
    return DeliveryView(
        id=stored.id,
        event_id=stored.event,
        target=stored.target,
        status=stored.status,
        attempts=stored.attempts,
        next_at=stamp(from_millis(stored.next_ms)) if stored.next_ms is not None else None,
        **more,
    )


def _at_once(limit: int) -> int:
    return max(10, min(200, limit))
