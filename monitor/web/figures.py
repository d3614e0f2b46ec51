"""What /metrics tells of one source or one target: its state as it is stored in, samples out."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from monitor.ageing import stale_limit
from monitor.moments import parse_instant, to_millis
from monitor.pipeline.source import Source
from monitor.status import CIRCUITS, circuit
from monitor.store.reading import Backlog
from monitor.store.totals import ScanTotals
from monitor.web.exposition import Exposition

_SUMS = {
    "jobwire_scan_pages_total": "pages",
    "jobwire_scan_items_total": "items",
    "jobwire_scan_changes_total": "changed",
    "jobwire_scan_events_total": "events",
    "jobwire_scan_removed_total": "removed",
    "jobwire_scan_unreadable_total": "unreadable",
    "jobwire_scan_requests_total": "requests",
    "jobwire_scan_received_bytes_total": "bytes",
    "jobwire_scan_saved_bytes_total": "bytes_saved",
    "jobwire_scan_not_modified_total": "not_modified",
    "jobwire_scan_repeated_total": "repeated",
    "jobwire_scan_missed_slots_total": "missed",
    "jobwire_scan_duplicates_total": "duplicates",
    "jobwire_scan_outdated_total": "outdated",
}


def add_source(shown: Exposition, source: Source, state: Mapping[str, str], items: int, now_ms: int) -> None:
    """How a source is at `now_ms` of the store's clock."""
    name, options = source.name, source.options
    fresh = parse_instant(state.get("fresh_at"))
    shown.add("jobwire_source_enabled", int(options.enabled), source=name)
    shown.add("jobwire_source_up", int(fresh is not None and "failures" not in state), source=name)
    if fresh is not None:
        shown.add("jobwire_source_freshness_seconds", max(0, now_ms - to_millis(fresh)) / 1000, source=name)
    limit = stale_limit(options.every_max or options.every, options.stale_after)
    shown.add("jobwire_source_stale_after_seconds", limit, source=name)
    shown.add("jobwire_source_items", items, source=name)
    shown.add("jobwire_source_failures", int(state.get("failures", "0")), source=name)
    shown.add("jobwire_source_removals_held", int(state.get("held", "0")), source=name)
    ends = source.provider.credentials().expires_at
    if ends is not None:
        shown.add("jobwire_source_credentials_expiry_timestamp_seconds", to_millis(ends) / 1000, source=name)


def add_scans(shown: Exposition, name: str, state: Mapping[str, str], totals: ScanTotals) -> None:
    """What the scans of a source did: all of them, and the last."""
    shown.add("jobwire_scan_started_total", int(state.get("epoch", "0")), source=name)
    if "scan" in state:
        shown.add("jobwire_scan_last_seconds", msgspec.json.decode(state["scan"])["ms"] / 1000, source=name)
    for outcome, number in sorted(({"complete": 0} | dict(totals.ended)).items()):
        shown.add("jobwire_scans_total", number, source=name, outcome=outcome)
    sums = totals.sums
    shown.summary("jobwire_scan_seconds", sum(totals.ended.values()), sums.get("ms", 0) / 1000, source=name)
    for family, field in _SUMS.items():
        shown.add(family, sums.get(field, 0), source=name)
    shown.add("jobwire_scan_waited_seconds_total", sums.get("waited_ms", 0) / 1000, source=name)


def add_target(
    shown: Exposition, name: str, state: Mapping[str, str], backlog: Backlog, held: int | None, now_ms: int
) -> None:
    """How a target is at `now_ms` of the store's clock."""
    oldest = max(0, now_ms - backlog.oldest_ms) / 1000 if backlog.oldest_ms is not None else 0
    shown.add("jobwire_target_backlog", backlog.size, target=name)
    shown.add("jobwire_target_oldest_seconds", oldest, target=name)
    shown.add("jobwire_target_disabled", int("disabled" in state), target=name)
    shown.add("jobwire_target_failures", int(state.get("failures", "0")), target=name)
    for what in ("delivered", "failed", "retried"):
        shown.add(f"jobwire_target_{what}_total", int(state.get(what, "0")), target=name)
    now = circuit(state, held, now_ms)
    for one in CIRCUITS:
        shown.add("jobwire_target_circuit", int(one == now), target=name, state=one)
