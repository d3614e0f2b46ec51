"""`jobwire events`: what happened, and what happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from cyclopts import Parameter, validators

from monitor.cli.desk.asked import EventsWanted, Line
from monitor.cli.desk.opening import desk, follow
from monitor.cli.options import HERE, AsJson, SourceName, TypePattern, Where
from monitor.cli.output import at_terminal, flush, json_line, note
from monitor.cli.phrases import event_line
from monitor.clock import utc_now
from monitor.errors import UsageError
from monitor.events import decode
from monitor.moments import parse_moment

LAST = 50

Following = Annotated[
    bool, Parameter(name=("--follow", "-f"), negative=(), help="Go on as events happen, until Ctrl-C.")
]
Since = Annotated[str | None, Parameter(help="Only from then on: 2h, 2026-01-05 or 2026-01-05T09:30:00Z.")]
Limit = Annotated[
    int | None,
    Parameter(
        validator=validators.Number(gte=0), help=f"At most so many, the latest. Default: {LAST}, or all with --since."
    ),
]


async def events(
    *,
    follow_: Following = False,
    type_: TypePattern = None,
    source: SourceName = None,
    since: Since = None,
    limit: Limit = None,
    where: Where = HERE,
    as_json: AsJson = False,
) -> int:
    """Show stored events, the newest last; with --json the CloudEvents themselves."""
    wanted = EventsWanted(type_, source)
    start = moment(since, utc_now()) if since is not None else None
    most = limit if limit is not None else None if start is not None else LAST
    show = _printer(as_json=as_json)
    try:
        async with desk(where) as at:
            await at.known("source", source)
            found = await at.events(wanted, start, most)
            async for line in found.lines:
                show(line)
        if follow_:
            await follow(where, found.place, wanted, show, flush)
    except asyncio.CancelledError:
        if follow_:
            return 0  # Ctrl-C is how following ends
        raise
    if found.log_is_empty and at_terminal():
        note("no event yet: `jobwire up` makes them, `jobwire poll SOURCE` looks once")
    return 0


def moment(text: str, now: datetime, word: str = "--since") -> datetime:
    """A duration back from now, a date (UTC) or an RFC 3339 time in, the instant out; UsageError for anything else."""
    found = parse_moment(text, now)
    if found is None:
        raise UsageError(
            f"{word} {text!r} is no time: write 30m, 2h or 7d, a date such as 2026-01-05, "
            "or a time such as 2026-01-05T09:30:00Z"
        )
    return found


def _printer(*, as_json: bool) -> Callable[[Line], None]:
    def show(line: Line) -> None:
        if as_json:
            json_line(line)
        else:
            event_line(decode(line))

    return show
