"""Events as they happen: server-sent events, as JSON for programs and as rows for the page.

https://html.spec.whatwg.org/multipage/server-sent-events.html: a client that was cut off comes back with the id of the
last event it saw in Last-Event-ID, and is sent what it missed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import msgspec
from aiohttp import web

from monitor.bootstrap import Services
from monitor.errors import StoreUnavailable
from monitor.moments import from_millis
from monitor.store.eventlog import Stored, is_place
from monitor.web.guard import CALLER
from monitor.web.limits import address_of
from monitor.web.pages.views import Filters
from monitor.web.problems import Problem

_WAIT_MS = 10_000
_AT_ONCE = 200
_RETRY_MS = 2_000
_ENDS = re.compile(r"\r\n|\r|\n")
MOST = 64
"""Streams at once: each waits on a connection to the store of its own."""

MOST_EACH = 32
"""Streams of one caller: a token, a signed-in person, without tokens an address."""


class Streams:
    """Open streams of one process; they end when the server stops."""

    def __init__(self, running: Services) -> None:
        self._log, self._db = running.store.log, running.store.db
        self._open: dict[asyncio.Task[object], str] = {}

    async def answer(
        self, request: web.Request, filters: Filters, written: Callable[[Stored, datetime], str]
    ) -> web.StreamResponse:
        """Send what fits the filters as `written` puts it at the store's time, until the other side leaves."""
        task, caller = asyncio.current_task(), request.get(CALLER) or address_of(request)
        assert task is not None  # noqa: S101 - a handler runs in one
        if len(self._open) >= MOST or list(self._open.values()).count(caller) >= MOST_EACH:
            raise Problem(503, "too many streams are open already: read /api/v1/events instead", Retry_After="30")
        self._open[task] = caller
        try:
            return await self._answer(request, filters, written)
        finally:
            del self._open[task]

    async def _answer(
        self, request: web.Request, filters: Filters, written: Callable[[Stored, datetime], str]
    ) -> web.StreamResponse:
        place = request.headers.get("Last-Event-ID") or request.query.get("after") or await self._log.end()
        if not is_place(place):
            raise Problem(400, "after: not a cursor of the event log; take it from the id of a message")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        await response.write(f"retry: {_RETRY_MS}\n\n".encode())
        # Whoever is cut off comes back by itself, with the last id it saw.
        with suppress(ConnectionResetError, StoreUnavailable):
            await self._send(response, place, filters, written)
        return response

    async def close(self, _: web.Application) -> None:
        """End all streams: a server that stops must not wait for people to leave."""
        for task in list(self._open):
            task.cancel()

    async def _send(
        self, response: web.StreamResponse, place: str, filters: Filters, written: Callable[[Stored, datetime], str]
    ) -> None:
        while True:
            found = await self._log.after(place, _AT_ONCE)
            now = from_millis(await self._db.now_ms()) if found else None
            for stored in found:
                place = stored.place
                if now is not None and filters.takes(msgspec.json.decode(stored.body), stored.body):
                    await response.write(_message(place, written(stored, now)))
            if not found:
                await self._log.wait(place, _WAIT_MS)
                # A comment: an idle connection that is dead is found out, and proxies keep the living ones.
                await response.write(b": still here\n\n")


def _message(id: str, text: str) -> bytes:
    # Only these end a line of the stream; what else str.splitlines() takes for one is text, as U+2028 in a title.
    lines = "".join(f"data: {line}\n" for line in _ENDS.split(text))
    return f"id: {id}\n{lines}\n".encode()
