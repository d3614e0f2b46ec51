"""`jobwire backtest`: stored events through another config's routes, and what would be different. Nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from monitor.backtest import Backtest, Tally, backtest, ordered
from monitor.bootstrap import router_of
from monitor.cli import session
from monitor.cli.eventlog import moment
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, say
from monitor.cli.phrases import plural
from monitor.clock import utc_now
from monitor.events import decode
from monitor.moments import from_millis, to_millis
from monitor.settings import Settings
from monitor.store.eventlog import EventLog
from monitor.targets import TARGETS

_BATCH = 500

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
    play = backtest(router_of(settings), _grouped(settings), router_of(tried), _grouped(tried))
    async with session.wired(settings) as running:
        await _play(running.store.log, since_ms, play)
    names = list(dict.fromkeys([*settings.targets, *tried.targets]))
    if as_json:
        for name, tally in ordered(play.tallies, names):
            json_line(_values(name, tally))
        return 0
    say(f"{plural(play.count, 'event')} since {since}, through {config} and {other}")
    for name, tally in ordered(play.tallies, names):
        for line in _lines(name, tally):
            say(line)
    return 0


async def _play(log: EventLog, since_ms: int, play: Backtest) -> None:
    """Everything from then on, a batch at a time."""
    batch = await log.since(since_ms, _BATCH)
    while batch:
        for stored in batch:
            play.play(decode(stored.body), from_millis(stored.at_ms))
        batch = await log.after(batch[-1].place, _BATCH)
    play.end()


def _grouped(settings: Settings) -> dict[str, bool]:
    """The targets of a config, and whether each has groups; nothing is connected to."""
    return {name: TARGETS[one.type].build(name, one.options).grouped for name, one in settings.targets.items()}


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


def _values(name: str, tally: Tally) -> Mapping[str, Any]:
    return {
        "target": name,
        "messages": dict(zip(("before", "after"), tally.messages, strict=True)),
        "events": dict(zip(("before", "after"), tally.events, strict=True)),
        "appear": tally.appear,
        "vanish": tally.vanish,
        "moved": [{"type": type_, "from": others, "count": n} for (type_, others), n in sorted(tally.moved.items())],
        "graded": [
            {"type": type_, "before": old, "after": new, "count": n}
            for (type_, old, new), n in sorted(tally.severity.items())
        ],
        "examples": tally.examples,
    }
