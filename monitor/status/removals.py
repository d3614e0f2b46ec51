"""Removals that are held because too much is missing at once: which items, since when, and somebody's word on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from monitor.resources import Document
from monitor.store.items import Items
from monitor.store.sources import Sources

Decision: TypeAlias = Literal["release", "discard"]

_CHUNK = 200


class HeldView(msgspec.Struct, frozen=True):
    """One item whose removal is held: its own resource, how many complete scans missed it, when it was last seen."""

    key: str
    source: str
    kind: str
    id: str
    title: str
    state: str | None
    missed: int
    last_seen: str | None


class HeldPage(msgspec.Struct, frozen=True):
    """Removals that are held, or a part of them; `decided` is what the next complete scan does, null if undecided."""

    items: list[HeldView]
    next: str | None
    decided: Decision | None


class DecidedView(msgspec.Struct, frozen=True):
    """What the next complete scan does with so many removals that are held."""

    source: str
    decision: Decision
    count: int


class HeldPlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a held removal stands in their list: the longest missing first. While it is missing that stays so."""

    seen: str
    id: str

    @property
    def order(self) -> tuple[str, str]:
        """What the list is ordered by."""
        return self.seen, self.id


class _Note(msgspec.Struct):
    """What scans noted of a missing item (`monitor.pipeline.walk.Note`), as far as it is read here."""

    n: int
    seen: str | None
    elsewhere: str | None = None


async def held_removals(sources: Sources, items: Items, source: str) -> list[HeldView]:
    """A source's name in, the items whose removal is held out, the longest missing first; none where none is held."""
    return await _views(items, source, await _missing(sources, source))


async def held_page(
    sources: Sources, items: Items, source: str, after: HeldPlace | None, limit: int
) -> tuple[list[HeldView], HeldPlace | None]:
    """The next `limit` of them behind a place, and the place of the last one; None at the end of the list."""
    missing = await _missing(sources, source)
    left = [one for one in missing if after is None or one[0].order > after.order]
    rest = left[limit - 1][0] if len(left) > limit else None
    return await _views(items, source, left[:limit]), rest


async def held_decision(sources: Sources, source: str) -> Decision | None:
    """What somebody decided about the removals of a source that are held; None where nobody has."""
    word = (await sources.state(source)).get("release")
    return "release" if word == "release" else "discard" if word == "discard" else None


async def decide_removals(sources: Sources, source: str, decision: Decision) -> DecidedView | None:
    """Note what becomes of what is held, and ask for the scan that does it; None where nothing is held."""
    count = len(await _missing(sources, source))
    if not await sources.decide_held(source, decision):
        return None
    await sources.ask(source)
    return DecidedView(source, decision, count)


async def _missing(sources: Sources, source: str) -> Sequence[tuple[HeldPlace, _Note]]:
    """The items whose removal is held, with what was noted of them, in order."""
    if "held" not in await sources.state(source):
        return []
    stored = await sources.missing(source)
    notes = {id: msgspec.json.decode(note, type=_Note) for (id, ref), note in stored.items() if not ref}
    missing = [(HeldPlace(note.seen or "", id), note) for id, note in notes.items() if note.elsewhere is None]
    return sorted(missing, key=lambda one: one[0].order)


async def _views(items: Items, source: str, missing: Sequence[tuple[HeldPlace, _Note]]) -> list[HeldView]:
    found = []
    for start in range(0, len(missing), _CHUNK):
        chunk = missing[start : start + _CHUNK]
        documents = await items.documents(source, [place.id for place, _ in chunk])
        for (place, note), document in zip(chunk, documents, strict=True):
            found.append(_view(source, place.id, note, document))
    return found


def _view(source: str, id: str, note: _Note, document: Document | None) -> HeldView:
    own = next((known.resource for known in document.known.values()), None) if document else None
    return HeldView(
        key=f"{source}/{own.ref}" if own else f"{source}/{id}",
        source=source,
        kind=own.kind if own else "",
        id=own.id if own else id,
        title=own.title if own else "",
        state=own.state if own else None,
        missed=note.n,
        last_seen=note.seen,
    )
