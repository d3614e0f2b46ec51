"""Charts as the server draws them: lines in SVG, what they say in words, and the figures as a table. Pure.

Whoever has JavaScript gets the same lines from uPlot instead (`static/charts.js`), which can be asked for each value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitor.moments import from_millis, parse_instant, stamp, to_millis
from monitor.status.series import LineView, Metric, SeriesView
from monitor.values import elapsed
from monitor.web.pages.scale import Scale

MOST_LINES = 8
"""Lines that can be told apart in one drawing; the least of more are left out, and it says so."""

ROWS = 36
RANGES = ("1h", "6h", "24h", "48h")

TITLES = {
    "latency": "From a change to its delivery",
    "events": "Events a minute",
    "attempts": "Attempts a minute",
    "freshness": "Age of what is known",
}
_EMPTY = {
    "latency": "Nothing arrived in this time.",
    "events": "Nothing happened in this time.",
    "attempts": "Nothing was sent in this time.",
    "freshness": "No source was ever read whole.",
}
_ADVICE = {
    "latency": "Take a longer time, or look at the deliveries that wait.",
    "events": "The first scan of a source is silent; changes after it count here.",
    "attempts": "Take a longer time; a route must take an event before anything is sent.",
    "freshness": "A worker scans; is one running? The sources below Now say what is wrong.",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a drawing: its name, its number (colour and dashes), its path, and its latest value in words."""

    name: str
    number: int
    path: str
    latest: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on an axis, with what stands there: words, or an instant where it is one of time."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: when it begins, and a value a line in words."""

    at: str
    values: Sequence[str]


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart, drawn and in words; without `lines` there is nothing to draw, and `advice` says what to do."""

    metric: Metric
    title: str
    summary: str
    advice: str
    lines: Sequence[Line]
    left_out: int
    across: Sequence[Mark]
    up: Sequence[Mark]
    rows: Sequence[Row]


def chart(view: SeriesView) -> Chart:
    """A series in, its chart out."""
    title, lines = TITLES[view.metric], _strongest(view)
    if not any(value for line in lines for value in line.values):
        lines = []
    if not lines:
        return Chart(view.metric, title, _EMPTY[view.metric] + _waiting(view), _ADVICE[view.metric], [], 0, [], [], [])
    words = words_of(view)
    place = Scale.of([one.values for one in lines], log=view.metric == "latency", of_time=view.unit == "seconds")
    return Chart(
        metric=view.metric,
        title=title,
        summary=_summary(view),
        advice="",
        lines=[
            Line(one.name, number, place.path(one.values), words(_latest(one.values)))
            for number, one in enumerate(lines, 1)
        ],
        left_out=len(view.lines) - len(lines),
        across=_times(view, place),
        up=[Mark(place.y(value), words(value)) for value in place.marks],
        rows=_rows(view, lines, words),
    )


def words_of(view: SeriesView) -> Callable[[float | None], str]:
    """How values of a series are written."""
    return seconds if view.unit == "seconds" else number


def seconds(value: float | None) -> str:
    """Seconds in, words out: `25 ms`, `1.2 s`, `4m 10s`; a dash for none."""
    if value is None:
        return "–"
    if 0 < value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.2g} s" if value < 10 else elapsed(timedelta(seconds=value))


def number(value: float | None) -> str:
    """A number in, words out, with no more digits than count; a dash for none."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def _strongest(view: SeriesView) -> list[LineView]:
    """The lines that are drawn: all, or the greatest of too many, in their order."""
    if len(view.lines) <= MOST_LINES:
        return view.lines
    ranked = sorted(view.lines, key=lambda one: -sum(value or 0.0 for value in one.values))[:MOST_LINES]
    return [one for one in view.lines if one in ranked]


def _latest(values: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _times(view: SeriesView, place: Scale) -> list[Mark]:
    count, begin = len(view.lines[0].values), _begin_ms(view)
    every = max(1, -(-count // 5))
    return [Mark(place.x(at), stamp(from_millis(begin + at * view.step * 1000))) for at in range(0, count, every)]


def _rows(view: SeriesView, lines: Sequence[LineView], words: Callable[[float | None], str]) -> list[Row]:
    """The newest first; of too many steps several are one row: rates by their mean, the rest by the worst."""
    count, begin = len(lines[0].values), _begin_ms(view)
    at_once = max(1, -(-count // ROWS))
    made = []
    for start in range(0, count, at_once):
        values = [_together(view, one.values[start : start + at_once]) for one in lines]
        made.append(Row(stamp(from_millis(begin + start * view.step * 1000)), [words(value) for value in values]))
    return made[::-1]


def _together(view: SeriesView, values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return max(known) if view.unit == "seconds" else sum(known) / len(known)


def _begin_ms(view: SeriesView) -> int:
    begin = parse_instant(view.start)
    return to_millis(begin) if begin else 0


def _summary(view: SeriesView) -> str:
    """What a chart says, in a sentence."""
    lines = {one.name: one.values for one in view.lines}
    if view.metric == "latency":
        half, most = _latest(lines["p50"]), _latest(lines["p95"])
        slowest = max((value for value in lines["max"] if value is not None), default=None)
        return (
            f"Last: half arrived within {seconds(half)}, 95 % within {seconds(most)}; "
            f"nothing in this time took longer than {seconds(slowest)}.{_waiting(view)}"
        )
    if view.metric == "freshness":
        now = {name: value for name, values in lines.items() if (value := _latest(values)) is not None}
        worst = {
            name: max(value for value in values if value is not None) for name, values in lines.items() if name in now
        }
        oldest, once = max(now, key=lambda name: now[name]), max(worst, key=lambda name: worst[name])
        said = f"Oldest now: {oldest}, {seconds(now[oldest])}. Oldest in this time: {once}, {seconds(worst[once])}."
        return said + _never(view)
    sums = {one.name: one.total or 0 for one in view.lines}
    if view.metric == "attempts":
        return (
            f"{number(sums['delivered'])} arrived, {number(sums['retry'])} put off, {number(sums['failed'])} given up."
        )
    most_of = max(sums, key=lambda name: sums[name])
    peak = max(_sum(values) for values in zip(*lines.values(), strict=True))
    return f"{number(sum(sums.values()))} events, at most {number(peak)} a minute; most of {most_of}."


def _never(view: SeriesView) -> str:
    """Sources of which nothing is known, so that their lines are no age of it."""
    names = [one.name for one in view.lines if one.never]
    return f" Never read whole, and counted from the first try: {', '.join(names)}." if names else ""


def _waiting(view: SeriesView) -> str:
    """What has not arrived, and so is in no line."""
    if not view.waiting:
        return ""
    since = f", the oldest for {seconds(view.oldest)}" if view.oldest else ""
    return f" Not counted: {number(view.waiting)} still wait{since}."


def _sum(values: Iterable[float | None]) -> float:
    return sum(value for value in values if value is not None)
