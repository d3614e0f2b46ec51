"""`jobwire backtest`: stored events through another config's routes, and what would be different. Nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from monitor.answers.comparing import differences, grouped, play
from monitor.backtest import Tally, backtest, ordered
from monitor.bootstrap import router_of
from monitor.cli import session
from monitor.cli.eventlog import moment
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, say
from monitor.cli.phrases import plural
from monitor.clock import utc_now
from monitor.moments import to_millis

Other = Annotated[Path, Parameter(name="CONFIG", help="The config file whose routes are tried.")]
Since = Annotated[str, Parameter(help="Events from then on: 30m, 7d, 2026-01-05 or 2026-01-05T09:30:00Z.")]


async def run_backtest(
    other: Other, /, *, since: Since, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False
) -> int:
    """Play stored events through the routes of another config, and show which messages appear, vanish or move.

    Both configs are played on a virtual clock, groups and their timers included. Silences and acknowledgements are not:
    the difference is that of the routes. Sources of the other config do not matter. Nothing is sent or stored.
    """
    settings, tried = session.read(config), session.read(other)
    since_ms = to_millis(moment(since, utc_now()))
    game = backtest(router_of(settings), grouped(settings), router_of(tried), grouped(tried))
    async with session.wired(settings) as running:
        await play(running, since_ms, game)
    names = list(dict.fromkeys([*settings.targets, *tried.targets]))
    if as_json:
        for one in differences(game.tallies, names):
            json_line(one)
        return 0
    say(f"{plural(game.count, 'event')} since {since}, through {config} and {other}")
    for name, tally in ordered(game.tallies, names):
        for line in _lines(name, tally):
            say(line)
    return 0


def _lines(name: str, tally: Tally) -> Iterator[str]:
    was, becomes = tally.messages
    change = f"{was:,} → {becomes:,}" if was != becomes else f"{was:,}, as before"
    yield f"{name}: messages {change} ({tally.events[0]:,} → {tally.events[1]:,} events)"
    for word, counts in (("appear", tally.appear), ("vanish", tally.vanish)):
        for type_, amount in sorted(counts.items()):
            yield f"  {word}  {amount:,} {type_}  {_examples(tally, type_)}"
    for (type_, others), amount in sorted(tally.moved.items()):
        yield f"  move    {amount:,} {type_} from {others}  {_examples(tally, type_)}"
    for (type_, old, new), amount in sorted(tally.severity.items()):
        yield f"  graded  {amount:,} {type_} {old} → {new}  {_examples(tally, type_)}"


def _examples(tally: Tally, type_: str) -> str:
    found = tally.examples.get(type_, [])
    return f"such as {found[0]}" if found else ""
