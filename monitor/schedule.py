"""When a source is due. Pure: slots are multiples of the interval, shifted per source so that not all start at once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

_SLOWER = 1.5


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a source is asked, in seconds: `every`, and the bounds within which that may be adapted."""

    every: float
    least: float | None = None
    most: float | None = None

    @property
    def adapts(self) -> bool:
        """Whether the interval may change from scan to scan."""
        return self.least is not None or self.most is not None


def offset_of(name: str, every_ms: int) -> int:
    """A source's own shift inside its interval, in milliseconds: the same on every machine."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % every_ms


def slot_at(name: str, every_ms: int, now_ms: int) -> int:
    """The latest slot at or before now, in milliseconds since 1970."""
    shift = offset_of(name, every_ms)
    return (now_ms - shift) // every_ms * every_ms + shift


def next_slot(name: str, every_ms: int, now_ms: int) -> int:
    """The first slot after now."""
    return slot_at(name, every_ms, now_ms) + every_ms


def due_slot(name: str, every_ms: int, now_ms: int, last_slot: int | None) -> int | None:
    """The slot to scan now, None when the last one still counts.

    A source that was never scanned is due at once; slots missed meanwhile are one slot, the latest.
    """
    current = slot_at(name, every_ms, now_ms)
    return current if last_slot is None or current > last_slot else None


def paced_slot(every_ms: int, now_ms: int, last_slot: int | None) -> int | None:
    """The slot to scan now where the interval changes from scan to scan: counted from the last one."""
    if last_slot is None:
        return now_ms
    passed = (now_ms - last_slot) // every_ms
    return last_slot + passed * every_ms if passed > 0 else None


def due_now(name: str, pace: Pace, adapted_ms: int, now_ms: int, last_slot: int | None) -> tuple[int | None, int]:
    """The slot to scan now, None when the last one still counts; and the interval (ms) that holds.

    `adapted_ms` is what `next_pace` made of it after the last scan, 0 for nothing.
    """
    if pace.adapts and adapted_ms > 0:
        return paced_slot(adapted_ms, now_ms, last_slot), adapted_ms
    every_ms = round(pace.every * 1000)
    return due_slot(name, every_ms, now_ms, last_slot), every_ms


def next_due(name: str, pace: Pace, adapted_ms: int, now_ms: int, last_slot: int | None) -> int:
    """When the next scan is due, by the same rule: now, or at the slot to come."""
    slot, every_ms = due_now(name, pace, adapted_ms, now_ms, last_slot)
    if slot is not None or last_slot is None:
        return now_ms
    return last_slot + every_ms if pace.adapts and adapted_ms > 0 else next_slot(name, every_ms, now_ms)


def next_pace(pace: Pace, current: float, *, changed: bool, busy: bool) -> float:
    """Seconds until the next scan: sooner while jobs are busy, later and later while nothing changes."""
    if busy and pace.least is not None:
        return min(pace.least, pace.every)
    if changed or busy or pace.most is None:
        return pace.every
    return min(max(pace.most, pace.every), max(current, pace.every) * _SLOWER)


def missed_slots(every_ms: int, slot: int, last_slot: int | None) -> int:
    """How many slots passed unscanned before this one."""
    return 0 if last_slot is None else max(0, (slot - last_slot) // every_ms - 1)
