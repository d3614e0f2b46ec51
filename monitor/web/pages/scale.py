"""Where values and times stand in a drawing. Pure: values in, places out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 560, 220, 64, 22, 8
POWERS = (0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 36_000.0, 86_400.0)
"""Seconds that stand beside a logarithmic axis; `charts.js` has the same."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Where values and times stand in a drawing; latencies by their logarithm, since they span from ms to hours."""

    low: float
    high: float
    log: bool
    steps: int
    marks: Sequence[float]

    @classmethod
    def of(cls, lines: Sequence[Sequence[float | None]], *, log: bool, of_time: bool) -> Scale:
        """Values of lines in, the scale they fit on out; `of_time` are seconds."""
        most, steps = max(value for line in lines for value in line if value is not None), len(lines[0])
        if log:
            top = next((one for one in POWERS if one >= max(most, 1.0)), POWERS[-1])
            return cls(POWERS[0], top, log=True, steps=steps, marks=[one for one in POWERS if one <= top])
        step = _round_step(most / 4, of_time=of_time)
        top = math.ceil(most / step) * step
        marks = [step * one for one in range(round(top / step) + 1)]
        return cls(0.0, top, log=False, steps=steps, marks=marks)

    def x(self, step: float) -> float:
        """Where a step stands from the left."""
        return round(LEFT + (WIDTH - LEFT) * step / max(1, self.steps - 1), 1)

    def y(self, value: float) -> float:
        """Where a value stands from the top."""
        if self.log:
            span = math.log10(self.high / self.low)
            share = math.log10(min(max(value, self.low), self.high) / self.low) / span
        else:
            share = value / self.high
        return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP), 1)

    def path(self, values: Sequence[float | None]) -> str:
        """Values in, a path of SVG out, which has a gap where there is none; one value alone is a short dash."""
        made, drawn = [], False
        for at, value in enumerate(values):
            if value is None:
                drawn = False
                continue
            made.append(f"{'L' if drawn else 'M'}{self.x(at)} {self.y(value)}")
            alone = not drawn and (at + 1 == len(values) or values[at + 1] is None)
            made += ["h3"] if alone else []
            drawn = True
        return "".join(made)


def _round_step(least: float, *, of_time: bool) -> float:
    """The distance of marks: a round number, of time one that clocks have."""
    if of_time:
        clock = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200)
        days = 86_400 * math.ceil(least / 86_400)
        return next((one for one in clock if one >= least), days)
    power = math.pow(10, math.floor(math.log10(max(least, 0.01))))
    return next(power * one for one in (1, 2, 5, 10) if power * one >= least * 0.999)
