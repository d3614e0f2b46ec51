"""`python -m bench [NAMES...] [--quick] [--json FILE]`: measure, and print every figure beside its limit."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.place import FULL, QUICK, Sizes, place, quiet
from bench.report import HEADINGS, Row, lines, save, table_line
from bench.rows import MEASUREMENTS
from bench.rows.memory import million
from monitor.garbage import collect_seldom

ON_DEMAND = {"million": million}


async def run(names: Sequence[str], sizes: Sizes, *, persistent: bool = False) -> list[Row]:
    """Measurements by name in, their rows out, printed as they come."""
    known = {**MEASUREMENTS, **ON_DEMAND}
    rows: list[Row] = []
    print("\n".join(lines([HEADINGS])), flush=True)
    with quiet():
        async with place(sizes, persistent=persistent) as here:
            for name in names:
                begun = time.monotonic()
                found = await known[name](here)
                print("\n".join(lines(table_line(row) for row in found)), flush=True)
                print(f"({name}: {time.monotonic() - begun:.0f} s)", file=sys.stderr, flush=True)
                rows += found
    return rows


def main() -> int:
    """Read the command line and measure; the exit code says only whether it ran."""
    parser = argparse.ArgumentParser(prog="jobwire bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join([*MEASUREMENTS, *ON_DEMAND]))
    parser.add_argument("--quick", action="store_true", help="smaller sizes, under a minute in all")
    parser.add_argument("--aof", action="store_true", help="keep the embedded store's log on disk, as users have it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there, too")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in {**MEASUREMENTS, **ON_DEMAND}]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join([*MEASUREMENTS, *ON_DEMAND])}")
    sizes = QUICK if given.quick else FULL
    # As every process of ours does; the limits run in this one, so they have it too.
    collect_seldom()
    rows = asyncio.run(run(given.names or list(MEASUREMENTS), sizes, persistent=given.aof))
    if given.json:
        save(given.json, rows, size=sizes.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
