"""/metrics: the figures of an installation as Prometheus reads them, from the store alone.

The text format is https://prometheus.io/docs/instrumenting/exposition_formats/. Labels are names of the config.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from monitor import __version__
from monitor.bootstrap import Services
from monitor.moments import parse_instant, to_millis
from monitor.status import CIRCUITS, circuit
from monitor.web.operations import addresses_of, operation

FAMILIES = {
    "jobwire_build_info": ("gauge", "The version that answers."),
    "jobwire_source_up": ("gauge", "1 while the last scan of the source was complete."),
    "jobwire_source_freshness_seconds": ("gauge", "Seconds since the last complete scan ended."),
    "jobwire_source_items": ("gauge", "Items that the lists of the source have."),
    "jobwire_source_failures": ("gauge", "Failed scans in a row."),
    "jobwire_scan_started_total": ("counter", "Scans that were begun."),
    "jobwire_scan_last_seconds": ("gauge", "How long the last scan took."),
    "jobwire_target_backlog": ("gauge", "Deliveries that wait."),
    "jobwire_target_oldest_seconds": ("gauge", "Age of the oldest delivery that waits, 0 without any."),
    "jobwire_target_disabled": ("gauge", "1 while nothing is sent to the target."),
    "jobwire_target_circuit": ("gauge", "1 for the state the circuit of the target is in."),
    "jobwire_target_failures": ("gauge", "Failed attempts in a row."),
    "jobwire_target_delivered_total": ("counter", "Deliveries that arrived."),
    "jobwire_target_failed_total": ("counter", "Deliveries that were given up."),
    "jobwire_target_retried_total": ("counter", "Attempts that failed and were put off."),
    "jobwire_events_total": ("counter", "Events that were ever stored."),
}


@dataclass(slots=True)
class Exposition:
    """Samples by family, in the order of FAMILIES."""

    samples: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in FAMILIES})

    def add(self, family: str, value: float, **labels: str) -> None:
        """One sample."""
        named = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        self.samples[family].append(f"{family}{f'{{{named}}}' if named else ''} {value}\n")

    def text(self) -> str:
        """Everything, family by family."""
        return "".join(_family(name, lines) for name, lines in self.samples.items() if lines)


class Metrics:
    """The handler that counts."""

    def __init__(self, running: Services) -> None:
        self._running = running
        self._store = running.store

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return addresses_of(self)

    @operation("GET", "/metrics", "text/plain")
    async def metrics(self, _: web.Request) -> web.Response:
        """Every figure, as of now."""
        shown, now_ms = Exposition(), await self._store.db.now_ms()
        shown.add("jobwire_build_info", 1, version=__version__)
        for name in self._running.sources:
            items = await self._store.items.size(name)
            _source(shown, name, await self._store.sources.state(name), items, now_ms)
        for name in self._running.settings.targets:
            backlog = await self._store.reading.backlog(name)
            oldest = max(0, now_ms - backlog.oldest_ms) / 1000 if backlog.oldest_ms is not None else 0
            shown.add("jobwire_target_backlog", backlog.size, target=name)
            shown.add("jobwire_target_oldest_seconds", oldest, target=name)
            state = await self._store.reading.target(name)
            _target(shown, name, state)
            now = circuit(state, await self._store.reading.held_until(name), now_ms)
            for one in CIRCUITS:
                shown.add("jobwire_target_circuit", int(one == now), target=name, state=one)
        shown.add("jobwire_events_total", await self._store.log.written())
        return web.Response(text=shown.text(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


def _source(shown: Exposition, name: str, state: Mapping[str, str], items: int, now_ms: int) -> None:
    fresh = parse_instant(state.get("fresh_at"))
    shown.add("jobwire_source_up", int(fresh is not None and "failures" not in state), source=name)
    if fresh is not None:
        shown.add("jobwire_source_freshness_seconds", max(0, now_ms - to_millis(fresh)) / 1000, source=name)
    shown.add("jobwire_source_items", items, source=name)
    shown.add("jobwire_source_failures", int(state.get("failures", "0")), source=name)
    shown.add("jobwire_scan_started_total", int(state.get("epoch", "0")), source=name)
    if "scan" in state:
        shown.add("jobwire_scan_last_seconds", msgspec.json.decode(state["scan"])["ms"] / 1000, source=name)


def _target(shown: Exposition, name: str, state: Mapping[str, str]) -> None:
    shown.add("jobwire_target_disabled", int("disabled" in state), target=name)
    shown.add("jobwire_target_failures", int(state.get("failures", "0")), target=name)
    for what in ("delivered", "failed", "retried"):
        shown.add(f"jobwire_target_{what}_total", int(state.get(what, "0")), target=name)


def _family(name: str, lines: Iterable[str]) -> str:
    kind, text = FAMILIES[name]
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n{''.join(lines)}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
