"""Writes config/schema.json and docs/config.md anew: `.venv/bin/python -m monitor.settings.generate`.

Run it in the checkout after a change of an option; a test fails while the two files say something else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from monitor.providers import PROVIDERS
from monitor.settings.agreement import deadline_rules, vocabularies
from monitor.settings.page import config_page
from monitor.settings.reading import load
from monitor.settings.schema import json_schema
from monitor.targets import TARGETS


def env_file(text: str) -> dict[str, str]:
    """The text of a file of NAME=value lines in, its variables out; comments and empty lines are left out."""
    lines = [line.strip() for line in text.splitlines()]
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def generated(root: Path) -> Mapping[Path, str]:
    """The directory of the checkout in; the files that are made from the code, with what they should hold, out.

    The default config names a source of every provider, so its providers are asked for their deadlines.
    """
    environ = env_file((root / "config" / "example.env").read_text())
    settings = load(root / "config" / "jobwire.yaml", environ)
    deadlines = deadline_rules(vocabularies(settings, PROVIDERS))
    return {
        root / "config" / "schema.json": json.dumps(json_schema(), indent=2) + "\n",
        root / "docs" / "config.md": config_page(PROVIDERS, TARGETS, deadlines),
    }


def main() -> None:
    """Write the files into the checkout that the command is run in."""
    for path, text in generated(Path.cwd()).items():
        path.write_text(text)


if __name__ == "__main__":
    main()
