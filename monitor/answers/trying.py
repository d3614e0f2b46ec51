"""One message to one target, marked as a test, past routes and queues. Nothing is stored."""

from __future__ import annotations

import msgspec

from monitor.clock import Clock
from monitor.errors import TransportError
from monitor.events import Event, encode, event_id, sequence_text
from monitor.moments import stamp, to_millis
from monitor.pipeline.target import TargetRuntime
from monitor.targets.base import Message, Outcome, Verdict

TEST = "jobwire.test"


class TriedView(msgspec.Struct, frozen=True):
    """What became of a test: whether it was `delivered`, what was answered, after how many ms and from where."""

    target: str
    event_id: str
    delivered: bool
    status: int | None
    ms: int
    error: str | None
    response: str
    address: str | None


async def try_target(runtime: TargetRuntime, clock: Clock) -> TriedView:
    """Send a target one event of type `jobwire.test`; what it answered, or why it did not."""
    event = test_event(runtime.name, clock)
    message = Message(id=event.id, events=(encode(event),), attempt=1, sent_at=clock.now())
    began = clock.monotonic()
    outcome = await _send(runtime, message)
    return TriedView(
        target=runtime.name,
        event_id=event.id,
        delivered=outcome.verdict is Verdict.DELIVERED,
        status=outcome.status,
        ms=round((clock.monotonic() - began) * 1000),
        error=outcome.error,
        response=outcome.response,
        address=outcome.address,
    )


def test_event(target: str, clock: Clock) -> Event:
    """A target's name in, an event that says it is a test out; each has an id of its own."""
    now = clock.now()
    number = to_millis(now)
    text = f"A test of target {target}, sent by hand. Nothing has happened."
    return Event(
        id=event_id(target, "target", target, number, TEST),
        source=f"/targets/{target}",
        type=TEST,
        subject=f"target/{target}",
        time=stamp(now),
        sequence=sequence_text(number),
        data={
            "provider": None,
            "source": None,
            "key": f"target/{target}",
            "resource": None,
            "revision": number,
            "state": None,
            "changes": [],
            "deadline": None,
            "occurred_at": None,
            "last_seen_before": None,
            "first_seen_after": stamp(now),
            "details": {"text": text},
        },
    )


async def _send(runtime: TargetRuntime, message: Message) -> Outcome:
    try:
        return await runtime.sender.run(runtime.target.send(message))
    except TransportError as error:
        return Outcome(Verdict.FAILED, error=f"{error.reason}: {error}")
