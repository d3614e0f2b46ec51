"""`jobwire preview`: the exact message that a target would get about an event, and how it reads. Nothing is sent."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from monitor.answers.preview import digest_of, preview_of
from monitor.bootstrap import open_targets
from monitor.cli import session
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, say
from monitor.cli.routing import read_event
from monitor.clock import Clock
from monitor.errors import UsageError
from monitor.settings import Settings
from monitor.simulator.slack_text import lines_of

DIGEST_NOW = "digest"
"""Said in place of an event's id."""

Event = Annotated[
    str, Parameter(help="An event's id, a file with one event as JSON (- reads it), or `digest`: as it would be now.")
]
TargetName = Annotated[str, Parameter(name="--target", help="The target's name in the config file.")]


async def preview(
    event: Event, /, *, target: TargetName, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False
) -> int:
    """Show what a target would get about an event: how it reads, and the exact request.

    It is shown as the first message about it, by the route that takes it, or by none. Secrets are left out.
    """
    settings = session.read(config)
    session.known("target", target, settings.targets)
    body = await _body(event, target, settings)
    clock = Clock()
    async with AsyncExitStack() as stack:
        runtime = (await open_targets(settings, clock, stack))[target]
        found = preview_of(settings, runtime.target, target, body, clock.now())
    if as_json:
        json_line(found)
        return 0
    sent = found.body
    say(f"{target}, {found.method} to {found.address}")
    if isinstance(sent, dict) and "blocks" in sent:
        say()
        for line in lines_of(sent):
            say(f"  {line}")
    say()
    say(sent if isinstance(sent, str) else msgspec.json.format(msgspec.json.encode(sent), indent=2).decode())
    return 0


async def _body(event: str, target: str, settings: Settings) -> bytes:
    if event == DIGEST_NOW:
        async with session.wired(settings) as running:
            return await digest_of(running, target)
    if event == "-" or Path(event).is_file():  # noqa: ASYNC240 - one look at a file, before anything else runs
        return msgspec.json.encode(read_event(Path(event)))
    async with session.wired(settings) as running:
        stored = await running.store.log.get(event)
    if stored is None:
        raise UsageError(f"no event has the id {event!r}: `jobwire events` lists them; or give a file")
    return stored.body
