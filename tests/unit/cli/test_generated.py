"""docs/commands.md and docs/events.md say what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.cli.app import COMMANDS
from monitor.cli.generate import generated
from monitor.cli.manual import options
from monitor.cli.schemas import vocabularies
from monitor.eventschema import ALWAYS, catalogue

ROOT = Path(__file__).resolve().parents[3]
PAGES = generated(ROOT)


@pytest.mark.parametrize("path", list(PAGES), ids=lambda path: path.name)
def test_the_page_is_what_the_code_makes(path: Path) -> None:
    """If not: `.venv/bin/python -m monitor.cli.generate`."""
    assert path.read_text() == PAGES[path]


@pytest.mark.parametrize("command", [name for _, name, _, _ in COMMANDS])
def test_every_command_and_option_is_on_the_page(command: str) -> None:
    """Under its own heading."""
    page = PAGES[ROOT / "docs" / "commands.md"]
    section = page.partition(f"\n## `{command}`\n")[2].partition("\n## ")[0]

    assert f"    jobwire {command}" in section
    assert [word for word in options(command) if f"`{word}`" not in section] == []


def test_every_event_type_is_on_the_page() -> None:
    """Those that every kind has stand there once for all."""
    page = PAGES[ROOT / "docs" / "events.md"]
    own = [one.name for one in catalogue(vocabularies()) if one.name.rsplit(".", 1)[-1] not in ALWAYS]

    assert [name for name in own if f"`{name}`" not in page] == []
    assert all(f"`PROVIDER.KIND.{what}`" in page for what in ALWAYS)
