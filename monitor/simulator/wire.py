"""Answers in and bytes on a socket out: listening, and all the bad manners a server can have while it
writes.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDict

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_FILL = b"x" * 65_536


@dataclass(frozen=True, slots=True)
class Manners:
    """How an answer leaves: all defaults mean "at once and whole".

    ``delay`` seconds before the first byte; ``reset`` drops the connection with a TCP RST instead of
    answering; ``truncate`` bytes are sent of a longer announced body, then the connection ends; ``drip``
    seconds between pieces of ``drip_bytes``; ``huge_mb`` megabytes of padding inside the body; ``gzip``
    compresses (with ``huge_mb``: a bomb).
    """

    delay: float = 0.0
    reset: bool = False
    truncate: int | None = None
    drip: float = 0.0
    drip_bytes: int = 1
    huge_mb: float = 0.0
    gzip: bool = False

    @property
    def plain(self) -> bool:
        """Tell whether the body goes out in one piece."""
        return self.truncate is None and not (self.drip or self.huge_mb or self.gzip)


class Listener:
    """One aiohttp server that gives every request to one handler; port 0 takes any free port and keeps it."""

    def __init__(self, handler: Handler, host: str, port: int, *, max_body: int = 64 * 1024 * 1024) -> None:
        self.host = host
        self.port = port
        self._handler = handler
        self._max_body = max_body
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The root of the server as a URL, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    async def start(self) -> None:
        """Listen; a listener that was stopped takes its old port again."""
        app = web.Application(client_max_size=self._max_body)
        app.router.add_route("*", "/{tail:.*}", self._handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port, reuse_address=True).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self.port = int(runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening and end requests that are still being answered."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


async def send(
    request: web.Request, status: int, headers: Mapping[str, str], body: bytes, manners: Manners
) -> web.StreamResponse:
    """Answer ``request`` with the given status, headers and body, in the given manners."""
    if manners.delay:
        await asyncio.sleep(manners.delay)
    if manners.reset:
        _reset(request)
        return web.Response(status=500)
    if manners.plain:
        return web.Response(status=status, headers=CIMultiDict(headers), body=body or None)
    return await _stream(request, status, headers, body, manners)


async def _stream(
    request: web.Request, status: int, headers: Mapping[str, str], body: bytes, manners: Manners
) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers=CIMultiDict(headers))
    if manners.gzip:
        response.headers["Content-Encoding"] = "gzip"
    elif not manners.huge_mb:
        response.content_length = len(body)
    await response.prepare(request)
    async for piece in _pieces(body, manners):
        await response.write(piece)
    if manners.truncate is not None:
        if request.transport is not None:
            request.transport.close()
        return response
    await response.write_eof()
    return response


async def _pieces(body: bytes, manners: Manners) -> AsyncIterator[bytes]:
    if manners.drip:
        for start in range(0, len(body), manners.drip_bytes):
            yield body[start : start + manners.drip_bytes]
            await asyncio.sleep(manners.drip)
    elif manners.gzip:
        packer = zlib.compressobj(wbits=31)
        for piece in _padded(body, manners.huge_mb):
            if packed := packer.compress(piece):
                yield packed
        yield packer.flush()
    else:
        for piece in _padded(body if manners.truncate is None else body[: manners.truncate], manners.huge_mb):
            yield piece


def _padded(body: bytes, megabytes: float) -> Iterator[bytes]:
    """Give the body with padding inside: a JSON object stays a valid JSON object, anything else gets a
    tail.
    """
    size = int(megabytes * 1024 * 1024)
    is_object = body[:1] == b"{"
    if size and is_object:
        yield b'{"padding":"'
    elif not is_object:
        yield body
    while size > 0:
        yield _FILL[: min(size, len(_FILL))]
        size -= len(_FILL)
    if megabytes and is_object:
        yield b'"' + (b"," if body[1:].strip() != b"}" else b"") + body[1:]
    elif is_object:
        yield body


def _reset(request: web.Request) -> None:
    """Close the connection so that the peer sees RST, not a polite end (SO_LINGER with a time of 0)."""
    transport = request.transport
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
