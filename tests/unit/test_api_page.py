"""docs/api.md against the code."""

from __future__ import annotations

from pathlib import Path

from monitor.web.families import FAMILIES

PAGE = Path(__file__).parents[2] / "docs/api.md"


def test_every_metric_stands_on_the_page_in_the_words_of_metrics_itself() -> None:
    """A family that is added, or said otherwise, is so in both places."""
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `jobwire_")]
    assert rows == [f"| `{name}` | {kind} | {text} |" for name, (kind, text) in FAMILIES.items()]
