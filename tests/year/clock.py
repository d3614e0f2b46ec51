"""Plays lives on a virtual clock by the product's own decisions: what is diffed, judged, armed and rung; no store.

A life is one item of a provider's list and what becomes of it. Scans see a change at the next full minute, and what is
gone for certain two minutes later; clocks ring when they are due.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, cast

import msgspec

from monitor.diff import diff_item
from monitor.events import Event
from monitor.ladders import Timing
from monitor.moments import from_millis
from monitor.pipeline.arming import arms
from monitor.pipeline.source import Runner, Source, assemble
from monitor.providers import PROVIDERS
from monitor.resources import Document
from monitor.ringing import ring
from monitor.rules import Judgement, Revision, Setting, judge, judge_removal
from monitor.store.deadlines import Armed
from monitor.stuck import StuckRule
from monitor.unreadable import UnreadableDates

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MOST_RINGS = 1_000

Item: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Life:
    """One item: its story in a line, its source, and what it is from each moment on (None: gone)."""

    story: str
    source: str
    changes: Sequence[tuple[datetime, Item | None]]


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happened in a life: an event, or news of a date that cannot be read."""

    at: datetime
    event: Event | None
    news: Mapping[str, Any] = field(default_factory=dict)


def source(
    name: str, provider: str, ladders: Mapping[str, Timing], stuck: Sequence[StuckRule], **options: Any
) -> Source:
    """A source as the product assembles it, without anybody who could speak HTTP for it."""
    plugin = PROVIDERS[provider]
    given = plugin.options.model_validate({"provider": provider, "token": "t", "base_url": "https://x.test", **options})
    return assemble(name, given, plugin.build(name, given), cast("Runner", None), ladders, stuck)


def play(life: Life, where: Source, begin: datetime = BEGIN, end: datetime = END) -> Iterator[Told]:
    """A life in, everything that is told of it between two moments out, in order."""
    document: Document | None = None
    waiting = [(_scan(at, begin), item) for at, item in life.changes]
    removals: list[tuple[datetime, list[str]]] = []
    now, rings = begin, 0
    while True:
        due = min((from_millis(ms) for _, ms in arms(where, "1", document)), default=None) if document else None
        moments = [at for at in (due, waiting[0][0] if waiting else None, removals[0][0] if removals else None) if at]
        now = max(min(moments, default=end), now)
        if now >= end:
            return
        how = Setting(where.name, where.provider.vocabulary, where.clockwork, now, baseline=now == begin)
        if waiting and waiting[0][0] <= now:
            _, item = waiting.pop(0)
            judgement, missing, news = _see(where, document, item, how)
            removals = [(now + 2 * MINUTE, missing)] if missing else []
            yield from (Told(now, None, one) for one in news)
        elif removals and removals[0][0] <= now and document:
            judgement = judge_removal(document, removals.pop(0)[1], how)
        else:
            rings += 1
            assert rings < MOST_RINGS, f"the clock of {life.story!r} does not stop ringing"
            judgement = _ring(where, document or Document(), how)
        document = judgement.document
        yield from (Told(now, event) for event in judgement.events)


def _scan(at: datetime, begin: datetime) -> datetime:
    """The scan that sees a change made at this moment."""
    whole = at.replace(second=0, microsecond=0)
    return max(begin, whole if whole == at else whole + MINUTE)


def _see(
    where: Source, document: Document | None, item: Item | None, how: Setting
) -> tuple[Judgement, list[str], list[Mapping[str, Any]]]:
    if item is None:
        known = document or Document()
        return judge_removal(known, [ref for ref, one in known.known.items() if not one.resource.parent], how), [], []
    diff = diff_item(document, where.provider.resources(msgspec.json.encode(item)), where.tracking)
    judgement = judge(document, diff, how)
    dates = UnreadableDates()
    dates.see(where.name, judgement.document, how.vocabulary.kinds, how.clockwork)
    return judgement, list(diff.missing), [details for _, details in dates.take(how.now)]


def _ring(where: Source, document: Document, how: Setting) -> Judgement:
    revisions: list[Revision] = []
    for member, ms in arms(where, "1", document):
        if from_millis(ms) <= how.now:
            armed = Armed(*msgspec.json.decode(member, type=tuple[str, str, str, str]))
            judgement = ring(document, armed.ref, armed.type, how)
            document = judgement.document
            revisions += judgement.revisions
    return Judgement(document, tuple(revisions))
