"""How far a walk has come in time: the newest of the provider's own stamps, read cheaply off raw items.

No clock of ours is asked. A walk takes time, and rows that it has passed may change behind it; so its
watermark is never later than the moment at which it began, by the Date header of its first answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from msgspec import Raw, UnsetType

from monitor.exchange import Page, Request, Response
from monitor.moments import parse_instant, stamp
from monitor.providers.answers import date_of
from monitor.providers.walks import ReadPage, Refused

OVERLAP = timedelta(minutes=2)
"""A narrow walk begins so much before the watermark: rows may become readable after their own stamp."""

_BETWEEN = frozenset({"T", "t", " "})

ReadStamp: TypeAlias = Callable[[Raw | bytes], object]
"""A raw item in, one field of it out, whatever it is."""


@dataclass(slots=True)
class Newest:
    """The newest stamp of one walk, and when the walk began by the provider's clock."""

    read: ReadStamp
    began: datetime | None = None
    best: datetime | None = None
    text: str = ""

    def seeing(self, read: ReadPage) -> ReadPage:
        """A `read` for `walk_by_cursor` in, the same out, which takes note of the stamps of every page."""

        def see(number: int, asked: Request, response: Response) -> tuple[Page, str | UnsetType | None]:
            page, following = read(number, asked, response)
            self.began = self.began or date_of(response)
            self._take(page)
            return page, following

        return see

    def _take(self, page: Page) -> None:
        for sent in stamps_of(page, self.read):
            if sent is None or self._is_beaten(sent):
                continue
            moment = moment_of(sent)
            if moment is not None and (self.best is None or moment > self.best):
                self.best, self.text = moment, sent

    def _is_beaten(self, sent: str) -> bool:
        """Whether a stamp in the very form of the best so far is no later: told by its text, so most cost nothing."""
        best = self.text
        return sent <= best and len(sent) == len(best) and sent[10:11] == best[10:11] and sent[-1:] == best[-1:] == "Z"

    def watermark(self, since: str | None) -> str | None:
        """What a complete walk vouches for: never before `since`, the watermark of the walk before it."""
        if self.best is None:
            return since
        reached = min(self.best, self.began) if self.began else self.best
        before = moment_of(since)
        return since if before is not None and reached < before else stamp(reached)


@dataclass(slots=True)
class Descent:
    """A walk of a list that is sorted newest first: it ends where a page reaches behind `floor`.

    Refused when the rows are not in that order: the API took the parameter and did not act on it.
    """

    inner: ReadPage
    stamp: ReadStamp
    floor: datetime
    lowest: datetime | None = None

    def read(self, number: int, asked: Request, response: Response) -> tuple[Page, str | UnsetType | None]:
        """The `read` for `walk_by_cursor`."""
        page, following = self.inner(number, asked, response)
        self.lowest = None if number == 1 else self.lowest
        for moment in map(moment_of, stamps_of(page, self.stamp)):
            if moment is None:
                continue
            if self.lowest is not None and moment > self.lowest:
                raise Refused
            self.lowest = moment
        return page, None if self.lowest is not None and self.lowest < self.floor else following


def stamps_of(page: Page, read: ReadStamp) -> Iterator[str | None]:
    """The stamp of each row of a page as it was sent, None where it is no text."""
    for row in page.raws:
        try:
            sent = read(row)
        except (ValueError, RecursionError):
            sent = None
        yield sent if isinstance(sent, str) else None


def moment_of(value: object) -> datetime | None:
    """A stamp as a provider sent it in, the same as an aware datetime out; None when it is no usable time."""
    if not isinstance(value, str) or value[10:11] not in _BETWEEN:
        return None
    moment: datetime | None
    try:
        moment = datetime.fromisoformat(value)  # ten times as fast as the forgiving parser, which comes after it
    except ValueError:
        moment = parse_instant(value)
    # Nearer to the ends of the calendar the arithmetic of zones and overlaps would leave it.
    if moment is None or not 1970 <= moment.year < 9999:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def floor_of(since: str | None) -> datetime | None:
    """A watermark in, from where on a narrow walk has to see everything out; None without one."""
    moment = moment_of(since)
    return moment - OVERLAP if moment is not None else None
