"""One attempt at one lane: the message is made and sent, and its outcome becomes what the store must record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog

from monitor.backoff import next_delay
from monitor.errors import TransportError
from monitor.events import Event, monitor_event
from monitor.moments import stamp, to_millis
from monitor.pipeline.target import TargetRuntime
from monitor.routing import SEVERITIES
from monitor.store.lanes import Attempt, ClaimedLane, Settled
from monitor.targets.base import Message, Outcome, Verdict

RESPONSE_LIMIT = 4096
_HOLD_AT_LEAST = 1.0
_HOLD_UNASKED = 30.0


class _Id(msgspec.Struct):
    id: str


_ids = msgspec.json.Decoder(_Id)


@dataclass(frozen=True, slots=True)
class Made:
    """An attempt that was made: what to record, how long the whole target must be quiet, whether it is disabled."""

    settled: Settled
    hold: float = 0.0
    disable: bool = False


@dataclass(frozen=True, slots=True)
class Attempts:
    """Makes attempts. `clock` gives now with zone, `random` jitter from 0 to 1."""

    clock: Callable[[], datetime]
    random: Callable[[], float]

    async def make(self, runtime: TargetRuntime, lane: ClaimedLane) -> Made:
        """Send a claimed lane's message once; whatever happens comes back as a value."""
        started, begun = self.clock(), time.perf_counter()
        number = max(one.attempts for one in lane.waiting) + 1
        bodies = tuple(one.body for one in lane.waiting)
        grade = _worst(one.severity for one in lane.waiting)
        message = Message(_ids.decode(bodies[0]).id, bodies, number, started, grade)
        outcome = await self._send(runtime, message)
        attempt = Attempt(
            n=number,
            at=stamp(started),
            status=outcome.status,
            ms=round((time.perf_counter() - begun) * 1000),
            error=outcome.error,
            response=outcome.response[:RESPONSE_LIMIT],
            address=outcome.address,
        )
        made = self._judge(runtime, lane, message, outcome, attempt)
        structlog.get_logger().info(
            "delivery.attempted",
            target=runtime.name,
            event_id=message.id,
            events=len(bodies),
            attempt=number,
            outcome=made.settled.verdict,
            status=outcome.status,
            ms=attempt.ms,
            error=outcome.error,
        )
        return made

    async def _send(self, runtime: TargetRuntime, message: Message) -> Outcome:
        try:
            return await runtime.sender.run(runtime.target.send(message))
        except TransportError as error:
            return Outcome(Verdict.RETRY, error=f"{error.reason}: {error}")
        except Exception as error:  # noqa: BLE001 - a message that cannot be made must not stop the others
            structlog.get_logger().exception("delivery.broken", target=runtime.name, event_id=message.id)
            return Outcome(Verdict.RETRY, error=f"internal error: {type(error).__name__}")

    def _judge(
        self, runtime: TargetRuntime, lane: ClaimedLane, message: Message, outcome: Outcome, attempt: Attempt
    ) -> Made:
        attempts = [(one.id, attempt) for one in lane.waiting]
        now = self.clock()
        if outcome.verdict is Verdict.DELIVERED:
            news = (self._news(runtime, lane, "disabled", outcome, now),) if outcome.disable else ()
            return Made(Settled(lane, "delivered", 0.0, attempts, news), 0.0, outcome.disable)
        asked = outcome.retry_after
        delay = next_delay(runtime.options.retry, message.attempt, asked, self.random)
        hold = max(asked or min(delay or _HOLD_UNASKED, _HOLD_UNASKED), _HOLD_AT_LEAST) if outcome.hold else 0.0
        if outcome.verdict is Verdict.RETRY and delay is not None:
            return Made(Settled(lane, "retry", delay, attempts), hold)
        what = "disabled" if outcome.disable else "exhausted"
        events = (self._news(runtime, lane, what, outcome, now),)
        return Made(Settled(lane, "failed", 0.0, attempts, events), hold, outcome.disable)

    def _news(self, runtime: TargetRuntime, lane: ClaimedLane, what: str, outcome: Outcome, now: datetime) -> Event:
        ids = [_ids.decode(one.body).id for one in lane.waiting]
        attempts = max(one.attempts for one in lane.waiting) + 1
        return target_event(
            runtime.name,
            what,
            now,
            mark=lane.waiting[0].id,
            events=ids[:20],
            attempts=attempts,
            status=outcome.status,
            error=outcome.error,
        )


def _worst(severities: Iterable[str]) -> str:
    return max(severities, key=lambda one: SEVERITIES.index(one) if one in SEVERITIES else 0)


def target_event(name: str, what: str, now: datetime, *, mark: str, **details: object) -> Event:
    """A fact about a target: `failing`, `recovered`, `exhausted` or `disabled`; `mark` says which one of them."""
    count = to_millis(now)
    return monitor_event("target", name, what, count=count, time=stamp(now), details=details, provider=None, mark=mark)
