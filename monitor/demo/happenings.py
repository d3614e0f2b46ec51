"""Changes at the providers in, the moment that what an event tells of happened out."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.moments import parse_instant
from monitor.simulator.life import Change

_KEPT = 50  # changes of one document
_RECENT = 15.0  # seconds: a date that falls due later than that does so by the clock, not by the change


@dataclass(slots=True)
class Happenings:
    """Remembers when each document was changed. Times are seconds since 1970, by this machine's clock."""

    count: int = 0
    _changes: dict[tuple[str, str], deque[float]] = field(default_factory=dict)
    _told: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    def note(self, change: Change, at: float) -> None:
        """Something happened at a provider; of what is no document, such as planned trouble, nothing is kept."""
        if change.item_id is None:
            return
        self.count += 1
        self._changes.setdefault((change.provider, str(change.item_id)), deque(maxlen=_KEPT)).append(at)

    def of(self, event: Mapping[str, Any]) -> float | None:
        """When the first of the changes that this event tells of was made; None when no change is known.

        An event tells of all changes between two looks at its document, and several events can tell of the same.
        """
        item = _item(event)
        until = _seconds(event["data"].get("first_seen_after"))
        if item is None or not until:
            return None
        before = max(self._told_before(item, until), _seconds(event["data"].get("last_seen_before")))
        made = [at for at in self._changes.get(item, ()) if at <= until]
        fresh = [at for at in made if at > before]
        if fresh:
            return fresh[0]
        return made[-1] if made and until - made[-1] < _RECENT else None

    def _told_before(self, item: tuple[str, str], until: float) -> float:
        """Up to when the look before this one had seen the document."""
        before, last = self._told.get(item, (0.0, 0.0))
        if until > last:
            before, last = last, until
            self._told[item] = (before, last)
        return before


def _seconds(text: str | None) -> float:
    moment = parse_instant(text)
    return moment.timestamp() if moment else 0.0


def _item(event: Mapping[str, Any]) -> tuple[str, str] | None:
    """The provider's document that an event is about: that of the driver for a contract or interview."""
    resource = event["data"].get("resource")
    if not resource:
        return None
    parent = resource.get("parent")
    # A parent is a key: source/kind/id.
    id_ = parent.split("/", 2)[2] if parent else resource["id"]
    return event["data"]["provider"], id_
