"""`jobwire send-test`: one message to one target, marked as a test. Nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Annotated

from cyclopts import Parameter

from monitor.answers.trying import TriedView, try_target
from monitor.bootstrap import open_targets, rotation_of
from monitor.cli import session
from monitor.cli.entry import FAILED
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, note, plain, say
from monitor.clock import Clock
from monitor.pipeline.target import TargetRuntime
from monitor.settings import Settings
from monitor.store.connect import connect

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
        found = await try_target(targets[target], clock)
        where = targets[target].target.address()
    if as_json:
        json_line(found)
    else:
        _tell(found, where)
    return 0 if found.delivered else FAILED


async def _with_rotated_secrets(
    settings: Settings, targets: Mapping[str, TargetRuntime], clock: Clock, stack: AsyncExitStack
) -> None:
    """The store is asked only where it may hold rotated secrets: with a key."""
    if settings.store.key is None:
        return
    db = await connect(await stack.enter_async_context(session.store(settings)), settings.store.prefix)
    stack.push_async_callback(db.close)
    await rotation_of(settings, db, targets, clock.now).look()


def _tell(found: TriedView, address: str) -> None:
    where = f"{address}{f' ({found.address})' if found.address else ''}"
    if found.delivered:
        say(f"{found.target} took the test {found.event_id}: {found.status} after {found.ms} ms, from {where}")
    else:
        note(f"error: {found.target} did not take the test {found.event_id}: {found.error}")
        note(f"{found.ms} ms, {where}")
    if found.response.strip():
        say(f"its answer: {plain(found.response)}")
