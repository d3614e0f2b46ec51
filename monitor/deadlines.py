"""Which rung of a ladder speaks, and what is remembered of those that spoke. Pure: the clock is an argument.

Of several rungs that have passed only the tightest speaks, and says how late it is. A rung speaks once for each value
of the date, also when the date moves there and back; once more where it was told with a renewal in sight and that has
fallen through. A date that flips about is not followed for ever: five values told within a day are enough, the sixth
waits until that day is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.ladders import Clockwork, Rung, kept_name, ladder, span_of, tightest, value_name
from monitor.moments import parse_instant, stamp
from monitor.resources import Known, pick
from monitor.vocabulary import DeadlineRule, Kind

FORGET_AFTER = timedelta(days=7)
"""At first sight a deadline that passed longer ago than this stays silent."""

FLIPS, FLIPS_WITHIN = 5, timedelta(days=1)
"""So many other dates may have been told within this time; then the next one waits."""

_REMEMBERED_VALUES = 8


class Told(NamedTuple):
    """What is remembered of one value of a deadline: the tightest rung that spoke, when, and under which renewal."""

    rung: str
    at: datetime | None
    under: str

    def text(self) -> str:
        """As it is stored: `30d 2026-01-05T00:00:00.000Z contract/10`, what is not known left out from the end."""
        return " ".join(filter(None, (self.rung, stamp(self.at) if self.at else "", self.under if self.at else "")))


def rules_of(known: Known, kind: Kind | None) -> Sequence[DeadlineRule]:
    """The deadline rules that are alive for a resource in its present state."""
    if kind is None or known.gone:
        return ()
    return [rule for rule in kind.deadlines if rule.alive(known.resource.state)]


def rungs_of(known: Known, rule: DeadlineRule, clockwork: Clockwork) -> list[Rung]:
    """The ladder of a resource's deadline in its present state."""
    return ladder(rule, pick(known.resource.fields, rule.field), clockwork, state=known.resource.state)


def next_due(known: Known, rule: DeadlineRule, clockwork: Clockwork, under: str = "") -> datetime | None:
    """When the ring must look at this deadline next, in UTC: the earliest rung not yet told or passed over.

    `under` is the ref of a renewal that takes this resource's place in time.
    """
    waiting = _waiting(known, rule, clockwork, under)
    if not waiting:
        return None
    held = _held_until(known, rule)
    return max(waiting[0].due, held) if held else waiting[0].due


def speaking(known: Known, rule: DeadlineRule, clockwork: Clockwork, now: datetime, under: str = "") -> Rung | None:
    """The one rung that must be told now: the tightest that is due and was not told; None when none is.

    A silent one is to be noted in the same way, without an event.
    """
    held = _held_until(known, rule)
    return None if held and now < held else tightest(_waiting(known, rule, clockwork, under), now)


def told(
    known: Known, rule: DeadlineRule, rung: Rung, now: datetime | None = None, under: str = ""
) -> dict[str, dict[str, str]]:
    """`spoken` of the resource once this rung was told for its present value; older values are forgotten in time."""
    value = value_name(pick(known.resource.fields, rule.field))
    values = {key: name for key, name in known.spoken.get(rule.type, {}).items() if key != value}
    kept = dict(list(values.items())[-(_REMEMBERED_VALUES - 1) :])
    return {**known.spoken, rule.type: {**kept, value: Told(kept_name(rung), now, under).text()}}


def passed_over(known: Known, kind: Kind | None, clockwork: Clockwork, now: datetime) -> dict[str, dict[str, str]]:
    """`spoken` of a resource at first sight: deadlines that are long past are taken as told."""
    spoken = known.spoken
    for rule in rules_of(known, kind):
        rung = speaking(known, rule, clockwork, now)
        if rung is not None and (rung.silent or (rung.type == rule.after and now - rung.due > FORGET_AFTER)):
            spoken = {**spoken, **told(known, rule, rung)}
    return spoken


def known_since(known: Known, rule: DeadlineRule) -> datetime | None:
    """Since when a deadline could be known, in UTC: the resource was there, with this value, in this state."""
    seen = parse_instant(known.moved.get(rule.field)) or parse_instant(known.first_seen)
    return max((one for one in (seen, parse_instant(known.since)) if one is not None), default=None)


def _waiting(known: Known, rule: DeadlineRule, clockwork: Clockwork, under: str) -> list[Rung]:
    rungs = rungs_of(known, rule, clockwork)
    if not rungs:
        return []
    told_ = _remembered(known, rule).get(value_name(pick(known.resource.fields, rule.field)))
    if told_ is None:
        return rungs
    # Compared by span, not by name: another ladder in the config must not tell the wider rungs again.
    reached = max((place for place, one in enumerate(rungs) if _span(one) >= span_of(told_.rung)), default=-1)
    reopened = bool(told_.under and not under)
    return rungs[max(reached if reopened else reached + 1, 0) :]


def _span(rung: Rung) -> float:
    return span_of(kept_name(rung))


def _held_until(known: Known, rule: DeadlineRule) -> datetime | None:
    """Until when nothing is told of a deadline whose date flips about; None when it does not."""
    present = value_name(pick(known.resource.fields, rule.field))
    others = [one.at for value, one in _remembered(known, rule).items() if value != present and one.at]
    return sorted(others)[-FLIPS] + FLIPS_WITHIN if len(others) >= FLIPS else None


def _remembered(known: Known, rule: DeadlineRule) -> Mapping[str, Told]:
    return {value: _read(text) for value, text in known.spoken.get(rule.type, {}).items()}


def _read(text: str) -> Told:
    rung, _, rest = text.partition(" ")
    at, _, under = rest.partition(" ")
    return Told(rung, parse_instant(at), under)
