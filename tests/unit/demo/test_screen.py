from __future__ import annotations

import io
import re
from datetime import UTC, datetime

from monitor.demo.quiet import BURST, Allowance
from monitor.demo.screen import Screen


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self) -> bool:
        return True


class Gone(io.StringIO):
    """A reader that has left."""

    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_in_a_pipe_a_line_is_a_line() -> None:
    """Nothing is wrapped or coloured, and what a provider sends cannot drive a terminal."""
    out = io.StringIO()
    screen = Screen(out)
    screen.at(datetime(2026, 1, 5, 9, 30, tzinfo=UTC), ("x" * 200, "bold"), " \x1b[31mred\r\n")
    screen.below("under it", mark="→ ")
    lines = out.getvalue().splitlines()
    assert lines[0].endswith("x  [31mred")
    assert len(lines) == 2
    assert lines[1] == " " * 10 + "→ under it"
    assert screen.wide


def test_on_a_terminal_what_does_not_fit_goes_on_behind_the_time() -> None:
    """Every row is within the width, and continued rows begin where the text began."""
    out = Terminal()
    screen = Screen(out, width=60)
    screen.at(datetime(2026, 1, 5, 9, 30, tzinfo=UTC), ("one two three four five " * 5, "bold"))
    screen.below("said " * 20, edge="│ ")
    screen.verbatim("curl " + "x" * 100)
    rows = re.sub(r"\x1b\[[\d;]*m", "", out.getvalue()).splitlines()
    first = [row for row in rows if "three" in row or "one" in row]
    assert all(len(row) <= 60 for row in rows if "curl" not in row)
    assert all(row.startswith(" " * 10) for row in first[1:])
    assert [row for row in rows if "curl" in row] == ["curl " + "x" * 100]
    assert all(row.startswith(" " * 10 + "│ ") for row in rows if "said" in row)
    assert not screen.wide


def test_who_reads_may_leave() -> None:
    """A closed terminal or pipe is told to whoever asked, and ends nothing by itself."""
    lost: list[bool] = []
    screen = Screen(Gone())
    screen.lost = lambda: lost.append(True)
    screen.line("anybody there?")
    assert lost == [True]


def test_only_so_much_is_told_at_once() -> None:
    """A burst in full, then one for each that its time allows."""
    now = [100.0]
    allowance = Allowance(clock=lambda: now[0])
    assert [allowance.take() for _ in range(int(BURST) + 2)] == [True] * int(BURST) + [False] * 2
    now[0] += 1.0
    assert [allowance.take() for _ in range(2)] == [True, False]
    now[0] += 1000.0
    assert sum(allowance.take() for _ in range(20)) == int(BURST)
