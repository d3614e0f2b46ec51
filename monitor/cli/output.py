"""Tables and colours for people at a terminal, plain aligned lines for pipes, JSON for programs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from rich.console import Console

_ENDLESS = 10_000

CELL = 120
"""Characters of a cell that people read: a longer title would push all else out of sight. JSON has it whole."""

_SPACES = re.compile(r"\s+")
_STYLES = {
    "ok": "green",
    "delivered": "green",
    "complete": "green",
    "closed": "green",
    "pending": "yellow",
    "new": "yellow",
    "stale": "yellow",
    "disabled": "yellow",
    "open": "red",
    "failing": "red",
    "failed": "red",
    "credentials_rejected": "red",
    "error": "red",
    "warning": "yellow",
}


def say(text: str = "") -> None:
    """One line or several for people."""
    print(text, flush=True)


def note(text: str) -> None:
    """One line beside the output: on standard error, so that a pipe does not get it."""
    print(text, file=sys.stderr, flush=True)


def json_line(value: Any) -> None:
    """One value as a line of JSON, in UTF-8 whatever the locale; bytes are JSON already."""
    line = value if isinstance(value, bytes) else msgspec.json.encode(value)
    sys.stdout.flush()
    sys.stdout.buffer.write(line + b"\n")


def flush() -> None:
    """Whoever reads gets now what was printed so far: for output that goes on."""
    sys.stdout.flush()


def at_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout.isatty()


def table(head: Sequence[str], rows: Iterable[Sequence[str]], most: int = CELL) -> None:
    """Rows of text under their heads, cells of at most so many characters; a terminal gets colours."""
    cells = [[cut(plain(cell), most) for cell in row] for row in rows]
    if at_terminal():
        _rich_table(head, cells)
        return
    lines = [[name.upper() for name in head], *cells]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def columns(cells: Sequence[tuple[str, int, str]]) -> None:
    """One line of cells: text, least width, style of rich. For output that goes on and cannot wait for its widths."""
    if not at_terminal():
        print("  ".join(cut(plain(text)).ljust(width) for text, width, _ in cells).rstrip())
        return
    from rich.text import Text  # noqa: PLC0415 - pipes do without

    line = Text()
    for text, width, style in cells:
        line.append(cut(plain(text)).ljust(width) + "  ", style=style)
    _console().print(line, soft_wrap=True)


def plain(text: str) -> str:
    """Text from anywhere in, one line without control characters out: what providers send cannot drive a terminal."""
    flat = _SPACES.sub(" ", text)
    return flat if flat.isprintable() else "".join(char if char.isprintable() else "�" for char in flat)


def cut(text: str, limit: int = CELL) -> str:
    """The text in at most so many characters, with an ellipsis where that is not all."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def shorter(text: str, limit: int) -> str:
    """The same where a person at a terminal would lose the line; a pipe gets more of it."""
    return cut(text, limit) if at_terminal() else text


def _rich_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.table import Table  # noqa: PLC0415 - pipes do without
    from rich.text import Text  # noqa: PLC0415

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for name in head:
        drawn.add_column(name, no_wrap=True)
    for row in rows:
        drawn.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    # A terminal breaks long lines by itself, and ids in them can still be copied whole.
    _console(_ENDLESS).print(drawn, crop=False, no_wrap=True, overflow="ignore")


def _console(width: int | None = None) -> Console:
    from rich.console import Console  # noqa: PLC0415 - pipes do without

    return Console(highlight=False, width=width)
