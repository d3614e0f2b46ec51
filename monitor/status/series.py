"""How figures went over the last hours, as charts and programs read them: latency, events, attempts, freshness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import msgspec

from monitor.moments import from_millis, parse_instant, stamp, to_millis
from monitor.status.watched import Watched
from monitor.store.minutes import KEPT_MINUTES, MORE, NO_SOURCE, OUTCOMES, AttemptMinutes, Minutes, SourceMinutes
from monitor.store.reading import Backlog
from monitor.store.sources import Sources
from monitor.store.totals import AFTER_MS

Metric: TypeAlias = Literal["latency", "events", "attempts", "freshness"]

METRICS: tuple[Metric, ...] = get_args(Metric)
MOST_STEPS = 720
"""Values that one line may have."""

OURSELVES = "jobwire itself"
"""The line of events that belong to no source."""

_MINUTE_MS = 60_000
_MEDIAN, _SLOW = 0.5, 0.95


class LineView(msgspec.Struct, frozen=True):
    """One line of a chart: a value a step, None where there is none; `total` is how many there were, of rates.

    `never` stands by a source that was never read whole: its values are the time since it was first tried.
    """

    name: str
    values: list[float | None]
    total: int | None = None
    never: bool | msgspec.UnsetType = msgspec.UNSET


class SeriesView(msgspec.Struct, frozen=True):
    """One chart: value i of a line is of the `step` seconds from `start` + i * `step` on, the last one up to now.

    `latency` (seconds from when a change was stored until its delivery had arrived) has p50, p95 and max, estimated
    from counts by limits (50 ms to a day); `events` and `attempts` are per minute; `freshness` is the greatest age of
    the last complete scan (seconds) at the end of a minute.

    Of `latency`, `waiting` deliveries are not counted, because they have not arrived; the oldest for `oldest` seconds.
    """

    metric: Metric
    unit: Literal["seconds", "per minute"]
    start: str
    step: int
    lines: list[LineView]
    waiting: int | msgspec.UnsetType = msgspec.UNSET
    oldest: float | msgspec.UnsetType | None = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class Span:
    """Which minutes a chart shows: from `first` (since 1970), in so many `steps` of so many `minutes`, up to now."""

    first: int
    steps: int
    minutes: int
    now_ms: int

    @property
    def last(self) -> int:
        """The last minute, which may still be running."""
        return self.first + self.steps * self.minutes - 1

    def step(self, number: int) -> range:
        """The minutes of one step."""
        begin = self.first + number * self.minutes
        return range(begin, begin + self.minutes)

    def long(self, number: int) -> float:
        """How many minutes of a step are over: all but of the last one, at least one."""
        return max(1.0, min(float(self.minutes), self.now_ms / _MINUTE_MS - self.step(number)[0]))


def span_of(now_ms: int, minutes: int, step: int | None = None) -> Span:
    """The time (ms), how many minutes back and how many minutes a step in, the span out; ValueError for too many steps.

    Steps begin at multiples of their length, so that a chart that is asked for again has the same ones. Without a step
    the shortest that makes at most 180.
    """
    long = step or next(one for one in (1, 2, 5, 10, 15, 30, 60) if minutes / one <= 180)
    last = now_ms // _MINUTE_MS // long
    steps = min(-(-minutes // long), KEPT_MINUTES // long)
    if steps > MOST_STEPS:
        raise ValueError(f"that is more than {MOST_STEPS} values a line: make the step longer or the time shorter")
    return Span((last - steps + 1) * long, steps, long, now_ms)


async def series(
    minutes: Minutes, sources: Sources, watched: Mapping[str, Watched], wanted: Sequence[Metric], span: Span
) -> list[SeriesView]:
    """The charts that are wanted of the sources that are watched, in that order."""
    charts: list[SeriesView] = []
    found: dict[str, SourceMinutes] = {}
    if {"events", "freshness"} & set(wanted):
        found = await minutes.sources([*sorted(watched), NO_SOURCE], span.first, span.last)
    made = AttemptMinutes()
    if {"latency", "attempts"} & set(wanted):
        made = await minutes.attempts(span.first, span.last)
    for metric in wanted:
        if metric == "latency":
            charts.append(_view(metric, span, _latency(made, span)))
        elif metric == "attempts":
            charts.append(_view(metric, span, [_rate(name, made.made[name], span) for name in OUTCOMES]))
        elif metric == "events":
            charts.append(_view(metric, span, _events(found, span)))
        else:
            charts.append(_view(metric, span, await _freshness(minutes, sources, sorted(watched), found, span)))
    return charts


def with_waiting(view: SeriesView, backlogs: Sequence[Backlog], now_ms: int) -> SeriesView:
    """A chart and what waits for each target at `now_ms` in, the chart that says what it does not count out."""
    made = [one.oldest_ms for one in backlogs if one.oldest_ms is not None]
    oldest = max(0, now_ms - min(made)) / 1000 if made else None
    return msgspec.structs.replace(view, waiting=sum(one.size for one in backlogs), oldest=oldest)


def _view(metric: Metric, span: Span, lines: list[LineView]) -> SeriesView:
    unit: Literal["seconds", "per minute"] = "seconds" if metric in {"latency", "freshness"} else "per minute"
    return SeriesView(metric, unit, stamp(from_millis(span.first * _MINUTE_MS)), span.minutes * 60, lines)


def _events(found: Mapping[str, SourceMinutes], span: Span) -> list[LineView]:
    lines = [_rate(name, one.events, span) for name, one in found.items() if name != NO_SOURCE]
    ours = _rate(OURSELVES, found[NO_SOURCE].events, span)
    return [*lines, ours] if ours.total else lines


def _rate(name: str, counts: Mapping[int, int], span: Span) -> LineView:
    """Counts by minute in, how many a minute there were in each step out; of the last step, in what is over of it."""
    sums = [sum(counts.get(minute, 0) for minute in span.step(number)) for number in range(span.steps)]
    return LineView(name, [round(amount / span.long(number), 3) for number, amount in enumerate(sums)], sum(sums))


async def _freshness(
    minutes: Minutes, sources: Sources, names: Sequence[str], found: Mapping[str, SourceMinutes], span: Span
) -> list[LineView]:
    """How old what is known of each source was; of one that was never read whole, for how long that was tried."""
    states = dict(zip(names, await sources.aging(names) if names else [], strict=True))
    fresh = {name: _at_ms(state, "fresh_at") for name, state in states.items()}
    ends = await _ends(minutes, fresh, found, span)
    lines = []
    for name in names:
        if ends[name]:
            lines.append(LineView(name, _ages(ends[name], span)))
        else:
            lines.append(LineView(name, _ages(_at_ms(states[name], "failing_since"), span), never=True))
    return lines


async def _ends(
    minutes: Minutes, fresh: Mapping[str, Sequence[int]], found: Mapping[str, SourceMinutes], span: Span
) -> dict[str, list[int]]:
    """When complete scans of sources ended (ms) in the span, and the last before it: most often in the hour before."""
    names = list(fresh)
    ends = {name: {*found[name].fresh_ms.values(), *fresh[name]} for name in names}
    begin = span.first * _MINUTE_MS
    for first, last in ((span.first - 60, span.first - 1), (span.first - KEPT_MINUTES, span.first - 61)):
        unknown = [name for name in names if fresh[name] and not any(at < begin for at in ends[name])]
        for name, before in (await minutes.sources(unknown, max(0, first), last)).items():
            ends[name].update(before.fresh_ms.values())
    return {name: sorted(some) for name, some in ends.items()}


def _ages(ends: Sequence[int], span: Span) -> list[float | None]:
    """When scans were complete in, how old the last of them was at its oldest in each step out."""
    ages: list[float | None] = []
    at, last = 0, None
    for number in range(span.steps):
        oldest: float | None = None
        for minute in span.step(number):
            sampled = min((minute + 1) * _MINUTE_MS, span.now_ms)
            while at < len(ends) and ends[at] <= sampled:
                at, last = at + 1, ends[at]
            if last is not None and minute * _MINUTE_MS <= span.now_ms:
                oldest = max(oldest or 0.0, (sampled - last) / 1000)
        ages.append(oldest)
    return ages


def _at_ms(state: Mapping[str, str], name: str) -> list[int]:
    at = parse_instant(state.get(name))
    return [to_millis(at)] if at else []


def _latency(made: AttemptMinutes, span: Span) -> list[LineView]:
    steps = [_classes(made, span.step(number)) for number in range(span.steps)]
    return [
        LineView("p50", [quantile(one, _MEDIAN) for one in steps]),
        LineView("p95", [quantile(one, _SLOW) for one in steps]),
        LineView("max", [quantile(one, 1.0) for one in steps]),
    ]


def _classes(made: AttemptMinutes, minutes: range) -> list[int]:
    counts = [0] * (MORE + 1)
    for minute in minutes:
        for number, amount in made.after.get(minute, {}).items():
            counts[number] += amount
    return counts


def quantile(counts: Sequence[int], share: float) -> float | None:
    """Arrivals by class and a share of them in, the seconds in which that share arrived out; None without arrivals.

    Inside a class they are taken as evenly spread, as histogram_quantile of Prometheus does:
    https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile.
    """
    rank, below = share * sum(counts), 0
    if not rank:
        return None
    for number, amount in enumerate(counts):
        if amount and below + amount >= rank:
            low = AFTER_MS[number - 1] if number else 0
            high = AFTER_MS[min(number, MORE - 1)]
            return round((low + (high - low) * (rank - below) / amount) / 1000, 3)
        below += amount
    return AFTER_MS[-1] / 1000
