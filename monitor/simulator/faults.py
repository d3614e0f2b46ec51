"""A request in, the trouble planned for it out: one model of all that can go wrong at a provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from monitor.simulator import stamps
from monitor.simulator.restyle import restyle
from monitor.simulator.wire import Manners

HTML_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>We're sorry, but something went wrong</title></head>"
    "<body><h1>Service temporarily unavailable</h1></body></html>\n"
)


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One planned trouble: when it strikes, and what then happens. Everything left out stays as it is.

    When: ``path`` and ``method`` are globs, ``query`` must be contained in the request's, ``page`` is the
    page of a walk (1 is the first); of the requests that match, ``nth`` is the first to be hit and ``times``
    how many are (None: all from there on).
    """

    path: str = "*"
    method: str = "*"
    query: dict[str, str] = {}
    page: int | None = None
    nth: int = 1
    times: int | None = 1

    # Instead of the answer. ``body`` is text, bytes or JSON; without one a failing status carries the provider's
    # own error body. ``html`` is an error page (500 unless ``status`` says otherwise), ``not_json`` a 200 with text.
    status: int | None = None
    headers: dict[str, str] = {}
    body: Any = None
    html: bool = False
    not_json: bool = False
    retry_after: int | float | str | None = None
    retry_after_date: float | None = None

    # A wrong answer. ``wrong_type`` is one of list, row, document; counts shift the window of rows of that page;
    # ``stale_rows`` shows rows as they were before their last change by hand; ``restyle`` is in restyle.py.
    empty: bool = False
    repeat_cursor: bool = False
    total_add: int = 0
    duplicate_row: int = 0
    drop_row: int = 0
    wrong_type: str = ""
    reorder: bool = False
    restyle: list[str] = []
    stale_rows: bool = False
    extra_field: str = ""
    set_rows: dict[str, Any] = {}
    unset_rows: list[str] = []

    # Bad manners while sending; see wire.Manners.
    delay: float = 0.0
    reset: bool = False
    truncate: int | None = None
    drip: float = 0.0
    drip_bytes: int = 1
    huge_mb: float = 0.0
    gzip: bool = False

    seen: int = 0
    hits: int = 0

    @property
    def replaces(self) -> bool:
        """Tell whether the provider's own answer is not wanted at all."""
        return self.status is not None or self.html or self.not_json

    def due(self, method: str, path: str, query: Mapping[str, str], page: int) -> bool:
        """Count this request if it matches, and tell whether it is one of those to be hit."""
        if not (fnmatchcase(path, self.path) and fnmatchcase(method.upper(), self.method.upper())):
            return False
        if self.page not in (None, page) or any(query.get(key) != value for key, value in self.query.items()):
            return False
        self.seen += 1
        return self.seen >= self.nth and (self.times is None or self.hits < self.times)


class Trouble(msgspec.Struct, frozen=True):
    """The faults that strike one request, in the order they were planned."""

    faults: tuple[Fault, ...] = ()

    @property
    def replacement(self) -> Fault | None:
        """The first fault that answers in the provider's place, if any."""
        return next((fault for fault in self.faults if fault.replaces), None)

    @property
    def shift(self) -> int:
        """How many rows the window of this page is moved by: below 0 repeats rows, above 0 loses rows."""
        return sum(fault.drop_row - fault.duplicate_row for fault in self.faults)

    @property
    def stuck(self) -> bool:
        """Whether the way to the next page leads back to this one."""
        return any(fault.repeat_cursor for fault in self.faults)

    @property
    def empty(self) -> bool:
        """Whether the list is empty although there are rows."""
        return any(fault.empty for fault in self.faults)

    @property
    def stale(self) -> bool:
        """Whether documents are shown as they were before their last change."""
        return any(fault.stale_rows for fault in self.faults)

    @property
    def total_add(self) -> int:
        """By how much the announced total is wrong."""
        return sum(fault.total_add for fault in self.faults)

    @property
    def manners(self) -> Manners:
        """How the answer is to be sent: for each trait the strongest wish wins."""
        cuts = [fault.truncate for fault in self.faults if fault.truncate is not None]
        drips = [fault for fault in self.faults if fault.drip]
        return Manners(
            delay=sum(fault.delay for fault in self.faults),
            reset=any(fault.reset for fault in self.faults),
            truncate=min(cuts) if cuts else None,
            drip=drips[0].drip if drips else 0.0,
            drip_bytes=drips[0].drip_bytes if drips else 1,
            huge_mb=max((fault.huge_mb for fault in self.faults), default=0.0),
            gzip=any(fault.gzip for fault in self.faults),
        )


def strike(faults: Sequence[Fault], method: str, path: str, query: Mapping[str, str], page: int) -> Trouble:
    """Take all planned faults and a request and give those that strike it, counting the hits.

    Endless faults all strike; of the others only the first that is due, so that faults planned one after another
    happen one after another.
    """
    due = [fault for fault in faults if fault.due(method, path, query, page)]
    first = next((fault for fault in due if fault.times is not None), None)
    struck = [fault for fault in due if fault.times is None or fault is first]
    for fault in struck:
        fault.hits += 1
    return Trouble(tuple(struck))


def fault_from(options: Mapping[str, Any]) -> Fault:
    """Take named options and give a fault; raises ``ValueError`` that names the unknown or ill-typed
    option.
    """
    fault = msgspec.convert(dict(options), Fault)
    if fault.wrong_type not in ("", "list", "row", "document"):
        raise ValueError(f"wrong_type is one of list, row, document, not {fault.wrong_type!r}")
    restyle({}, fault.restyle)
    return fault


def retry_after_header(fault: Fault, now: datetime) -> str | None:
    """Give the Retry-After text a fault asks for (seconds, fraction, date or any garbage), or None.

    https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
    """
    if fault.retry_after_date is not None:
        return stamps.http_date(now + timedelta(seconds=fault.retry_after_date))
    return None if fault.retry_after is None else str(fault.retry_after)
