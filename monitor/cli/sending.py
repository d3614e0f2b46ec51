"""`jobwire send-test`: one message to one target, marked as a test. Nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Annotated, Any

from cyclopts import Parameter

from monitor.bootstrap import open_targets, rotation_of
from monitor.cli import session
from monitor.cli.entry import FAILED
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, note, plain, say
from monitor.clock import Clock
from monitor.errors import TransportError
from monitor.events import Event, encode, event_id, sequence_text
from monitor.moments import stamp, to_millis
from monitor.pipeline.target import TargetRuntime
from monitor.settings import Settings
from monitor.store.connect import connect
from monitor.targets.base import Message, Outcome, Verdict

TEST = "jobwire.test"

TargetToTest = Annotated[str, Parameter(help="The target's name in the config file.")]


async def send_test(target: TargetToTest, /, *, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    """Send one event of type jobwire.test to a target, past routes and queues, and print its answer.

    Exits with 1 if the target did not take it.
    """
    settings = session.read(config)
    session.known("target", target, settings.targets)
    clock = Clock()
    async with AsyncExitStack() as stack:
        targets = await open_targets(settings, clock, stack)
        await _with_rotated_secrets(settings, targets, clock, stack)
        runtime = targets[target]
        event = test_event(target, clock)
        message = Message(id=event.id, events=(encode(event),), attempt=1, sent_at=clock.now())
        began = clock.monotonic()
        outcome = await _send(runtime, message)
        ms = round((clock.monotonic() - began) * 1000)
    arrived = outcome.verdict is Verdict.DELIVERED
    if as_json:
        json_line(_answer(target, event.id, outcome, ms))
    else:
        _tell(runtime, event, outcome, ms)
    return 0 if arrived else FAILED


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


async def _with_rotated_secrets(
    settings: Settings, targets: Mapping[str, TargetRuntime], clock: Clock, stack: AsyncExitStack
) -> None:
    """The store is asked only where it may hold rotated secrets: with a key."""
    if settings.store.key is None:
        return
    db = await connect(await stack.enter_async_context(session.store(settings)), settings.store.prefix)
    stack.push_async_callback(db.close)
    await rotation_of(settings, db, targets, clock.now).look()


async def _send(runtime: TargetRuntime, message: Message) -> Outcome:
    try:
        return await runtime.sender.run(runtime.target.send(message))
    except TransportError as error:
        return Outcome(Verdict.FAILED, error=f"{error.reason}: {error}")


def _answer(target: str, id: str, outcome: Outcome, ms: int) -> dict[str, Any]:
    return {
        "target": target,
        "event_id": id,
        "delivered": outcome.verdict is Verdict.DELIVERED,
        "status": outcome.status,
        "ms": ms,
        "error": outcome.error,
        "response": outcome.response,
        "address": outcome.address,
    }


def _tell(runtime: TargetRuntime, event: Event, outcome: Outcome, ms: int) -> None:
    where = f"{runtime.target.address()}{f' ({outcome.address})' if outcome.address else ''}"
    if outcome.verdict is Verdict.DELIVERED:
        say(f"{runtime.name} took the test {event.id}: {outcome.status} after {ms} ms, from {where}")
    else:
        note(f"error: {runtime.name} did not take the test {event.id}: {outcome.error}")
        note(f"{ms} ms, {where}")
    if outcome.response.strip():
        say(f"its answer: {plain(outcome.response)}")
