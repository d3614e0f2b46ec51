"""What a complete walk did not see: looked up by id where that is possible, counted, and removed when it is certain.

Absence is not a state: one scan that misses an item proves nothing. An item is removed when the provider
says that it does not exist, or when `confirm_removal` complete scans in a row have missed it; and nothing
is removed while more than `removal_limit` of what is known is missing.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
import structlog

from monitor.errors import ProviderError, TransportError
from monitor.moments import parse_instant, stamp
from monitor.pipeline.walk import Note, Walk, commit_of
from monitor.resources import Document
from monitor.rules import Judgement, judge_removal
from monitor.store.items import DIGEST_SIZE, Items, missing_field
from monitor.store.sources import Sources

HELD_AT_LEAST = 3
"""Fewer missing items than this are never held: of two known items one is already half."""

_LOOK_UPS = 200
"""Items asked for by id in one scan, at the most; the others wait for the next."""

_RECHECK_SECONDS = 86_400.0
"""An item that exists but is in no walk (it left the filter of the source) is asked for this seldom at last."""

_SELDOMER = 4
"""So much longer is each wait until then; the first is one interval, because a row may just have slid by."""

_BATCH = 100


@dataclass(slots=True)
class Absence:
    """The outcome: notes to keep, notes to clear, how many removals are held, and fields of the source to set."""

    notes: dict[str, bytes] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    held: int = 0
    fields: dict[str, str] = field(default_factory=dict)


async def settle_absence(walk: Walk, items: Items, sources: Sources) -> Absence:
    """A complete walk in; confirmed removals are committed when this returns, the rest is in the outcome."""
    name = walk.source.name
    notes = {key: msgspec.json.decode(note, type=Note) for key, note in (await sources.missing(name)).items()}
    size = await items.size(name)
    away = await _away(walk, items, size)
    outcome = Absence(found=[missing_field(id, ref) for id, ref in notes if _settled(id, ref, walk, away)])
    absent = [id for id in away if id in walk.doubts.record or not _elsewhere(walk, notes.get((id, "")))]
    lost = [id for id in absent if not _was_elsewhere(notes.get((id, "")))]
    if len(lost) > max(walk.source.options.removal_limit * size, HELD_AT_LEAST - 1) and walk.full and not walk.release:
        outcome.held = len(lost)
        _count(walk, lost, notes, outcome)
        return outcome
    gone, unknown = ([], lost) if walk.release else await _look_up(walk, absent, notes, outcome)
    confirmed = [*gone, *(_count(walk, unknown, notes, outcome) if walk.full else [])]
    await _remove_items(walk, items, confirmed, notes)
    await _remove_nested(walk, items, _nested(walk, notes, outcome), notes)
    outcome.found += [missing_field(id, "") for id in confirmed]
    for id in confirmed:
        outcome.notes.pop(missing_field(id, ""), None)
    return outcome


async def _away(walk: Walk, items: Items, size: int) -> dict[str, None]:
    """Items that this walk must have shown and did not: all that are known, or those that a narrow walk shows.

    A narrow walk may also be over an item whose last change is not believed yet: that one is asked for.
    """
    if not walk.full:
        doubted = {id: None for id in walk.doubts.record if hash(id) not in walk.seen}
        return doubted | {id: None async for id in items.walked_ids(walk.source.name) if hash(id) not in walk.seen}
    if walk.stored >= size:
        return {}
    return {id: None async for id in items.ids(walk.source.name) if hash(id) not in walk.seen}


def _settled(id: str, ref: str, walk: Walk, away: Container[str]) -> bool:
    """Whether a note has nothing left to count: its item is back, or (after a full walk) is not known any more."""
    if hash(id) in walk.seen:
        return ref == ""
    return walk.full and id not in away


def _was_elsewhere(note: Note | None) -> bool:
    """Whether a look-up has found the item before: that walks do not show it is nothing new."""
    return note is not None and note.elsewhere is not None


def _elsewhere(walk: Walk, note: Note | None) -> bool:
    """Whether the item was found by id a while ago, though no walk shows it: it is not asked for each time."""
    since = parse_instant(note.elsewhere) if note else None
    if note is None or since is None:
        return False
    options = walk.source.options
    wait = options.every * float(_SELDOMER ** min(max(note.times, 1) - 1, 20))
    # A scan may come a little before its time: it has its place in the interval, and takes a while.
    return (walk.clock() - since).total_seconds() < 0.9 * min(wait, options.full_every or _RECHECK_SECONDS)


def _count(walk: Walk, ids: Iterable[str], notes: Mapping[tuple[str, str], Note], outcome: Absence) -> list[str]:
    """Note one more miss for each; those that were missed often enough come back."""
    certain = []
    for id in ids:
        before = notes.get((id, ""))
        note = Note(before.n + 1 if before else 1, walk.epoch, before.seen if before else walk.last_seen)
        outcome.notes[missing_field(id, "")] = msgspec.json.encode(note)
        if note.n >= walk.source.options.confirm_removal:
            certain.append(id)
    return certain


async def _look_up(
    walk: Walk, absent: list[str], notes: Mapping[tuple[str, str], Note], outcome: Absence
) -> tuple[list[str], list[str]]:
    """Ask the provider for missing items: those it says do not exist, and those about which nothing is known.

    Items that do exist are taken like any page: they only left the list that is walked.
    """
    asked = absent[:_LOOK_UPS]
    exchange = walk.source.provider.look_up(asked) if asked else None
    if exchange is None:
        return [], absent
    try:
        answer = await walk.source.runner.run(exchange)
    except (ProviderError, TransportError) as error:
        structlog.get_logger().warning("scan.look_up_failed", source=walk.source.name, error=str(error))
        return [], absent
    if answer.flaws:
        line = structlog.get_logger().warning
        line("scan.look_up_failed", source=walk.source.name, failed=len(answer.flaws), error=answer.flaws[0])
    await walk.page(answer.found)
    await walk.writes.done()
    for id in answer.found.ids:
        before = notes.get((id, ""))
        here = Note(0, walk.epoch, None, elsewhere=stamp(walk.clock()), times=before.times + 1 if before else 1)
        outcome.notes[missing_field(id, "")] = msgspec.json.encode(here)
    if answer.found.ids:
        outcome.fields["by_id"] = "1"
    gone = [id for id in asked if id in set(answer.gone)]
    if gone and not walk.full and not walk.by_id and not answer.found.ids:
        # A 404 may also mean that the call does not exist. What left a narrow walk is then looked for in a full one.
        outcome.fields["full_at"] = ""
        gone = []
    settled = {*gone, *answer.found.ids}
    return gone, [id for id in asked if id not in settled]


def _nested(walk: Walk, notes: Mapping[tuple[str, str], Note], outcome: Absence) -> dict[str, list[str]]:
    """Resources that are missing inside items that were seen: counted once a scan; the certain ones by item."""
    certain: dict[str, list[str]] = {}
    for (id, ref), note in notes.items():
        if ref == "" or hash(id) not in walk.seen or id in walk.unreadable:
            continue
        again = Note(note.n + 1, walk.epoch, note.seen)
        if again.n >= walk.source.options.confirm_removal:
            certain.setdefault(id, []).append(ref)
            outcome.found.append(missing_field(id, ref))
        else:
            outcome.notes[missing_field(id, ref)] = msgspec.json.encode(again)
    return certain


async def _remove_items(walk: Walk, items: Items, ids: list[str], notes: Mapping[tuple[str, str], Note]) -> None:
    for start in range(0, len(ids), _BATCH):
        chunk = ids[start : start + _BATCH]
        await _remove(walk, items, {id: [] for id in chunk}, notes, whole=True)


async def _remove_nested(
    walk: Walk, items: Items, refs: dict[str, list[str]], notes: Mapping[tuple[str, str], Note]
) -> None:
    await _remove(walk, items, refs, notes, whole=False)


async def _remove(
    walk: Walk,
    items: Items,
    refs: dict[str, list[str]],
    notes: Mapping[tuple[str, str], Note],
    *,
    whole: bool,
) -> None:
    name, ids = walk.source.name, list(refs)
    stored = await items.stored(name, ids)
    documents = await items.documents(name, ids, stored)
    commits = []
    for id, value, document in zip(ids, stored, documents, strict=True):
        if value is None or document is None:
            continue
        going = _roots(document) if whole else [ref for ref in refs[id] if ref in document.known]
        note = notes.get((id, "" if whole else refs[id][0]))
        setting = walk.setting(walk.clock(), note.seen if note else None, discard=whole and walk.release == "discard")
        judgement = judge_removal(document, going, setting)
        digest = None if whole else value[:DIGEST_SIZE]
        commits.append((commit_of(walk.source, id, value, digest, document, judgement), judgement))
    conflicts = set(await walk.commit([commit for commit, _ in commits]))
    for commit, judgement in commits:
        if commit.id not in conflicts:
            _tally(walk, judgement)


def _roots(document: Document) -> list[str]:
    """The item's own resource: what is inside it goes with it."""
    roots = [ref for ref, known in document.known.items() if known.resource.parent is None]
    return roots or list(document.known)


def _tally(walk: Walk, judgement: Judgement) -> None:
    walk.tally.removed += 1
    walk.tally.events += len(judgement.events)
    for event in judgement.events:
        walk.told(event)
