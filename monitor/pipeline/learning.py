"""What scans learn about the shape of items: stored with its news, each told once, under the lease of the scan."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from monitor.events import Event, monitor_event
from monitor.moments import stamp
from monitor.pipeline.walk import Walk
from monitor.providers.base import SourceOptions
from monitor.store.sources import Lease, Sources

_NOT_ASKED = set(SourceOptions.model_fields) - {"provider", "base_url"}


def asked(options: SourceOptions) -> str:
    """A source's options in, a name for what they ask the provider for out; secrets and the schedule do not count."""
    return hashlib.blake2b(options.model_dump_json(exclude=_NOT_ASKED).encode(), digest_size=8).hexdigest()


async def learn(walk: Walk, sources: Sources, lease: Lease, now: datetime) -> None:
    """Store what the walk has learnt since this was called last, and tell the news of it."""
    drifts, shapes = walk.shapes.take()
    news = [
        (drift.mark, _event(walk, {name: getattr(drift, name) for name in drift.__struct_fields__}, drift.mark, now))
        for drift in drifts
    ]
    for kind, state in sorted(walk.unknown_states):
        details = {"what": "unknown_state", "kind": kind, "state": state}
        news.append((f"state {kind} {state}", _event(walk, details, f"{kind} {state}", now)))
    walk.unknown_states.clear()
    news += [(mark, _event(walk, details, mark, now)) for mark, details in walk.unreadable_dates.take(now)]
    if shapes or news:
        await sources.learn(lease, shapes, news)


def _event(walk: Walk, details: dict[str, Any], mark: str, now: datetime) -> Event:
    return monitor_event(
        "source",
        walk.source.name,
        "schema_drift",
        count=walk.epoch,
        time=stamp(now),
        details=details,
        provider=walk.source.provider.vocabulary.provider,
        mark=mark,
    )
