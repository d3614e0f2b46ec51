"""The config file from its path to settings: read, parsed, filled in, validated, advised on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as File
from typing import Any

from monitor import yamlfile
from monitor.errors import ConfigError
from monitor.providers import PROVIDERS
from monitor.settings.advice import advise
from monitor.settings.agreement import Providers, Targets, timings_take_effect
from monitor.settings.interpolation import Filled, Interpolation, InterpolationError
from monitor.settings.model import Report, Settings
from monitor.settings.problems import Path, Problems
from monitor.settings.routelint import routes_deserve_a_look
from monitor.settings.validation import SECTIONS, Reader
from monitor.targets import TARGETS
from monitor.yamlfile import Mark, Node, Scalar

MAX_SIZE = 16_000_000


def load(
    path: File, environ: Mapping[str, str], providers: Providers = PROVIDERS, targets: Targets = TARGETS
) -> Settings:
    """A config file and the environment in, its settings out; ConfigError holds everything that is wrong with it."""
    report = check(path, environ, providers, targets)
    if report.settings is None:
        raise ConfigError(list(report.problems))
    return report.settings


def check(
    path: File, environ: Mapping[str, str], providers: Providers = PROVIDERS, targets: Targets = TARGETS
) -> Report:
    """A config file and the environment in; settings or problems, and warnings, out. Reads files, nothing else."""
    problems = Problems(str(path))
    root = _parsed(path, problems)
    if root is None:
        return Report(None, problems.found, ())
    problems.root = root
    given = _Filler(Interpolation(environ, path.parent), problems).value(root, ())
    settings = Reader(given, problems, providers, targets, environ).settings()
    if problems:
        return Report(None, problems.found, ())
    warnings = Problems(str(path), root)
    advise(settings, warnings)
    timings_take_effect(settings, providers, warnings)
    routes_deserve_a_look(settings, providers, warnings)
    return Report(settings, (), warnings.found)


def _parsed(path: File, problems: Problems) -> Node | None:
    """The tree of a file; None when nothing can be read from it, with a problem that says why."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SIZE + 1)
    except OSError as error:
        why = error.strerror or "input or output failed"
        problems.at(Mark(), f"cannot be read: {why}. Name another file with --config or JOBWIRE_CONFIG")
        return None
    except ValueError:
        problems.at(Mark(), "cannot be read: this is not the name of a file")
        return None
    if len(content) > MAX_SIZE:
        problems.at(Mark(), f"is larger than {MAX_SIZE:,} bytes, which no config file is")
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        mark = Mark(before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        problems.at(mark, "is not UTF-8 text: save the file in that encoding")
        return None
    parsed = yamlfile.parse(text)
    for flaw in parsed.flaws:
        problems.at(flaw.mark, flaw.text)
    if parsed.root is None and not problems:
        problems.at(Mark(), f"is empty: write at least sources; the sections are {', '.join(SECTIONS)}")
    return parsed.root


class _Filler:
    """Turns nodes into plain values with every `${...}` replaced."""

    def __init__(self, interpolation: Interpolation, problems: Problems) -> None:
        self._interpolation = interpolation
        self._problems = problems

    def value(self, node: Node, path: Path) -> Any:
        """A node in, its value out; a value that cannot be filled becomes an object that fits nowhere."""
        if isinstance(node, yamlfile.Mapping):
            return {key: self.value(child, (*path, key)) for key, child in node.entries.items()}
        if isinstance(node, yamlfile.Sequence):
            return [self.value(child, (*path, index)) for index, child in enumerate(node.items)]
        return self._scalar(node, path) if "$" in node.text else node.value

    def _scalar(self, node: Scalar, path: Path) -> Any:
        try:
            text, parts = self._interpolation.fill(node.text)
        except InterpolationError as error:
            self._problems.fail(path, str(error))
            return object()
        if parts:
            self._problems.filled[id(node)] = (text, parts)
        return None if isinstance(text, Filled) and not text else text
