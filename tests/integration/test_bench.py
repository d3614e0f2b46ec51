"""The measurements still measure: one tiny round of each, whatever its figures are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.place import TINY, Place, place, quiet
from bench.report import HEADINGS, lines, save, table_line
from bench.rows import MEASUREMENTS


@pytest.fixture(scope="module")
async def here() -> AsyncIterator[Place]:
    """A store and a stand-in for all of them."""
    with quiet():
        async with place(TINY) as started:
            yield started


@pytest.mark.parametrize("name", MEASUREMENTS)
async def test_a_measurement_gives_rows_that_can_be_printed_and_kept(here: Place, name: str, tmp_path: Path) -> None:
    """Each checks its own work (every item seen, every webhook arrived), so rows mean that it was done."""
    rows = await MEASUREMENTS[name](here)
    printed = lines([HEADINGS, *(table_line(row) for row in rows)])
    save(tmp_path / "rows.json", rows, size=TINY.name)
    kept = json.loads((tmp_path / "rows.json").read_text())["rows"]

    assert len(printed) == len(kept) + 1 >= 2
    assert all(row["ours"] > 0 for row in kept if "growth" not in row["name"])
    assert any(row["target"] for row in kept)
