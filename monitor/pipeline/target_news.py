"""News about targets: `jobwire.target.failing`, `exhausted`, `disabled` and `recovered`, from an attempt that shows it.

Who makes them may propose the same fact at once as others do; the store tells each once (`monitor/store/settle.lua`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from monitor.events import Event, monitor_event
from monitor.moments import from_millis, stamp, to_millis
from monitor.store.lanes import ClaimedLane
from monitor.store.patience import Patience
from monitor.targets.base import Outcome

LISTED = 20
_SOON_MS = 600_000
"""An attempt takes less than this, so a target that will have failed for too long by its end is known before it."""


class _Type(msgspec.Struct):
    type: str


_types = msgspec.json.Decoder(_Type)


@dataclass(frozen=True, slots=True)
class Finding:
    """An attempt at a claimed lane and its outcome; `events` are the ids it was about, `now` is this host's time."""

    lane: ClaimedLane
    events: Sequence[str]
    outcome: Outcome
    now: datetime

    def failed(self, patience: Patience, *, ended: bool, hold: float = 0.0) -> Iterator[Event]:
        """The attempt failed, and `ended` its delivery: what may be news now, in the order it is told.

        `hold` is for how many seconds the target is sent nothing: where that is long, nobody waits for more failures.
        """
        health = self.lane.health
        since = health.since_ms if health.failures and health.since_ms is not None else to_millis(self.now)
        shown = stamp(from_millis(since))
        if not health.announced:
            if hold * 1000 > patience.quiet_ms:
                until = stamp(self.now + timedelta(seconds=hold))
                yield self._event(
                    "failing", since=shown, failures=health.failures + 1, until=until, waiting=health.waiting
                )
            else:
                yield self._event("failing", since=shown, failures=patience.failing_after)
        if ended and not self.outcome.disable and not self._about_targets():
            yield self._event("exhausted", attempts=max(one.attempts for one in self.lane.waiting) + 1)
        if self.outcome.disable:
            yield self._event("disabled", reason="asked")
        elif health.failures and health.now_ms - since >= patience.disable_after_ms - _SOON_MS:
            yield self._event("disabled", reason="failing", since=shown)

    def _about_targets(self) -> bool:
        """Nothing but news about targets was given up: two that both fail would tell of each other for ever."""
        return all(_types.decode(one.body).type.startswith("jobwire.target.") for one in self.lane.waiting)

    def delivered(self) -> Iterator[Event]:
        """The attempt arrived: what may be news now."""
        if self.lane.health.announced:
            yield self._event("recovered")
        if self.outcome.disable:
            yield self._event("disabled", reason="asked")

    def _event(self, what: str, **details: object) -> Event:
        name, count = self.lane.target, to_millis(self.now)
        return monitor_event(
            "target",
            name,
            what,
            count=count,
            time=stamp(self.now),
            details={
                **details,
                "events": list(self.events[:LISTED]),
                "status": self.outcome.status,
                "error": self.outcome.error,
            },
            provider=None,
            mark=self.lane.waiting[0].id,
        )
