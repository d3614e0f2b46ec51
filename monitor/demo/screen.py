"""Lines in; wrapped and coloured on a terminal, or whole and plain in a pipe, out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TextIO, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console

Part: TypeAlias = str | tuple[str, str]
"""Text, or text with a style of rich."""

INDENT = 10
_NARROW = 30  # columns below which text is not wrapped any narrower
_WIDE = 112


class Screen:
    """Where a demo tells what happens. When it is gone, `lost` is called and nothing is told any more."""

    def __init__(self, out: TextIO | None = None, width: int | None = None) -> None:
        """`width` is in columns; None: that of the terminal."""
        self._out = out or sys.stdout
        reconfigure = getattr(self._out, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
        self._console = _console(self._out, width) if self._out.isatty() else None
        self.lost: Callable[[], object] = lambda: None

    @property
    def wide(self) -> bool:
        """Whether there is room for whole sentences."""
        return self._console is None or self._console.width >= _WIDE

    def at(self, moment: datetime, *parts: Part) -> None:
        """A line that begins with the time of day here; what does not fit goes on below the text."""
        self._line((f"{moment.astimezone():%H:%M:%S}  ", "dim"), " " * INDENT, parts)

    def below(self, *parts: Part, mark: str = "", edge: str = "") -> None:
        """A line under the last one, led by a mark; what does not fit goes on behind it, along the edge."""
        lead = " " * INDENT + (mark or edge)
        self._line((lead, "dim"), " " * INDENT + edge.ljust(len(mark)), parts)

    def line(self, *parts: Part, lead: Part = "") -> None:
        """A line from the edge; what does not fit goes on behind the lead."""
        text, style = (lead, "") if isinstance(lead, str) else lead
        self._line((text, style), " " * len(text), parts)

    def verbatim(self, text: str, style: str = "bold") -> None:
        """Text that is to be copied: never wrapped by us."""
        if self._console is None:
            self._write(text)
            return
        console = self._console
        self._guarded(lambda: console.print(text, style=style, soft_wrap=True, markup=False, emoji=False))

    def _line(self, lead: tuple[str, str], hanging: str, parts: tuple[Part, ...]) -> None:
        styled = [(part, "") if isinstance(part, str) else part for part in parts]
        pieces = [(printable(text), style) for text, style in styled]
        if self._console is None:
            self._write((lead[0] + "".join(text for text, _ in pieces)).rstrip())
            return
        console = self._console
        self._guarded(lambda: _print_wrapped(console, lead, hanging, pieces))

    def _write(self, text: str) -> None:
        def write() -> None:
            self._out.write(text + "\n")
            self._out.flush()

        self._guarded(write)

    def _guarded(self, write: Callable[[], object]) -> None:
        """Whoever read may be gone: a closed terminal, the end of a pipe."""
        try:
            write()
        except OSError:
            self.lost()


def printable(text: str) -> str:
    """The text without control characters: what providers send cannot drive a terminal."""
    return text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)


def _console(out: TextIO, width: int | None) -> Console:
    from rich.console import Console  # noqa: PLC0415 - pipes do without

    return Console(file=out, highlight=False, width=width, height=None if width is None else 25)


def _print_wrapped(console: Console, lead: tuple[str, str], hanging: str, pieces: list[tuple[str, str]]) -> None:
    from rich.text import Text  # noqa: PLC0415 - as above

    whole = Text.assemble(*pieces)
    rows = whole.wrap(console, max(_NARROW, console.width - len(hanging)))
    for number, row in enumerate(rows or [Text()]):
        row.rstrip()
        console.print(Text.assemble(lead if number == 0 else (hanging, "dim"), row), soft_wrap=True)
