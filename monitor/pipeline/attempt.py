"""One attempt at one lane: the message is made and sent, and its outcome becomes what the store must record."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog

from monitor.backoff import next_delay
from monitor.errors import Paused, TransportError
from monitor.events import Event, id_in
from monitor.moments import stamp
from monitor.pipeline.catchup import told
from monitor.pipeline.target import TargetRuntime
from monitor.pipeline.target_news import Finding
from monitor.pipeline.traces import Traces
from monitor.routing import gravest
from monitor.store.lanes import Attempt, ClaimedLane, Settled
from monitor.store.patience import Patience
from monitor.targets.base import Message, Outcome, Verdict
from monitor.targets.trace import attempt_span, trace_id

RESPONSE_LIMIT = 4096
ERROR_LIMIT = 500
_HOLD_AT_LEAST = 1.0
_HOLD_UNASKED = 30.0
_NO_RECEIVER = frozenset({502, 503, 504, *range(520, 531)})
"""Answers of a gateway before the receiver: to the circuit the same as no answer. A 500 may be one event's fault.

https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/
"""


@dataclass(frozen=True, slots=True)
class Made:
    """An attempt that was made: what to record, how long the whole target must be quiet, whether it is disabled.

    `perhaps`: nobody knows whether the receiver took what was sent.
    """

    settled: Settled
    hold: float = 0.0
    disable: bool = False
    remember: Mapping[str, Any] | None = None
    perhaps: bool = False


@dataclass(frozen=True, slots=True)
class Attempts:
    """Makes attempts. `clock` gives now with zone, `random` jitter from 0 to 1."""

    clock: Callable[[], datetime]
    random: Callable[[], float]
    patience: Patience = field(default=Patience())
    traces: Traces = field(default=Traces())

    async def make(self, runtime: TargetRuntime, lane: ClaimedLane, message: Message | None = None) -> Made:
        """Send a claimed lane's message once, or the one that is given; whatever happens comes back as a value."""
        started, begun = self.clock(), time.perf_counter()
        waiting = lane.waiting
        alone = len(waiting) == 1
        number = (waiting[0].attempts if alone else max(one.attempts for one in waiting)) + 1
        if message is None:
            bodies = tuple(map(told, waiting))
            grade = waiting[0].severity if alone else gravest(one.severity for one in waiting)
            message = Message(id_in(bodies[0]), bodies, number, started, grade)
        else:
            message = replace(message, attempt=number, sent_at=started)
        try:
            outcome, network = await self._send(runtime, message)
        except Paused as error:
            return _put_off(runtime, lane, message, error)
        attempt = Attempt(
            n=number,
            at=stamp(started),
            status=outcome.status,
            ms=round((time.perf_counter() - begun) * 1000),
            error=outcome.error[:ERROR_LIMIT] if outcome.error else None,
            response=outcome.response[:RESPONSE_LIMIT],
            address=outcome.address,
        )
        made = self._judge(runtime, lane, message, outcome, attempt, network=network)
        self._tell(runtime, lane, message, outcome, made)
        return replace(made, remember=outcome.remember, perhaps=outcome.perhaps)

    def _tell(self, runtime: TargetRuntime, lane: ClaimedLane, message: Message, outcome: Outcome, made: Made) -> None:
        """One line in the log, and one span, of an attempt; of a message about several events every id."""
        (_, attempt), *_ = made.settled.attempts
        others: list[str] = []
        if len(message.events) > 1 or len(lane.waiting) > 1:
            others = [id for id in dict.fromkeys(map(id_in, message.events)) if id != message.id]
        many = {"event_ids": [message.id, *others], "deliveries": [one.id for one in lane.waiting]}
        structlog.get_logger().info(
            "delivery.attempted",
            target=runtime.name,
            event_id=message.id,
            delivery=lane.waiting[0].id,
            trace_id=trace_id(message.id),
            span_id=attempt_span(message.id, runtime.target.address(), message.attempt, message.sent_at),
            events=len(message.events),
            attempt=attempt.n,
            outcome=made.settled.verdict,
            status=outcome.status,
            ms=attempt.ms,
            error=outcome.error,
            **(many if others or len(lane.waiting) > 1 else {}),
        )
        self.traces.attempted(runtime, message, outcome, made.settled.verdict, others, self.clock())

    async def _send(self, runtime: TargetRuntime, message: Message) -> tuple[Outcome, bool | None]:
        """The outcome, and whether the receiver could not be reached; None when it was not even asked."""
        try:
            outcome = await runtime.sender.run(runtime.target.send(message))
            return outcome, outcome.status in _NO_RECEIVER
        except Paused:
            raise
        except TransportError as error:
            said = f"{error.reason}: {error}"
            return Outcome(Verdict.RETRY, error=said, address=error.address, taken=error.sent), True
        except Exception as error:  # noqa: BLE001 - a message that cannot be made must not stop the others
            structlog.get_logger().exception("delivery.broken", target=runtime.name, event_id=message.id)
            return Outcome(Verdict.RETRY, error=f"internal error: {type(error).__name__}"), None

    def _judge(
        self,
        runtime: TargetRuntime,
        lane: ClaimedLane,
        message: Message,
        outcome: Outcome,
        attempt: Attempt,
        *,
        network: bool | None,
    ) -> Made:
        attempts = [(one.id, attempt) for one in lane.waiting]
        if outcome.verdict is Verdict.DELIVERED:
            events = self._news(lane, outcome) if outcome.disable or lane.health.announced else ()
            return Made(Settled(lane, "delivered", 0.0, attempts, events), 0.0, outcome.disable)
        asked = outcome.retry_after
        delay = next_delay(runtime.options.retry, message.attempt, asked, self.random)
        hold = max(asked or min(delay or _HOLD_UNASKED, _HOLD_UNASKED), _HOLD_AT_LEAST) if outcome.hold else 0.0
        again = outcome.verdict is Verdict.RETRY and delay is not None
        events = self._news(lane, outcome, ended=not again, hold=hold)
        settled = Settled(
            lane=lane,
            verdict="retry" if again else "failed",
            delay=delay if again and delay is not None else 0.0,
            attempts=attempts,
            events=events,
            network=network,
            asked=hold * 1000 > self.patience.quiet_ms,
        )
        return Made(settled, hold, outcome.disable)

    def _news(self, lane: ClaimedLane, outcome: Outcome, *, ended: bool = False, hold: float = 0.0) -> Sequence[Event]:
        finding = Finding(lane, [id_in(one.body) for one in lane.waiting], outcome, self.clock())
        if outcome.verdict is Verdict.DELIVERED:
            return tuple(finding.delivered())
        return tuple(finding.failed(self.patience, ended=ended, hold=hold))

    def recovered(self, lane: ClaimedLane) -> Event:
        """The news that a target has recovered, from the lane that shows it."""
        known = replace(lane, health=replace(lane.health, announced=True))
        (event,) = self._news(known, Outcome(Verdict.DELIVERED))
        return event


def _put_off(runtime: TargetRuntime, lane: ClaimedLane, message: Message, error: Paused) -> Made:
    """Not sent, because nobody may send there now: no attempt, nobody's failure, and the same again after the pause."""
    structlog.get_logger().info(
        "delivery.put_off", target=runtime.name, event_id=message.id, seconds=error.retry_after, why=str(error)
    )
    hold = max(error.retry_after, _HOLD_AT_LEAST) if error.asked else 0.0
    return Made(Settled(lane, "retry", error.retry_after, ()), hold)
