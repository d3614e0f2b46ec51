"""Writes docs/commands.md and docs/events.md anew: `.venv/bin/python -m monitor.cli.generate`.

Run it in the checkout after a change of a command or of what a provider declares; a test fails while the pages say
something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from monitor.cli.eventpage import events_page
from monitor.cli.manual import commands_page
from monitor.cli.schemas import vocabularies


def generated(root: Path) -> Mapping[Path, str]:
    """The directory of the checkout in; the pages that are made from the code, with what they should hold, out."""
    return {
        root / "docs" / "commands.md": commands_page(),
        root / "docs" / "events.md": events_page(vocabularies()),
    }


def main() -> None:
    """Write the pages into the checkout that the command is run in."""
    for path, text in generated(Path.cwd()).items():
        path.write_text(text)


if __name__ == "__main__":
    main()
