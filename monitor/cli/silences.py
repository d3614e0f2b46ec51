"""`jobwire silence add|list|expire`: keep messages back for a time. State and closes are not kept back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from cyclopts import Parameter

from monitor.cli.conditions import By, person, until
from monitor.cli.desk.asked import SilenceWanted, values
from monitor.cli.desk.opening import desk
from monitor.cli.entry import FAILED
from monitor.cli.options import HERE, AsJson, Where
from monitor.cli.output import json_line, note, say, table
from monitor.errors import UsageError
from monitor.moments import parse_instant
from monitor.silences import described, parse_matcher

FOREVER = timedelta(days=365)
"""A silence that was meant to last until something changes ends after a year at the latest."""

SilenceId = Annotated[str, Parameter(help="The silence's id, as `silence list` shows it.")]


async def add(
    *,
    match: Annotated[
        list[str],
        Parameter(
            negative=(),
            help="NAME=GLOB or NAME!=GLOB, as often as needed; all must agree. NAME is type, source, provider, kind, "
            "state, key, target, severity, or a path in the event's data.",
        ),
    ],
    comment: Annotated[str, Parameter(help="Why; required.")],
    for_: Annotated[str | None, Parameter(name="--for", help="How long, such as 2h.")] = None,
    until_: Annotated[str | None, Parameter(name="--until", help="When it ends, such as 2026-01-05T09:00Z.")] = None,
    from_: Annotated[str | None, Parameter(name="--from", help="When it begins, if not now.")] = None,
    until_change: Annotated[
        bool, Parameter(negative=(), help="Each condition only until something changes about it.")
    ] = False,
    by: By = None,
    where: Where = HERE,
    as_json: AsJson = False,
) -> int:
    """Keep messages about what matches back for a time. What is still open when it ends is told then."""
    if (for_ is None) == (until_ is None) and not (until_change and for_ is None):
        raise UsageError("say how long: --for 2h, or --until 2026-01-05T09:00Z, or --until-change")
    try:
        matchers = [parse_matcher(one) for one in match]
    except ValueError as error:
        raise UsageError(f"--match: {error}") from None
    starts = parse_instant(from_)
    if from_ is not None and starts is None:
        raise UsageError(f"--from {from_!r} is no moment: write 2026-01-05T09:00Z")
    if until_ is not None and parse_instant(until_) is None:
        raise UsageError(f"--until {until_!r} is no moment: write 2026-01-05T09:00Z")
    async with desk(where) as at:
        now = await at.now()
        begins, given = starts or now, for_ or until_
        end = until(given, begins if for_ else now) if given else None
        wanted = SilenceWanted(match, starts, end or begins + FOREVER, by or person(), comment, until_change)
        made = await at.silence(wanted)
    if as_json:
        json_line(made)
    else:
        one = values(made)
        say(
            f"{one['id']}: {described(matchers)} is silent until {one['ends_at']}; "
            f"end it with jobwire silence expire {one['id']}"
        )
    return 0


async def listed(*, where: Where = HERE, as_json: AsJson = False) -> int:
    """Show the silences: those that count now, those to come, and those that ended in the last two weeks."""
    async with desk(where) as at:
        found = await at.silences()
    if as_json:
        for one in found:
            json_line(one)
        return 0
    if not found:
        say("no silence")
        return 0
    head = ("id", "state", "matches", "from", "until", "who", "comment")
    table(head, [_row(values(one)) for one in found])
    return 0


async def expire(named: SilenceId, /, *, where: Where = HERE) -> int:
    """End a silence now; what it kept back and is still open is told. Exits with 1 if there is none of this id."""
    async with desk(where) as at:
        how = await at.expire(named)
    if how is None:
        note(f"no silence is called {named!r}: `jobwire silence list` shows them")
        return FAILED
    say(f"{named} {'is over now' if how == 'over' else 'was over already'}")
    return 0


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    matches = " ".join(one["matchers"])
    return one["id"], one["state"], matches, one["starts_at"], one["ends_at"], one["by"], one["comment"]
