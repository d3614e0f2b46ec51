"""Which sources are due now, by the store's clock and the slots on record: the same answer in every worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.pipeline.source import Source
from monitor.schedule import due_now, missed_slots, slot_at
from monitor.store.db import Db, text

_READ = ("slot", "epoch", "paused_until", "pace_ms", "asked", "looked")


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

    db: Db
    sources: Mapping[str, Source]

    async def due(self) -> list[Due]:
        """Sources due now, neither running nor paused; slots missed meanwhile are one slot."""
        names = [name for name, source in self.sources.items() if source.options.enabled]
        if not names:
            return []
        keys = self.db.keys
        commands: list[tuple[str, ...]] = [("TIME",)]
        for name in names:
            commands.append(("HMGET", keys.source(name), *_READ))
            commands.append(("EXISTS", keys.lease(name)))
        (seconds, micros), *replies = await self.db.run_all(commands)
        now_ms = int(seconds) * 1000 + int(micros) // 1000
        found = []
        for name, state, running in zip(names, replies[::2], replies[1::2], strict=True):
            slot, epoch, paused, pace_ms, asked, looked = (int(text(value) or "-1") for value in state)
            last = slot if slot >= 0 else None
            due, every_ms = due_now(name, self.sources[name].pace, pace_ms, now_ms, last)
            if due is None and asked > looked:
                due = last  # somebody asked for a scan since the last one began
            if due is not None and not running and paused <= now_ms:
                missed = missed_slots(every_ms, due, last)
                found.append(Due(name, due, max(epoch, 0), missed))
        return found

    def every_ms(self, name: str) -> int:
        """A source's interval in milliseconds."""
        return round(self.sources[name].options.every * 1000)

    async def current_slot(self, name: str) -> int:
        """The slot that a scan made now belongs to."""
        return slot_at(name, self.every_ms(name), await self.db.now_ms())
