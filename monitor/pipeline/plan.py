"""How wide the next walk of a source is: narrow where the provider can narrow it, whole now and then. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from monitor.exchange import ScanEnd
from monitor.moments import parse_instant, stamp
from monitor.pipeline.source import Source
from monitor.providers.base import ScanPlan
from monitor.schedule import next_pace

_hints = msgspec.json.Decoder(dict[str, str])


SMALL_PAGES = 4
"""A list of so few pages is walked whole each time: that costs no more than a narrow walk, and proves everything."""


def plan_of(source: Source, state: Mapping[str, str], now: datetime, *, by_hand: bool = False) -> ScanPlan:
    """The source and its stored state in, the plan of the next walk out.

    A walk is full when the provider knows no other, at the baseline, when `full_every` has passed since the
    last full one, when the config means something else by a change than it did then, when an operator asked
    for it or has decided on removals that are held, and while the list is small (unless the config names
    `full_every` itself).
    """
    hints = _hints.decode(state.get("hints", "{}"))
    every, last = source.options.full_every, parse_instant(state.get("full_at"))
    fresh = last is not None and every is not None and now - last < timedelta(seconds=every)
    small = int(state.get("full_pages", "0")) <= SMALL_PAGES and "full_every" not in source.options.model_fields_set
    if (
        small
        or by_hand
        or not fresh
        or "baselined" not in state
        or state.get("config") != source.config.hex()
        or "release" in state
    ):
        widened = state.get("scope", source.scope) != source.scope
        return ScanPlan(full=True, since=state.get("watermark"), hints=hints, widened=widened)
    return ScanPlan(full=False, since=state.get("watermark"), hints=hints)


def remembered(source: Source, plan: ScanPlan, end: ScanEnd, started: datetime, pages: int) -> dict[str, str | int]:
    """A complete walk in, with how many pages it had; what the next plan needs out: fields of the source's state."""
    fields: dict[str, str | int] = {"hints": msgspec.json.encode(dict(end.hints)).decode()}
    if end.watermark is not None:
        fields["watermark"] = end.watermark
    if plan.full:
        fields |= {"full_at": stamp(started), "config": source.config.hex(), "scope": source.scope, "full_pages": pages}
    return fields


def paced(
    source: Source, state: Mapping[str, str], counts: Mapping[str, Mapping[str, int]], *, changed: bool
) -> dict[str, int]:
    """A complete walk in, the interval until the next one out (field `pace_ms`); nothing where it is not adapted."""
    if not source.pace.adapts:
        return {}
    kinds = source.provider.vocabulary.kinds
    busy = any(amount and word in kinds[kind].busy for kind in kinds for word, amount in counts.get(kind, {}).items())
    current = int(state.get("pace_ms", "0")) / 1000
    return {"pace_ms": round(next_pace(source.pace, current, changed=changed, busy=busy) * 1000)}
