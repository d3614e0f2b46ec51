"""`jobwire silence add|list|expire`: keep messages back for a time. State and closes are not kept back."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from cyclopts import Parameter

from monitor.cli import session
from monitor.cli.conditions import By, person, until
from monitor.cli.entry import FAILED
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, note, say, table
from monitor.errors import UsageError
from monitor.moments import parse_instant
from monitor.silences import described, parse_matcher
from monitor.status import silence_view, silence_views

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
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> int:
    """Keep messages about what matches back for a time. What is still open when it ends is told then."""
    settings = session.read(config)
    if (for_ is None) == (until_ is None) and not (until_change and for_ is None):
        raise UsageError("say how long: --for 2h, or --until 2026-01-05T09:00Z, or --until-change")
    try:
        matchers = [parse_matcher(one) for one in match]
    except ValueError as error:
        raise UsageError(f"--match: {error}") from None
    async with session.wired(settings) as running:
        now = running.clock.now()
        begins = now if from_ is None else parse_instant(from_)
        if begins is None:
            raise UsageError(f"--from {from_!r} is no moment: write 2026-01-05T09:00Z")
        given = for_ or until_
        if until_ is not None and parse_instant(until_) is None:
            raise UsageError(f"--until {until_!r} is no moment: write 2026-01-05T09:00Z")
        end = until(given, begins if for_ else now) if given else begins + FOREVER
        made = await running.attention.silence(
            matchers,
            starts_at=begins,
            ends_at=end or begins + FOREVER,
            by=by or person(),
            comment=comment,
            until_change=until_change,
        )
        view = silence_view(made, now)
    if as_json:
        json_line(view)
    else:
        say(
            f"{made.id}: {described(made.matchers)} is silent until {view.ends_at}; "
            f"end it with jobwire silence expire {made.id}"
        )
    return 0


async def listed(*, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    """Show the silences: those that count now, those to come, and those that ended in the last two weeks."""
    settings = session.read(config)
    async with session.wired(settings) as running:
        found = silence_views(await running.store.silences.all(), running.clock.now())
    if as_json:
        for one in found:
            json_line(one)
        return 0
    if not found:
        say("no silence")
        return 0
    head = ("id", "state", "matches", "from", "until", "who", "comment")
    table(
        head,
        [(one.id, one.state, " ".join(one.matchers), one.starts_at, one.ends_at, one.by, one.comment) for one in found],
    )
    return 0


async def expire(named: SilenceId, /, *, config: ConfigFile = DEFAULT_CONFIG) -> int:
    """End a silence now; what it kept back and is still open is told. Exits with 1 if there is none of this id."""
    settings = session.read(config)
    async with session.wired(settings) as running:
        before = await running.store.silences.get(named)
        over = before is not None and before.state(running.clock.now()) == "expired"
        found = await running.attention.unsilence(named)
    if found is None:
        note(f"no silence is called {named!r}: `jobwire silence list` shows them")
        return FAILED
    say(f"{named} {'was over already' if over else 'is over now'}")
    return 0
