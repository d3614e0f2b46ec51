"""Walking DevRev's jobs.list: everything, or what is active and what has changed since.

https://developer.devrev.ai/about/pagination and the types of @devrev/typescript-sdk. No filter knows a change;
`sort_by` is documented, but not the fields it takes for jobs: so the order is tried, checked on every page, and
done without where it fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from monitor.exchange import Exchange, Page, Request, Response, ScanEnd
from monitor.providers.answers import Reader
from monitor.providers.items import split
from monitor.providers.walks import ReadPage, Refused, probing, walk_by_cursor
from monitor.providers.watermark import Descent, Newest, ReadStamp

ACTIVE = ("queued", "started", "in_progress")
OVER = ("completed", "failed")


class _List(msgspec.Struct):
    jobs: list[msgspec.Raw]
    next_cursor: str | None = None
    prev_cursor: str | None = None


class _Stamped(msgspec.Struct):
    modified_date: Any = None
    created_date: Any = None


_list = msgspec.json.Decoder(_List)
_stamped = msgspec.json.Decoder(_Stamped).decode


def modified(row: msgspec.Raw | bytes) -> object:
    """A raw job in, its `modified_date` out, whatever it is."""
    return _stamped(row).modified_date


def created(row: msgspec.Raw | bytes) -> object:
    """A raw job in, its `created_date` out, whatever it is."""
    return _stamped(row).created_date


# How to see, newest first, what a walk of active jobs cannot show: by change or, where the API does not sort by
# that, what was created since and is over already. Jobs that were active before are known and asked for by id.
_DESCENTS: tuple[tuple[str, ReadStamp, tuple[str, ...]], ...] = (
    ("modified_date", modified, ()),
    ("created_date", created, OVER),
)


@dataclass(frozen=True, slots=True)
class JobsList:
    """The list of one source: `request` makes a request from a body, `fixed` is in every body."""

    provider: str
    reader: Reader
    request: Callable[[Mapping[str, Any]], Request]
    fixed: Mapping[str, Any]
    max_pages: int

    def whole(self, given: Mapping[str, Any], newest: Newest | None) -> Exchange[ScanEnd]:
        """Every job that `given` lets through (the user's own sort_by, state and mode)."""
        read = self._backwards if given.get("mode") == "before" else self._forwards
        return self._walk(given, newest.seeing(read) if newest else read)

    def narrow(self, floor: datetime, newest: Newest, hints: dict[str, str]) -> Exchange[ScanEnd]:
        """What is active, then what has changed since `floor`; Refused if the API does not know our states.

        Which order the API sorts by is noted in `hints`: `modified_date`, else `created_date`, else `none`.
        """
        read = newest.seeing(self._forwards)
        end = yield from self._walk({"state": ACTIVE}, probing(read))
        for field, stamp, states in _DESCENTS:
            if not end.complete or hints.setdefault("sort_by", field) != field:
                continue
            try:
                order = {"sort_by": [f"{field}:desc"], "state": states}
                return (yield from self._walk(order, probing(Descent(read, stamp, floor).read)))
            except Refused:
                hints["sort_by"] = "created_date" if field == "modified_date" else "none"
        return end

    def _walk(self, given: Mapping[str, Any], read: ReadPage) -> Exchange[ScanEnd]:
        """One walk, with the same body but for the cursor on every page."""
        body = {name: value for name, value in {**self.fixed, **given}.items() if value}

        def request(cursor: str | None) -> Request:
            return self.request(body if cursor is None else body | {"cursor": cursor})

        return walk_by_cursor(request, read, where=self.provider, max_pages=self.max_pages)

    def _forwards(self, number: int, asked: Request, response: Response) -> tuple[Page, str | None]:
        answer = self.reader.data(asked, response, _list)
        return split(answer.jobs, f"{self.provider}: page {number}"), answer.next_cursor

    def _backwards(self, number: int, asked: Request, response: Response) -> tuple[Page, str | None]:
        answer = self.reader.data(asked, response, _list)
        return split(answer.jobs, f"{self.provider}: page {number}"), answer.prev_cursor
