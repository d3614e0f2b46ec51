"""Stored events through other routes, and which messages would appear, vanish or move. Nothing is sent or stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from monitor.backtest import Backtest, Tally, ordered
from monitor.bootstrap import Services
from monitor.events import decode
from monitor.moments import from_millis
from monitor.settings import Settings
from monitor.targets import TARGETS

_BATCH = 500


class Shift(msgspec.Struct, frozen=True):
    """How many there are with the routes of now, and how many with the others."""

    before: int
    after: int


class MovedView(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """Events of a type that come here in place of other targets."""

    type: str
    from_: str
    count: int


class GradedView(msgspec.Struct, frozen=True):
    """Events of a type that get another severity."""

    type: str
    before: str
    after: str
    count: int


class DifferenceView(msgspec.Struct, frozen=True):
    """What would be different for one target; `examples` are ids of events by type."""

    target: str
    messages: Shift
    events: Shift
    appear: dict[str, int]
    vanish: dict[str, int]
    moved: list[MovedView]
    graded: list[GradedView]
    examples: dict[str, list[str]]


async def play(running: Services, since_ms: int, game: Backtest, most: int | None = None) -> bool:
    """Play stored events from a time (ms) on through both configs, a batch at a time; whether that were all there are.

    With `most` no more than so many.
    """
    log = running.store.log
    batch = await log.since(since_ms, _BATCH)
    while batch and (most is None or game.count < most):
        for stored in batch:
            game.play(decode(stored.body), from_millis(stored.at_ms))
        batch = await log.after(batch[-1].place, _BATCH)
    game.end()
    return not batch


def grouped(settings: Settings) -> dict[str, bool]:
    """The targets of a config, and whether each has groups; nothing is connected to."""
    return {name: TARGETS[one.type].build(name, one.options).grouped for name, one in settings.targets.items()}


def differences(tallies: Mapping[str, Tally], names: Iterable[str]) -> list[DifferenceView]:
    """What was counted in, the difference for each of these targets out, in this order."""
    return [_view(name, tally) for name, tally in ordered(tallies, list(names))]


def _view(name: str, tally: Tally) -> DifferenceView:
    return DifferenceView(
        target=name,
        messages=Shift(*tally.messages),
        events=Shift(*tally.events),
        appear=dict(tally.appear),
        vanish=dict(tally.vanish),
        moved=[MovedView(type_, others, n) for (type_, others), n in sorted(tally.moved.items())],
        graded=[GradedView(type_, old, new, n) for (type_, old, new), n in sorted(tally.severity.items())],
        examples=tally.examples,
    )
