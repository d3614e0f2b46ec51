"""Removals that are held because too much is missing at once: which items, and since when nobody has seen them."""

from __future__ import annotations

import msgspec

from monitor.resources import Document
from monitor.store.items import Items
from monitor.store.sources import Sources

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


class _Note(msgspec.Struct):
    """What scans noted of a missing item (`monitor.pipeline.walk.Note`), as far as it is read here."""

    n: int
    seen: str | None
    elsewhere: str | None = None


async def held_removals(sources: Sources, items: Items, source: str) -> list[HeldView]:
    """A source's name in, the items whose removal is held out, the longest missing first; none where none is held."""
    if "held" not in await sources.state(source):
        return []
    stored = await sources.missing(source)
    notes = {id: msgspec.json.decode(note, type=_Note) for (id, ref), note in stored.items() if not ref}
    missing = [id for id, note in notes.items() if note.elsewhere is None]
    missing.sort(key=lambda one: (notes[one].seen or "", one))
    found = []
    for start in range(0, len(missing), _CHUNK):
        chunk = missing[start : start + _CHUNK]
        for id, document in zip(chunk, await items.documents(source, chunk), strict=True):
            found.append(_view(source, id, notes[id], document))
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
