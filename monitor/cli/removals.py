"""`jobwire removals`: what went missing all at once, and an operator's word on it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from monitor.cli.desk.asked import Decision, values
from monitor.cli.desk.opening import desk
from monitor.cli.entry import FAILED
from monitor.cli.options import HERE, AsJson, Source, Where
from monitor.cli.output import json_line, note, say, table
from monitor.cli.phrases import ago, plural


async def listed(source: Source, /, *, where: Where = HERE, as_json: AsJson = False) -> int:
    """Show the items of a source that are missing all at once, and whose removal is held for that reason.

    They are still known, and nobody was told. When they come back it is over; else release or discard them.
    """
    async with desk(where) as at:
        await at.known("source", source)
        found, now = await at.held(source), await at.now()
    if as_json:
        for one in found.lines:
            json_line(one)
        return 0
    if not found.lines:
        say(f"{source}: no removal is held")
        return 0
    table(("key", "state", "title", "last seen", "scans missed"), [_row(values(one), now) for one in found.lines])
    next_ = _NEXT[found.decided] if found.decided in _NEXT else _CHOICE.format(name=source)
    say(f"{plural(len(found.lines), 'removal')} held; {next_}")
    return 0


async def release(source: Source, /, *, where: Where = HERE) -> int:
    """Believe that what is missing is gone: the next complete scan removes it and tells each removal.

    A running worker makes that scan at once. Exits with 1 if nothing is held.
    """
    return await _decide(source, where, "release")


async def discard(source: Source, /, *, where: Where = HERE) -> int:
    """Forget what is missing: the next complete scan removes it, and nobody is told.

    A running worker makes that scan at once. Should it come back, it is told as restored.
    Exits with 1 if nothing is held.
    """
    return await _decide(source, where, "discard")


_CHOICE = "tell them with jobwire removals release {name}, forget them with jobwire removals discard {name}"
_NEXT = {
    "release": "the next complete scan removes and tells them",
    "discard": "the next complete scan forgets them, and nobody is told",
}


async def _decide(source: str, where: Where, decision: Decision) -> int:
    async with desk(where) as at:
        await at.known("source", source)
        count = await at.decide(source, decision)
    if count is None:
        note(f"{source}: no removal is held: nothing was done")
        return FAILED
    say(f"{source}: {plural(count, 'removal')} to {decision}: {_NEXT[decision]}")
    return 0


def _row(one: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    return one["key"], one["state"] or "-", one["title"], ago(one["last_seen"], now), str(one["missed"])
