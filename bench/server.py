"""The provider stand-in and the webhook sink: one bare HTTP/1.1 server, run as a process of its own.

`python -m bench.server` prints its port and serves until its standard input closes. It has to be cheap, so it
knows these requests and nothing else:

    POST /N/jobs.list            a page of a list of N items; the cursor is the page's number
    GET /N/..job_drivers..page=  the same as driver_jobs lists it, with an ETag; /N/plain/.. without
    POST /sink/MS/...            a webhook, answered 204 after MS milliseconds
    POST /hang/...               a webhook that is never answered
    GET /prepare/PAGES/NUMBER    has so many pages of that generation rendered
    GET /arrivals                when which webhook came, since the last call: JSON [[webhook-id, seconds], ...]
    GET /count                   how many webhooks came since the last call
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import sys
import time
from dataclasses import dataclass, field

from bench import items

_LENGTH = re.compile(rb"\ncontent-length: *(\d+)", re.IGNORECASE)
_ID = re.compile(rb"\nwebhook-id: *([^\r]+)", re.IGNORECASE)
_PAGE = re.compile(rb"[?&]page=(\d+)")
_TAG = re.compile(rb"\nif-none-match: *([^\r]+)", re.IGNORECASE)
_CURSOR = re.compile(rb'"cursor": ?"(\d+)"')
_NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(slots=True)
class Stand:
    """What is served: rendered pages, and what has arrived."""

    templates: list[bytes] = field(default_factory=list)
    pages: list[bytes] = field(default_factory=list)
    arrivals: list[tuple[str, float]] = field(default_factory=list)
    count: int = 0
    generation: int = 0

    def prepare(self, pages: int, number: int) -> None:
        """Have so many pages, all of one generation."""
        if pages > len(self.templates):
            self.templates = list(items.templates(pages))
        self.generation = number
        self.pages = [items.generation(template, number) for template in self.templates[:pages]]

    def listed(self, size: int, body: bytes) -> bytes:
        """One page of a list of `size` items."""
        found = _CURSOR.search(body)
        page = int(found[1]) if found else 0
        last = (page + 1) * items.PAGE >= size
        rows = self._rows(page)
        end = b"]}" if last else b'],"next_cursor":"%d"}' % (page + 1)
        return _json(b'{"jobs":[' + rows + end)

    def numbered(self, size: int, head: bytes, *, tagged: bool) -> bytes:
        """One page of the same list by its number from 1, or a 304 for the tag it had."""
        found, asked = _PAGE.search(head), _TAG.search(head)
        page = int(found[1]) - 1 if found else 0
        tag = b'W/"%d-%d"' % (self.generation, page)
        if tagged and asked and asked[1] == tag:
            return b"HTTP/1.1 304 Not Modified\r\nETag: %b\r\n\r\n" % tag
        body = b'{"job_drivers":[%b]}' % self._rows(page)
        return _json(body, b"total: %d\r\n" % size + (b"ETag: %b\r\n" % tag if tagged else b""))

    def _rows(self, page: int) -> bytes:
        kept = len(self.pages)
        return items.renamed(self.pages[page % kept], page % kept, page)

    def arrived(self, head: bytes, at: float) -> None:
        """Note a webhook."""
        self.count += 1
        found = _ID.search(head)
        if found:
            self.arrivals.append((found[1].decode(), at))

    def told(self, what: bytes) -> bytes:
        """What arrived since the last call, as JSON: `arrivals` or their `count`."""
        said = json.dumps(self.arrivals if what == b"arrivals" else self.count).encode()
        self.arrivals, self.count = [], 0
        return _json(said)


class Connection(asyncio.Protocol):
    """One connection, kept open; requests come one after another."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held = self._held + data if self._held else data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[: end + 2]
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._held) < whole:
                return
            body, self._held = self._held[end + 4 : whole], self._held[whole:]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        _, first, *rest = head.split(b" ", 2)[1].split(b"/")
        if first == b"sink":
            self._stand.arrived(head, time.monotonic())
            if rest[0] == b"0":
                self._write(_NO_CONTENT)
            else:
                asyncio.get_running_loop().call_later(int(rest[0]) / 1000, self._write, _NO_CONTENT)
        elif first == b"prepare":
            self._stand.prepare(int(rest[0]), int(rest[1]))
            self._write(_json(b"{}"))
        elif first in {b"arrivals", b"count"}:
            self._write(self._stand.told(first))
        elif rest[-1].startswith(b"job_drivers"):
            self._write(self._stand.numbered(int(first), head, tagged=rest[0] != b"plain"))
        elif first != b"hang":
            self._write(self._stand.listed(int(first), body))

    def _write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)


def _json(body: bytes, headers: bytes = b"") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n"
    return head % (headers, len(body)) + body


async def serve() -> None:
    """Serve on a free port of loopback until standard input closes."""
    loop, stand = asyncio.get_running_loop(), Stand()
    server = await loop.create_server(lambda: Connection(stand), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    gc.disable()
    asyncio.run(serve())
