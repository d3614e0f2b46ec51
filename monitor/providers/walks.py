"""Walking a list to its true end: by cursor, or by page number with a count that proves it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil

from monitor.errors import UnexpectedAnswer
from monitor.exchange import Exchange, Page, Request, Response, ask_together, hand_over

TOGETHER = 4
"""Pages by number that are asked for at once; the runner keeps within the source's own limits."""

_HEAPS = 64


@dataclass(slots=True)
class Tally:
    """What one walk by page numbers has seen, to tell whether it is over and whether rows may be missing.

    Ids are counted by their hash in small heaps: 8 bytes a row instead of 100, so a long list stays cheap.
    """

    heaps: tuple[array[int], ...] = field(default_factory=lambda: tuple(array("q") for _ in range(_HEAPS)))
    rows: int = 0
    page: int = 0
    first_total: int | None = None
    last_total: int | None = None
    latest: Sequence[str] = ()
    repeats: bool = False

    def see(self, page: Page, total: int | None) -> None:
        """Count the next page and the number of rows that its answer says the list has."""
        self.page += 1
        self.first_total = total if self.page == 1 else self.first_total
        self.last_total = total
        self.repeats = self.repeats or (len(page.ids) > 0 and page.ids == self.latest)
        self.latest = page.ids
        self.rows += len(page.ids)
        for id_ in page.ids:
            hashed = hash(id_)
            self.heaps[hashed % _HEAPS].append(hashed)

    @property
    def over(self) -> bool:
        """The last page was empty or only repeats the one before, or as many rows were seen as there are."""
        return (
            not self.latest or self.repeats or (self.last_total is not None and self.rows >= self.last_total)
        )

    def flaw(self) -> str | None:
        """Why rows may have been missed; None when the counts prove that none was."""
        if self.repeats:
            return f"page {self.page} repeats the page before it"
        if self.first_total != self.last_total:
            return f"its total moved from {self.first_total} to {self.last_total} while it was read"
        different = sum(len(set(heap)) for heap in self.heaps)
        # Without a total, a row that slid to another page shows as one that was seen twice.
        due = self.rows if self.last_total is None else self.last_total
        return None if different == due else f"{different} different rows were seen where {due} were due"


def walk_by_number(
    request: Callable[[int], Request],
    read: Callable[[int, Response], tuple[Page, int | None]],
    *,
    where: str,
    per_page: int,
    max_pages: int,
) -> Exchange[str | None]:
    """Walk one list by page numbers from 1; returns None if every row was seen, else why that is doubtful.

    `request` makes the request for a page, `read` its items and the list's total (None: the answer has none).
    `where` names the list in errors. Once the first page has told the total, the others are asked for in groups. Without a total, or with
    pages shorter than asked for, it goes on until a page has no row.
    """
    tally = Tally()
    count = 1
    while count:
        numbers = range(tally.page + 1, tally.page + 1 + count)
        if numbers[-1] > max_pages:
            raise UnexpectedAnswer(f"{where} goes on beyond {max_pages} pages, the max_pages of this source")
        responses = yield from ask_together([request(number) for number in numbers])
        for number, response in zip(numbers, responses, strict=True):
            page, total = read(number, response)
            tally.see(page, total)
            if page.ids:
                yield from hand_over(page)
        due = ceil((tally.first_total or 0) / per_page) - tally.page
        count = min(due, TOGETHER) if due > 0 else int(not tally.over)
    return tally.flaw()
