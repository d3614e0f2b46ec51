"""`jobwire conditions` and `jobwire ack`: what is open, and who has it."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from cyclopts import Parameter

from monitor.cli.desk.asked import Attention, values
from monitor.cli.desk.opening import desk
from monitor.cli.entry import FAILED
from monitor.cli.options import HERE, AsJson, SourceName, Where
from monitor.cli.output import CELL, cut, json_line, note, say, table
from monitor.cli.phrases import ago, plural
from monitor.errors import UsageError
from monitor.moments import parse_instant
from monitor.values import parse_duration

Named = Annotated[str, Parameter(help="The condition's id, or the key of what it is about, see `conditions`.")]
Comment = Annotated[str, Parameter(name="--comment", help="Why, for the others.")]
By = Annotated[str | None, Parameter(name="--by", help="Who says so; the name of this login if not given.")]
UNTIL_CHANGE = "until-change"


async def conditions(
    *,
    every: Annotated[
        bool, Parameter(name="--all", negative=(), help="Also those that ended in the last hours.")
    ] = False,
    source: SourceName = None,
    where: Where = HERE,
    as_json: AsJson = False,
) -> int:
    """Show what is open and who has it: what nobody has seen to first, the oldest first."""
    async with desk(where) as at:
        await at.known("source", source)
        found = await at.conditions(every=every, source=source)
        now = await at.now()
    if as_json:
        for one in found:
            json_line(one)
        return 0
    if not found:
        say("nothing is open")
        return 0
    head = ("state", "severity", "what", "about", "since", "who", "id")
    table(head, [conditions_row(values(one), now) for one in found])
    return 0


async def ack(
    named: Named,
    /,
    *,
    by: By = None,
    comment: Comment = "",
    snooze: Annotated[
        str | None, Parameter(help=f"Put it off instead, for a time such as 1h, or {UNTIL_CHANGE}.")
    ] = None,
    undo: Annotated[bool, Parameter(negative=(), help="Take it back: nobody has it.")] = False,
    where: Where = HERE,
    as_json: AsJson = False,
) -> int:
    """Say that somebody has it: it is not repeated until it gets worse. Exits with 1 if nothing open is named so."""
    if undo and snooze is not None:
        raise UsageError("give either --snooze or --undo")
    async with desk(where) as at:
        end = until(snooze, await at.now()) if snooze is not None else None
        found = await at.attend(named, Attention(by or person(), comment, end, snooze == UNTIL_CHANGE, undo))
    for line in found:
        if as_json:
            json_line(line)
        else:
            one = values(line)
            say(f"{_about(one)}: {one['type']}: {one['state']}{f' by {_who(one)}' if not undo else ''}")
    if not found:
        note(f"nothing open is called {named!r}: `jobwire conditions` lists what is open, with ids and keys")
        return FAILED
    return 0


def person() -> str:
    """Who sits here, for the record: JOBWIRE_USER, else the name of the login."""
    given = os.environ.get("JOBWIRE_USER")
    if given:
        return given
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def until(text: str, now: datetime) -> datetime | None:
    """`1h`, a moment in RFC 3339 or `until-change` in, the end of a snooze out (None: until it changes)."""
    if text == UNTIL_CHANGE:
        return None
    moment = parse_instant(text)
    if moment is None:
        try:
            moment = now + timedelta(seconds=parse_duration(text))
        except (ValueError, OverflowError):
            raise UsageError(
                f"{text!r} is neither a time such as 30m or 4h, nor a moment such as 2026-01-05T09:00Z, "
                f"nor {UNTIL_CHANGE}"
            ) from None
    if moment <= now:
        raise UsageError(f"{text!r} is over already")
    return moment


def conditions_row(one: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    """A condition as the API shows it in, the cells of its row out."""
    return one["state"], one["severity"], one["type"], _about(one), _since(one, now), _who(one), one["id"]


def _about(one: Mapping[str, Any]) -> str:
    """Its title and key; of a title that is too long so much that the key, which `ack` takes, stays whole."""
    key = str(one["key"])
    return key if one["title"] in ("", key) else f"{cut(one['title'], max(20, CELL - len(key) - 3))} ({key})"


def _since(one: Mapping[str, Any], now: datetime) -> str:
    often = f", {plural(one['times'], 'time')} in 2 h" if one["times"] > 1 else ""
    return f"{ago(one['opened_at'], now)}{often}"


def _who(one: Mapping[str, Any]) -> str:
    if one["snoozed_until"] is not None:
        return f"{one['acknowledged_by']}, until {one['snoozed_until']}"
    return one["acknowledged_by"] or "-"
