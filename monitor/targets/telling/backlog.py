"""A catch-up message in words: how late and why, how much there is, what is worst, and the rest in numbers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from monitor.grouping.backlog import CatchUp, Why
from monitor.moments import stamp
from monitor.targets.telling.words import Moment, Part, Strong, count, span

TYPES = 8
"""Types that are counted by name; the others together."""


def title(told: CatchUp) -> str:
    """`Catch-up: 37 open (3 critical), 212 events of 200 groups, up to 12 minutes late`."""
    critical = f" ({told.critical} critical)" if told.critical else ""
    still = f"{told.still_open} open{critical}, " if told.still_open else ""
    return f"Catch-up: {still}{_size(told)}, up to {span(told.late)} late"


def reason(told: CatchUp) -> tuple[Part, ...]:
    """The sentences that say how late, and why."""
    why = {
        Why.RATE: "it asked for a pause, because it takes no more messages",
        Why.OUTAGE: "it could not be reached",
        Why.UNKNOWN: "it was held back, or more came than is sent at its rate",
    }[told.why]
    last = f" The last attempt said: {told.error}." if told.error and told.why is Why.OUTAGE else ""
    return (
        Strong("Told late."),
        f" This channel was behind by {span(told.late)}: {why}.{last} So this one message tells what came since ",
        Moment(stamp(told.since)),
        f": {_size(told)}.",
    )


def rest(told: CatchUp) -> Sequence[str]:
    """What is not named, counted: a line for what is open, what is over and what happened."""
    lines = (("More is open", told.open), ("More is over", told.over), ("It happened", told.occurred))
    return [f"{what}: {by_type(counts)}" for what, counts in lines if counts]


def after(told: CatchUp) -> str:
    """What happens next."""
    more = f"{count(told.waiting, 'group')} more to follow. " if told.waiting else ""
    return f"{more}What changes from now on is told by itself"


def by_type(counts: Mapping[str, int]) -> str:
    """`20 × worklayer.job.stuck, 3 × devrev.job.failed, and 2 of other types`."""
    named = [f"{number} × {type_}" for type_, number in islice(counts.items(), TYPES)]
    others = sum(islice(counts.values(), TYPES, None))
    return ", ".join(named) + (f", and {others} of other types" if others else "")


def _size(told: CatchUp) -> str:
    return f"{count(told.events, 'event')} of {count(told.groups, 'group')}"
