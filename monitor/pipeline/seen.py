"""Which ids a walk has met, by their hashes, in memory that hardly grows with the list: some 16 bytes an id, not 80."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable

_RECENT = 25_000
_FIRST_SIZE = 1 << 18


class Seen:
    """A set of hashes (as `hash` gives them), to be added to a page at a time.

    The latest are in a set, which is quick. The many before them are in a table with open addressing: numbers side
    by side instead of an object each, looked up in a fraction of a microsecond.
    """

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._table = array("q")
        self._packed = 0
        self._zero = False

    def __len__(self) -> int:
        return len(self._recent) + self._packed

    def __contains__(self, mark: object) -> bool:
        return mark in self._recent or (self._packed > 0 and isinstance(mark, int) and self._holds(mark))

    def fresh(self, ids: Iterable[str]) -> set[int]:
        """The hashes of those of these ids that were not met."""
        marks = set(map(hash, ids))
        if not self._recent.isdisjoint(marks):
            marks -= self._recent
        if self._packed:
            table, last = self._table, len(self._table) - 1
            # Most places are empty: looked at here without a call for each.
            marks.difference_update([mark for mark in marks if table[mark & last] and self._holds(mark)])
            if self._zero:
                marks.discard(0)
        return marks

    def add(self, mark: int) -> None:
        """Remember one that was not met before."""
        self.update((mark,))

    def update(self, marks: Collection[int]) -> None:
        """Remember these, none of which was met before."""
        self._recent.update(marks)
        if len(self._recent) >= _RECENT:
            self._packed += len(self._recent)
            self._zero = self._zero or 0 in self._recent
            self._make_room()
            self._put(self._recent)
            self._recent.clear()

    def _make_room(self) -> None:
        """A table that is at most half full: a longer run of neighbours would take longer to search."""
        size = len(self._table) or _FIRST_SIZE
        while size < 2 * self._packed:
            size *= 2
        if size > len(self._table):
            # The old table is gone before the new one is there: both would be the most that a scan takes.
            marks = array("q", filter(None, self._table))
            self._table = array("q")
            self._table = array("q", (0,)) * size
            self._put(marks)

    def _put(self, marks: Iterable[int]) -> None:
        table, last = self._table, len(self._table) - 1
        for mark in marks:
            at = mark & last
            while table[at]:
                at = at + 1 & last
            table[at] = mark

    def _holds(self, mark: int) -> bool:
        if mark == 0:
            return self._zero
        table, last = self._table, len(self._table) - 1
        at = mark & last
        while found := table[at]:
            if found == mark:
                return True
            at = at + 1 & last
        return False
