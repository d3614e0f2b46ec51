"""Catching up by the latest: which of a lane's waiting events a later one stands for, and how that one lists them.

Pure. An event takes the place of an earlier one of the same resource only when it shows a later revision of it whole,
so whatever the earlier one said, that something is over included, the later one implies. Clock events stand for no
change, and news about sources and targets are never left out. This is `catch_up: latest` of a target that gets each
event; many late groups in one message are `backlog`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from monitor.store.lanes import Waiting

AT_ONCE = 100
"""Deliveries of a lane that are looked at together."""

LISTED = 100
"""Events that one body lists at the most, the latest ones; `revision` shows that there were more."""


class _State(msgspec.Struct, frozen=True):
    before: str | None
    after: str | None


class _Change(msgspec.Struct, frozen=True):
    field: str


class _Data(msgspec.Struct, frozen=True):
    key: str
    revision: int
    resource: msgspec.Raw
    state: _State | None = None
    changes: list[_Change] = []


class _Event(msgspec.Struct, frozen=True):
    id: str
    type: str
    time: str
    data: _Data

    @property
    def clock(self) -> bool:
        """Told by a clock: it shows a revision that another event has told."""
        return self.data.state is None

    def stands_for(self, earlier: _Event) -> bool:
        """Whether who gets this one needs not get the earlier one."""
        mine, theirs = self.data, earlier.data
        whole = bytes(mine.resource) != b"null" and bytes(theirs.resource) != b"null"
        later = mine.key == theirs.key and mine.revision > theirs.revision
        return whole and later and (earlier.clock or not self.clock)

    def listed(self) -> dict[str, Any]:
        """How this event is listed in the one that takes its place."""
        state = self.data.state
        return {
            "id": self.id,
            "type": self.type,
            "time": self.time,
            "revision": self.data.revision,
            "state": state and {"before": state.before, "after": state.after},
            "changed": [change.field for change in self.data.changes],
        }


_events = msgspec.json.Decoder(_Event)


@dataclass(frozen=True, slots=True)
class Folded:
    """The deliveries that stay, in order, and for each that stands for others: their ids, and its list as JSON."""

    stay: Sequence[Waiting]
    taken: Mapping[str, Sequence[str]]
    skipped: Mapping[str, bytes]


def fold(waiting: Sequence[Waiting]) -> Folded:
    """A lane's waiting deliveries in order in, what is left of them out.

    What was sent before stays as it was: a body that a receiver may have seen under this id never changes.
    """
    try:
        events = [_events.decode(one.body) for one in waiting]
    except msgspec.DecodeError:  # of another version: nothing is known of what stands for what
        return Folded(waiting, {}, {})
    stay: list[int] = []
    behind: dict[int, list[int]] = {}
    for place in reversed(range(len(waiting))):
        last = stay[-1] if stay else None
        if last is not None and not waiting[last].attempts and events[last].stands_for(events[place]):
            behind.setdefault(last, []).append(place)
        else:
            stay.append(place)
    skipped: dict[str, bytes] = {}
    for last, places in behind.items():
        entries: list[Any] = []
        for place in reversed(places):
            entries += [*_list(waiting[place]), events[place].listed()]
        skipped[waiting[last].id] = msgspec.json.encode((entries + _list(waiting[last]))[-LISTED:])
    return Folded(
        [
            replace(one, skipped=skipped[one.id]) if one.id in skipped else one
            for one in (waiting[place] for place in reversed(stay))
        ],
        {waiting[last].id: [waiting[place].id for place in reversed(places)] for last, places in behind.items()},
        skipped,
    )


def told(one: Waiting) -> bytes:
    """A waiting delivery in, the body that is sent at each of its attempts out: the stored event's bytes.

    Where it takes the place of others, `data.skipped` is put at its end, of bytes that are stored as well.
    """
    return one.body[:-2] + b',"skipped":' + one.skipped + b"}}" if one.skipped else one.body


def _list(one: Waiting) -> list[Any]:
    listed: list[Any] = msgspec.json.decode(one.skipped) if one.skipped else []
    return listed
