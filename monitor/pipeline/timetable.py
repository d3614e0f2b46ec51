"""Which sources are due now, by the store's clock and the slots on record: the same answer in every worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.pipeline.source import Source
from monitor.schedule import due_now, missed_slots, slot_at
from monitor.store.sources import Sources


@dataclass(frozen=True, slots=True)
class Due:
    """A source that must be scanned for a slot; `epoch` of its last claim makes the doorbell's name unique."""

    source: str
    slot: int
    epoch: int
    missed: int


@dataclass(frozen=True, slots=True)
class Timetable:
    """The schedule of the given sources. It claims nothing: the scan does, and refuses a slot that is done."""

    states: Sources
    sources: Mapping[str, Source]

    async def due(self) -> list[Due]:
        """Sources due now, neither running nor paused; slots missed meanwhile are one slot."""
        names = [name for name, source in self.sources.items() if source.options.enabled]
        if not names:
            return []
        now_ms, slots = await self.states.slots(names)
        found = []
        for name, stored in zip(names, slots, strict=True):
            due, every_ms = due_now(name, self.sources[name].pace, stored.pace_ms, now_ms, stored.last)
            if due is None and stored.asked:
                due = stored.last
            if due is not None and not stored.running and stored.paused_until <= now_ms:
                missed = missed_slots(every_ms, due, stored.last)
                found.append(Due(name, due, stored.epoch, missed))
        return found

    def every_ms(self, name: str) -> int:
        """A source's interval in milliseconds."""
        return round(self.sources[name].options.every * 1000)

    async def current_slot(self, name: str) -> int:
        """The slot that a scan made now belongs to."""
        return slot_at(name, self.every_ms(name), await self.states.now_ms())
