"""How a source is: how fresh, when it is due next, what is wrong."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from monitor.ageing import stale_limit
from monitor.moments import from_millis, parse_instant, stamp, to_millis
from monitor.providers.base import SourceOptions
from monitor.schedule import next_due
from monitor.status.watched import Watched
from monitor.store.items import Items
from monitor.store.sources import Sources


class SourceView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A source now. `state` is ok, new, stale, failing, credentials_rejected or disabled; `age` is in seconds.

    It is failing once that is told: after three failed scans in a row or five minutes. New: no scan was complete yet.

    `fresh_at` is the end of the last complete scan, `items` how many entries its lists have, `next_at` when it
    is due (None: never), `error` what went wrong last (None after a complete scan), `quota` what the provider
    says is left to its credentials: `remaining` of `limit` until `resets_at` (None where it does not say).
    `held` counts removals that are held, and is only there if any are.
    """

    name: str
    provider: str
    state: str
    fresh_at: str | None
    age: int | None
    items: int
    next_at: str | None
    error: str | None
    quota: dict[str, int | str] | None
    held: int = 0


async def source_view(sources: Sources, items: Items, source: Watched, now_ms: int) -> SourceView:
    """A source in, how it is at `now_ms` of the store's clock out."""
    stored = await sources.state(source.name)
    fresh = parse_instant(stored.get("fresh_at"))
    age = max(0, (now_ms - to_millis(fresh)) // 1000) if fresh else None
    return SourceView(
        name=source.name,
        provider=source.provider.vocabulary.provider,
        state=_state(source.options, stored, age),
        fresh_at=stored.get("fresh_at"),
        age=age,
        items=await items.size(source.name),
        next_at=_next_at(source, stored, now_ms),
        error=stored.get("error") or None,
        quota=await _quota(sources, source, now_ms),
        held=int(stored.get("held", "0")),
    )


async def _quota(sources: Sources, source: Watched, now_ms: int) -> dict[str, int | str] | None:
    said = await sources.quota(source.credential)
    if said is None or said.ends_ms <= now_ms:
        return None
    return {"remaining": said.left, "limit": said.limit, "resets_at": stamp(from_millis(said.ends_ms))}


def _state(options: SourceOptions, stored: Mapping[str, str], age: int | None) -> str:
    if not options.enabled:
        return "disabled"
    if "announced" in stored:
        return stored["announced"]
    if age is None:
        return "new"
    return "stale" if age > stale_limit(options.every_max or options.every, options.stale_after) else "ok"


def _next_at(source: Watched, stored: Mapping[str, str], now_ms: int) -> str | None:
    if not source.options.enabled:
        return None
    last = int(stored["slot"]) if "slot" in stored else None
    due = next_due(source.name, source.pace, int(stored.get("pace_ms", "0")), now_ms, last)
    return stamp(from_millis(max(due, int(stored.get("paused_until", "0")))))
