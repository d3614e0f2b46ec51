"""The rows of a run: for people as a table, for programs as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

HEADINGS = ("what", "limit", "jobwire", "ratio", "must reach", "met")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: the limit's, ours, how ours compares (more is better), what the design demands, whether it is met."""

    name: str
    unit: str
    ours: float
    limit: float | None = None
    ratio: float | None = None
    target: str = ""
    met: bool | None = None


def table_line(row: Row) -> tuple[str, ...]:
    """A row as cells."""
    limit = "" if row.limit is None else figure(row.limit)
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    met = {True: "yes", False: "NO", None: ""}[row.met]
    return (row.name, limit, f"{figure(row.ours)} {row.unit}", ratio, row.target, met)


def figure(value: float) -> str:
    """A number as people read it: 12,345 or 12.3 or 0.12."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def lines(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Cells in, aligned lines out; the widths suit this bench, so that lines can be printed as they come."""
    widths = (44, 9, 14, 6, 22, 3)
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def save(path: Path, rows: Iterable[Row], *, size: str) -> None:
    """Write the rows with what they were measured on."""
    machine = {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine()}
    facts = {"size": size, "cpus": os.cpu_count(), **machine, "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(facts, indent=1) + "\n")
