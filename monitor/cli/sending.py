"""`jobwire send-test`: one message to one target, marked as a test. Nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.cli.desk.asked import values
from monitor.cli.desk.opening import desk
from monitor.cli.entry import FAILED
from monitor.cli.options import HERE, AsJson, Target, Where
from monitor.cli.output import json_line, note, plain, say


async def send_test(target: Target, /, *, where: Where = HERE, as_json: AsJson = False) -> int:
    """Send one event of type jobwire.test to a target, past routes and queues, and print its answer.

    Exits with 1 if the target did not take it.
    """
    async with desk(where) as at:
        await at.known("target", target)
        tried = await at.send_test(target)
    found = values(tried.line)
    if as_json:
        json_line(tried.line)
    else:
        _tell(found, tried.address)
    return 0 if found["delivered"] else FAILED


def _tell(found: Mapping[str, Any], address: str) -> None:
    target, event, ms = found["target"], found["event_id"], found["ms"]
    met = found["address"]
    where = f"{address} ({met})" if met else address
    if found["delivered"]:
        say(f"{target} took the test {event}: {found['status']} after {ms} ms, from {where}")
    else:
        note(f"error: {target} did not take the test {event}: {found['error']}")
        note(f"{ms} ms, {where}")
    if found["response"].strip():
        say(f"its answer: {plain(found['response'])}")
