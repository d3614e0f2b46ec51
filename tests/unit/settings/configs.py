"""Config files for tests: written, checked, and what `check` said of them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

from monitor.settings import Report, Settings, check, load

SECRET = "whsec_" + "c2VjcmV0IG1hZGUgdXAgZm9yIHRlc3Rz"
SOURCES = "sources: {tax: {provider: worklayer, token: abc}}\n"
TARGETS = f"targets: {{ops: {{type: webhook, url: https://hooks.example.org/x, secret: {SECRET}}}}}\n"


class Configs:
    """Writes config files into a directory of one test and reads them."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "jobwire.yaml"

    @staticmethod
    def dedent(text: str) -> str:
        """Text without the indentation that it has in the test."""
        return textwrap.dedent(text)

    def check(self, text: str, environ: Mapping[str, str] | None = None) -> Report:
        """What `check` says of a file with this text (indentation taken off)."""
        self.path.write_text(self.dedent(text))
        return check(self.path, environ or {})

    def load(self, text: str, environ: Mapping[str, str] | None = None) -> Settings:
        """The settings of a file with this text."""
        self.path.write_text(self.dedent(text))
        return load(self.path, environ or {})

    def problems(self, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
        """Its problems as `line:column: ...`."""
        return [self._short(str(problem)) for problem in self.check(text, environ).problems]

    def warnings(self, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
        """Its warnings as `line:column: ...`; there must be no problem."""
        report = self.check(text, environ)
        assert report.problems == ()
        return [self._short(str(warning)) for warning in report.warnings]

    def _short(self, said: str) -> str:
        return said.removeprefix(f"{self.path}:")
