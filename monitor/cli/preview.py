"""`jobwire preview`: the exact message that a target would get about an event, and how it reads. Nothing is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from monitor.cli.desk.asked import DIGEST, values
from monitor.cli.desk.opening import desk
from monitor.cli.options import HERE, AsJson, Where
from monitor.cli.output import json_line, say
from monitor.cli.routing import read_event
from monitor.simulator.slack_text import lines_of

Event = Annotated[
    str,
    Parameter(help=f"An event's id, a file with one event as JSON (- reads it), or `{DIGEST}`: as it would be now."),
]
TargetName = Annotated[str, Parameter(name="--target", help="The target's name in the config file.")]


async def preview(event: Event, /, *, target: TargetName, where: Where = HERE, as_json: AsJson = False) -> int:
    """Show what a target would get about an event: how it reads, and the exact request.

    It is shown as the first message about it, by the route that takes it, or by none. Secrets are left out.
    """
    async with desk(where) as at:
        await at.known("target", target)
        of_a_file = event != DIGEST and (event == "-" or Path(event).is_file())  # noqa: ASYNC240 - one look at a file
        found = await at.preview(read_event(Path(event)) if of_a_file else event, target)
    if as_json:
        json_line(found)
        return 0
    shown = values(found)
    sent = shown["body"]
    say(f"{target}, {shown['method']} to {shown['address']}")
    if shown.get("fault"):
        say(f"the layout of your own failed: {shown['fault']}")
    if isinstance(sent, dict) and "blocks" in sent:
        say()
        for line in lines_of(sent):
            say(f"  {line}")
    say()
    say(sent if isinstance(sent, str) else msgspec.json.format(msgspec.json.encode(sent), indent=2).decode())
    return 0
