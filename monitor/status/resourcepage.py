"""The list of all resources page by page: bounded reads, nothing left out, whatever changes between two pages."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from monitor.status.resources import ResourceView, fits, known_of, order, resource_view
from monitor.status.watched import Watched
from monitor.store.items import Items
from monitor.store.reading import Reading

LOOKED_AT = 5000
"""How many items are looked at for one page of a list, however few of them are wanted."""


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a resource stands in the list of all: in a part of a source's items, after an item's resource.

    `mark` tells whether the part is still what it was up to there.
    """

    source: str
    cursor: int = 0
    item: str = ""
    ref: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class ResourcePage:
    """A part of the list of resources, and the place of the last one; None at the end of the list."""

    items: Sequence[ResourceView]
    rest: Place | None


@dataclass(frozen=True, slots=True)
class _Part:
    """Some items of a source, in order, and from where on they are still to be read."""

    source: Watched
    cursor: int
    ids: Sequence[str]
    begin: Place | None

    @property
    def left(self) -> list[str]:
        """The items that are still to be read."""
        return [id for id in self.ids if self.begin is None or order(id) >= order(self.begin.item)]

    def passed(self, item: str, ref: str) -> bool:
        """Whether this resource was in an earlier page."""
        return self.begin is not None and item == self.begin.item and ref <= self.begin.ref

    def place(self, item: str, ref: str) -> Place:
        """The place of a resource of this part."""
        return Place(self.source.name, self.cursor, item, ref, _mark(self.ids, item))


async def resources_page(
    items: Items,
    reading: Reading,
    watched: Iterable[Watched],
    after: Place | None,
    *,
    kind: str | None = None,
    state: str | None = None,
    limit: int,
) -> ResourcePage:
    """The next `limit` resources after a place, which need not be there any more; fewer where few of many fit.

    However many there are, one page reads a few hundred. What is there all the time is in some page; where a list
    grows or shrinks much between two pages, some may come twice.
    """
    found: list[ResourceView] = []
    place, looked_at = after, 0
    async for part in _parts(reading, watched, after):
        if looked_at >= LOOKED_AT:
            return ResourcePage(found, Place(part.source.name, part.cursor))
        async for item, ref, known in known_of(items, part.source, part.left):
            if part.passed(item, ref) or not fits(known, kind, state):
                continue
            if len(found) == limit:
                return ResourcePage(found, place)
            found.append(resource_view(part.source, known))
            place = part.place(item, ref)
        looked_at += len(part.ids)
    return ResourcePage(found, None)


async def _parts(reading: Reading, watched: Iterable[Watched], after: Place | None) -> AsyncIterator[_Part]:
    for source in watched:
        if after is not None and source.name < after.source:
            continue
        begin = after if after is not None and source.name == after.source else None
        cursor = begin.cursor if begin else 0
        while True:
            following, some = await reading.some_items(source.name, cursor)
            ids = sorted(set(some), key=order)
            # A part that is not what it was may hold what no page has shown: it is read from its beginning.
            same = begin is not None and _mark(ids, begin.item) == begin.mark
            yield _Part(source, cursor, ids, begin if same else None)
            if following == 0:
                break
            cursor, begin = following, None


def _mark(ids: Sequence[str], item: str) -> str:
    """A fingerprint of the items up to this one."""
    upto = [id for id in ids if order(id) <= order(item)]
    return hashlib.blake2b("\0".join(upto).encode(), digest_size=8).hexdigest() if item else ""
