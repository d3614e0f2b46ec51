"""Charts as the server draws them: inside the drawing, with gaps where nothing is known, and in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.status.series import METRICS, LineView, Metric, SeriesView, with_waiting
from monitor.store.reading import Backlog
from monitor.web.pages import scale
from monitor.web.pages.charts import MOST_LINES, ROWS, TITLES, chart, number, seconds

START = "2026-01-05T09:30:00.000Z"
VALUES = st.lists(st.none() | st.floats(0.0, 100_000.0), min_size=8, max_size=8)


def view(metric: Metric, lines: dict[str, list[float | None]]) -> SeriesView:
    """A series of minutes."""
    of_time = metric in {"latency", "freshness"}
    return SeriesView(
        metric,
        "seconds" if of_time else "per minute",
        START,
        60,
        [_line(name, values, of_time=of_time) for name, values in lines.items()],
    )


def _line(name: str, values: list[float | None], *, of_time: bool) -> LineView:
    return LineView(name, values, None if of_time else round(sum(value or 0.0 for value in values)))


@given(st.sampled_from(METRICS), VALUES, VALUES, VALUES)
def test_whatever_the_figures_are_a_chart_is_drawn(
    metric: Metric, one: list[float | None], two: list[float | None], three: list[float | None]
) -> None:
    """Every place lies inside the drawing; without figures there are words instead."""
    names = {"latency": ("p50", "p95", "max"), "attempts": ("delivered", "retry", "failed")}.get(
        metric, ("a", "b", "c")
    )
    made = chart(view(metric, dict(zip(names, (one, two, three), strict=True))))
    assert made.title == TITLES[metric]
    assert made.summary
    if not made.lines:
        assert made.advice
        return
    for line in made.lines:
        for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", line.path):
            assert scale.LEFT <= float(x) <= scale.WIDTH
            assert scale.TOP <= float(y) <= scale.HEIGHT - scale.BOTTOM
    assert all(scale.TOP <= mark.at <= scale.HEIGHT - scale.BOTTOM for mark in made.up)
    assert len(made.rows) <= ROWS


def test_a_gap_is_a_gap_and_a_value_alone_is_seen() -> None:
    """A line ends where nothing is known and begins anew after it."""
    values: list[float | None] = [1.0, 2.0, None, 3.0, None, 2.0, 1.0]
    path = chart(view("freshness", {"tax": values})).lines[0].path
    assert len(re.findall("M", path)) == 3
    assert len(re.findall("h", path)) == 1


def test_too_many_lines_are_left_out_by_size_and_it_says_so() -> None:
    """The greatest are drawn in their order; each has a colour and dashes of its own."""
    lines: dict[str, list[float | None]] = {f"s{at:02}": [float(at), 1.0] for at in range(12)}
    made = chart(view("events", lines))
    assert [one.name for one in made.lines] == [f"s{at:02}" for at in range(4, 12)]
    assert [one.number for one in made.lines] == [*range(1, MOST_LINES + 1)]
    assert made.left_out == 4


def test_charts_say_in_words_what_they_show() -> None:
    """What somebody who does not see the drawing must know."""
    latency: dict[str, list[float | None]] = {"p50": [0.2, 0.1], "p95": [2.0, 0.5], "max": [300.0, 1.0]}
    assert "half arrived within 100 ms" in chart(view("latency", latency)).summary
    assert "nothing in this time took longer than 5m" in chart(view("latency", latency)).summary
    attempts: dict[str, list[float | None]] = {"delivered": [3.0, 2.0], "retry": [1.0, 0.0], "failed": [0.0, 0.0]}
    assert chart(view("attempts", attempts)).summary == "5 arrived, 1 put off, 0 given up."
    assert "most of tax" in chart(view("events", {"tax": [3.0, 2.0], "shop": [1.0, 0.0]})).summary
    ages = chart(view("freshness", {"tax": [30.0, 90.0], "shop": [600.0, 5.0], "new": [None, None]})).summary
    assert ages == "Oldest now: tax, 1m 30s. Oldest in this time: shop, 10m."


def test_rows_of_the_table_are_few_and_the_newest_first() -> None:
    """Of many steps several are one row: the mean of rates, the worst of ages."""
    values: list[float | None] = [float(at) for at in range(180)]
    rates, ages = chart(view("events", {"tax": values})).rows, chart(view("freshness", {"tax": values})).rows
    assert len(rates) == ROWS
    assert (rates[0].values, ages[0].values) == (["177"], ["2m 59s"])
    assert rates[-1].at == START


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "–"), (0.0, "0 s"), (0.025, "25 ms"), (1.25, "1.2 s"), (70.0, "1m 10s"), (90_000.0, "1d 1h")],
)
def test_seconds_are_written_for_people(value: float | None, words: str) -> None:
    """Milliseconds below a second, then at most two units."""
    assert seconds(value) == words


@pytest.mark.parametrize(
    ("value", "words"), [(None, "–"), (0.0, "0"), (0.125, "0.125"), (12.5, "12.5"), (1234.5, "1,234")]
)
def test_numbers_have_no_more_digits_than_count(value: float | None, words: str) -> None:
    """Whole from a hundred on."""
    assert number(value) == words


def test_the_script_has_the_same_marks_beside_the_axis() -> None:
    """Whoever has JavaScript reads the same scale as whoever has none."""
    script = (Path(scale.__file__).parent / "static" / "charts.js").read_text()
    found = re.search(r"const powers = \[([^\]]+)\]", script)
    assert found is not None
    assert tuple(float(one) for one in found[1].split(",")) == scale.POWERS


def test_latency_says_what_waits_and_is_not_counted() -> None:
    """Deliveries that have not arrived have no latency; a chart of those that have must not look well for it."""
    backlogs = [Backlog(174, 1_000), Backlog(0, None)]
    arrived = view("latency", {"p50": [1.0], "p95": [1.0], "max": [1.0]})
    nothing = view("latency", {"p50": [None], "p95": [None], "max": [None]})
    for one in (arrived, nothing):
        said = chart(with_waiting(one, backlogs, 350_000)).summary
        assert said.endswith("Not counted: 174 still wait, the oldest for 5m 49s."), said
        assert "wait" not in chart(with_waiting(one, [Backlog(0, None)], 350_000)).summary
