"""Samples in, the text that Prometheus reads out: https://prometheus.io/docs/instrumenting/exposition_formats/."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.store.totals import Histogram
from monitor.web.families import FAMILIES


@dataclass(slots=True)
class Exposition:
    """Samples by family, in the order of FAMILIES."""

    samples: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in FAMILIES})

    def add(self, family: str, value: float, **labels: str) -> None:
        """One sample."""
        self._add(family, "", value, labels)

    def summary(self, family: str, count: int, seconds: float, **labels: str) -> None:
        """How many, and how long in all."""
        self._add(family, "_sum", seconds, labels)
        self._add(family, "_count", count, labels)

    def histogram(self, family: str, found: Histogram, **labels: str) -> None:
        """Durations by their limits, which are told in seconds."""
        for limit, count in found.at_most:
            self._add(family, "_bucket", count, {**labels, "le": f"{limit / 1000:g}"})
        self._add(family, "_bucket", found.count, {**labels, "le": "+Inf"})
        self.summary(family, found.count, found.sum_ms / 1000, **labels)

    def text(self) -> str:
        """Everything, family by family."""
        return "".join(_family(name, lines) for name, lines in self.samples.items() if lines)

    def _add(self, family: str, suffix: str, value: float, labels: dict[str, str]) -> None:
        named = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        self.samples[family].append(f"{family}{suffix}{f'{{{named}}}' if named else ''} {value}\n")


def _family(name: str, lines: Iterable[str]) -> str:
    kind, text = FAMILIES[name]
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n{''.join(lines)}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
