"""Walking a list to its true end: by cursor, or by page number with a count that proves it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TypeAlias

from msgspec import UnsetType

from monitor.errors import UnexpectedAnswer
from monitor.exchange import Exchange, Page, Request, Response, ScanEnd, ask, ask_together, hand_over

TOGETHER = 4
"""Pages by number that are asked for at once; the runner keeps within the source's own limits."""

ReadPage: TypeAlias = Callable[[int, Request, Response], tuple[Page, str | UnsetType | None]]
"""The number of a page, its request and its response in, its items and the cursor of the next page out."""

_COUNTED_AT_ONCE = 50_000
_FORGOTTEN = frozenset({400, 410, 422})


class _CursorForgotten(Exception):
    """The API does not know a cursor any more that it gave out in this walk."""


@dataclass(slots=True)
class Tally:
    """What one walk by page numbers has seen, to tell whether it is over and whether rows may be missing.

    Ids are kept by their hash: 8 bytes a row instead of 100, so a long list stays cheap.
    """

    hashes: array[int] = field(default_factory=lambda: array("q"))
    rows: int = 0
    page: int = 0
    counted: bool = False
    first_total: int | None = None
    last_total: int | None = None
    latest: Sequence[str] = ()
    repeats: bool = False
    short: bool = False

    def see(self, page: Page, total: int | None) -> None:
        """Count the next page and the number of rows that its answer says the list has."""
        self.page += 1
        self.first_total = total if self.page == 1 else self.first_total
        self.last_total = total
        self.repeats = self.repeats or (len(page.ids) > 0 and page.ids == self.latest)
        self.latest = page.ids
        self.rows += len(page.ids)
        self.hashes.extend(map(hash, page.ids))

    @property
    def over(self) -> bool:
        """The last page was empty, or as many rows were seen as there are."""
        return not self.latest or (self.last_total is not None and self.rows >= self.last_total)

    def pages_left(self, per_page: int) -> int:
        """How many pages to ask for next; 0 when the walk is over."""
        if self.repeats:
            self.short = len(self.latest) < per_page and self.last_total is None
            return 0
        due = ceil((self.first_total or 0) / per_page) - self.page
        return min(due, TOGETHER) if due > 0 else int(not self.over)

    def flaw(self) -> str | None:
        """Why rows may have been missed; None when the counts prove that none was."""
        if self.counted and self.first_total is None and self.last_total is None:
            return "no total came with it, as one did before"
        if self.repeats and self.short and self.page == 2:
            # A list without a total that ignores page numbers and fits into one page.
            return None
        if self.repeats:
            return f"page {self.page} repeats the page before it"
        if self.first_total != self.last_total:
            return f"its total moved from {self.first_total} to {self.last_total} while it was read"
        # Without a total, a row that slid to another page shows as one that was seen twice.
        due = self.rows if self.last_total is None else self.last_total
        different = self._different()
        return None if different == due else f"{different} different rows were seen where {due} were due"

    def _different(self) -> int:
        """How many different ids there were; a part of them at a time, because a set takes much room."""
        parts = 1 + len(self.hashes) // _COUNTED_AT_ONCE
        if parts == 1:
            return len(set(self.hashes))
        return sum(len({one for one in self.hashes if one % parts == part}) for part in range(parts))


def walk_by_number(
    request: Callable[[int], Request],
    read: Callable[[int, Response], tuple[Page, int | None]],
    *,
    where: str,
    per_page: int,
    max_pages: int,
    counted: bool = False,
) -> Exchange[str | None]:
    """Walk one list by page numbers from 1; returns None if every row was seen, else why that is doubtful.

    `request` makes the request for a page, `read` its items and the list's total (None: the answer has none);
    it takes `unchanged(response)` for a page that is vouched for.
    Once the first page has told the total, the others are asked for in groups. Without a total, or with
    pages shorter than asked for, it goes on until a page has no row, which is the end unless the list is known
    to be `counted`: then its total has to be there. `where` names the list in errors.
    """
    tally = Tally(counted=counted)
    count = 1
    while count:
        numbers = range(tally.page + 1, tally.page + 1 + count)
        if numbers[-1] > max_pages:
            raise UnexpectedAnswer(f"{where}: more than {max_pages} pages, the max_pages of this source")
        responses = yield from ask_together([request(number) for number in numbers])
        for number, response in zip(numbers, responses, strict=True):
            page, total = read(number, response)
            tally.see(page, total)
            if page.ids:
                yield from hand_over(page if page.vouched else replace(page, proof=response.proof))
        count = tally.pages_left(per_page)
    return tally.flaw()


def unchanged(response: Response) -> Page | None:
    """The page that a 304 or its bytes vouch for, its ids as they are remembered; None when it has to be read."""
    proof = response.proof
    if proof is None or not (response.repeated or response.status == 304):
        return None
    return Page(proof.ids, (), proof, vouched=True, read=response.repeated)


class Refused(Exception):
    """The first page of a walk was refused: the API does not take a parameter that is ours, not the user's."""


def probing(read: ReadPage) -> ReadPage:
    """A `read` for `walk_by_cursor` in, the same out, which raises `Refused` when the first page is a 400 or 422."""

    def probe(number: int, asked: Request, response: Response) -> tuple[Page, str | UnsetType | None]:
        if number == 1 and response.status in {400, 422}:
            raise Refused
        return read(number, asked, response)

    return probe


def walk_by_cursor(
    request: Callable[[str | None], Request],
    read: ReadPage,
    *,
    where: str,
    max_pages: int,
) -> Exchange[ScanEnd]:
    """Walk one list from cursor to cursor to the page that names no next one; a short page is no end.

    `request` makes the request for a cursor (None: the first page), `read` gives a page's items and its
    next cursor: None or empty at the end, UNSET when the answer leaves open whether it is the end. A
    cursor that comes twice would lead in circles: UnexpectedAnswer. Cursors are never kept beyond the walk;
    one that the API has forgotten meanwhile (400, 410 or 422 for it) starts the walk anew, once.
    """
    try:
        return (yield from _walk(request, read, _FORGOTTEN, where=where, max_pages=max_pages))
    except _CursorForgotten:
        return (yield from _walk(request, read, frozenset(), where=where, max_pages=max_pages))


def _walk(
    request: Callable[[str | None], Request], read: ReadPage, forgotten: frozenset[int], *, where: str, max_pages: int
) -> Exchange[ScanEnd]:
    seen: set[str] = set()
    cursor: str | None = None
    for number in range(1, max_pages + 1):
        asked = request(cursor)
        response = yield from ask(asked)
        if cursor is not None and response.status in forgotten:
            raise _CursorForgotten
        page, following = read(number, asked, response)
        if page.ids:
            yield from hand_over(page)
        if isinstance(following, UnsetType):
            return ScanEnd(False, f"page {number} does not say whether it is the last")
        if not following:
            return ScanEnd(True)
        if following in seen:
            raise UnexpectedAnswer(f"{where}: page {number} leads back to a page that was read already")
        seen.add(following)
        cursor = following
    raise UnexpectedAnswer(f"{where}: more than {max_pages} pages, the max_pages of this source")
