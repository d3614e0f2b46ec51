"""Digests: once a day, at a time on the wall clocks of a zone, a target is told in one message instead of many.

What routes send to such a target is recorded as it happens (`KEPT`) and not sent. When its time has come, the digest
is written as one event for that target alone, and goes the way of every message: lanes, retries, order. The day it is
for moves on in the step that writes it, so it is written once, however many workers look and however often they die.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import structlog

from monitor.days import at_local, days_before
from monitor.events import Event, monitor_event
from monitor.moments import from_millis, stamp
from monitor.pipeline.digest_content import DigestContent
from monitor.pipeline.target import TargetRuntime
from monitor.store.db import Db
from monitor.store.digests import Digests, Mark
from monitor.targets.digest import DIGEST, Digest

EVERY_SECONDS = 5.0

LATE_SECONDS = 600
"""A digest that is written so much later than it was due says so."""


@dataclass(slots=True)
class Digesting:
    """Writes the digests of these targets; `clock` is the store's, with zone."""

    db: Db
    digests: Digests
    content: DigestContent
    targets: Mapping[str, TargetRuntime]
    clock: Callable[[], datetime]
    _done: dict[str, str] = field(default_factory=dict)

    async def look(self) -> int:
        """Write what is due by now; how many digests were written here."""
        written = 0
        for name, runtime in self.targets.items():
            digest = runtime.digest
            if digest is None:
                continue
            now = self.clock()
            day, due = latest(digest, now)
            if self._done.get(name, "") < day.isoformat():
                written += await self._look_at(name, digest, day, due, now)
        return written

    async def _look_at(self, name: str, digest: Digest, day: date, due: datetime, now: datetime) -> bool:
        before, until = await self.digests.mark(name), await self.db.now_ms()
        mark = Mark(day.isoformat(), until)
        if before is None:
            # The first is the next: nothing was kept for one that would have been due before.
            await self.digests.move(name, None, mark)
            return False
        if before.day >= mark.day:
            self._done[name] = mark.day
            return False
        event = await self._written(name, digest, (day, due), now, (before.until_ms, until))
        moved = await self.digests.move(name, before, mark, event)
        if moved:
            late = round((now - due).total_seconds())
            structlog.get_logger().info("digest.due", target=name, day=mark.day, late=late, empty=event is None)
        return moved and event is not None

    async def as_it_would_be(self, name: str) -> Event | None:
        """The digest of one of the targets that gets them, if it were due now; None when there is nothing to say."""
        digest = self.targets[name].digest
        if digest is None:
            return None
        before, until, now = await self.digests.mark(name), await self.db.now_ms(), self.clock()
        window = (before.until_ms if before else until, until)
        return await self._written(name, digest, (latest(digest, now)[0], now), now, window)

    async def _written(
        self, name: str, digest: Digest, when: tuple[date, datetime], now: datetime, window: tuple[int, int]
    ) -> Event | None:
        """The event of a digest for a day, due then; None when there is nothing to say."""
        details = await self.content.gather(name, digest, now, window)
        if not details:
            return None
        day, due = when
        late = round((now - due).total_seconds())
        about = {
            "day": day.isoformat(),
            "timezone": digest.timezone,
            "due": stamp(due),
            "late": late if late > LATE_SECONDS else 0,
            "since": stamp(from_millis(window[0])),
        }
        return _event(name, day, now, {**about, **details})


def _event(target: str, day: date, now: datetime, details: Mapping[str, Any]) -> Event:
    """The event of one target's digest for a day: whoever makes it gives it the same id."""
    event = monitor_event(
        "target",
        target,
        "digest",
        count=day.toordinal(),
        time=stamp(now),
        details=details,
        provider=None,
        mark=day.isoformat(),
    )
    return msgspec.structs.replace(event, type=DIGEST)


def latest(digest: Digest, now: datetime) -> tuple[date, datetime]:
    """The last day whose digest is due by now, and when it was: DST as `monitor.days` has it, so one a day."""
    zone = ZoneInfo(digest.timezone)
    day = now.astimezone(zone).date()
    due = at_local(day, digest.at, zone)
    if due > now:
        day = days_before(day, 1)
        due = at_local(day, digest.at, zone)
    return day, due
