"""One request and the start of its answer on a pooled connection, past the layers of aiohttp's client.

Its connector (names, egress guard, TLS, pool) and its parser do their work as ever. What a delivery has no use for is
left out: redirects, cookies, proxies, middlewares, a task for each upload. That is more than half of what a POST costs.
https://docs.aiohttp.org/en/stable/client_reference.html#aiohttp.BaseConnector.connect
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import ClientConnectionError, ClientRequest, ClientSession, ClientTimeout, NonHttpUrlClientError
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_parser import RawResponseMessage
from aiohttp.streams import StreamReader
from yarl import URL

from monitor.http.connect import NETWORK_ERRORS

_DOORS = 32
_HEADER_LIMIT = 32_768
"""Bytes of one header. aiohttp stops at 8190, which policies and cookies pass; a 2xx would count as no answer then."""
_NO_LIMIT = ClientTimeout()


@dataclass(frozen=True, slots=True)
class Received:
    """Status and headers of an answer, the start of its body, whether there was more, and who answered."""

    message: RawResponseMessage
    body: bytes
    truncated: bool
    address: str | None


class Broken(Exception):
    """What aiohttp raised, `error`, on a connection that there was, to `address`."""

    def __init__(self, error: Exception, address: str) -> None:
        super().__init__(error, address)
        self.error = error
        self.address = address


@dataclass(frozen=True, slots=True)
class _Door:
    """What all requests to one URL share: what the connector asks of a request, and the lines it always sends."""

    request: ClientRequest
    first: str
    lines: Mapping[str, str]
    written: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """By name: the last value, the name in lower case, the line; most headers of a target never change."""


@dataclass(frozen=True, slots=True)
class Wire:
    """Sends over the connections of one session; reads at most `limit` decompressed bytes of a body."""

    session: ClientSession
    limit: int
    _doors: dict[tuple[str, URL], _Door] = field(default_factory=dict)

    async def send(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Received:
        """Send once. Without status and headers in so many seconds it raises what aiohttp raises, within Broken if
        there was a connection.

        A body that is slow, broken or endless is cut, which is no error.
        """
        door = self._door(method, url)
        head = _head(door, headers, body)
        connector = self.session.connector
        if connector is None:
            raise ClientConnectionError("the session is closed")
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        connection: Connection | None = None
        peer: tuple[str, int] | None = None
        clean = False
        try:
            async with asyncio.timeout_at(deadline):
                connection = await connector.connect(door.request, [], _NO_LIMIT)
                protocol, transport = _open(connection)
                peer = transport.get_extra_info("peername")
                protocol.set_response_params(read_until_eof=True, max_headers=128, max_field_size=_HEADER_LIMIT)
                transport.write(head + body if body else head)
                message, content = await _answer(protocol)
            received, truncated = await _start(content, self.limit, deadline)
            # What is still to be sent when the answer is there would run into the next request.
            clean = not truncated and transport.get_write_buffer_size() == 0
        except NETWORK_ERRORS as error:
            if peer:
                raise Broken(error, peer[0]) from None
            raise
        finally:
            if connection is not None:
                connection.release() if clean else connection.close()
        return Received(message, received, truncated, peer[0] if peer else None)

    def _door(self, method: str, url: URL) -> _Door:
        found = self._doors.get((method, url))
        if found is None:
            if url.scheme not in {"http", "https"}:
                raise NonHttpUrlClientError(url)
            # Host, User-Agent, Accept, and Authorization for a URL with a user: as aiohttp always makes them.
            request = ClientRequest(method, url, headers=self.session.headers, session=self.session)
            lines = {name.lower(): f"{name}: {value}\r\n" for name, value in request.headers.items()}
            for name in ("content-length", "content-type", "transfer-encoding"):
                lines.pop(name, None)
            if len(self._doors) >= _DOORS:
                self._doors.clear()
            found = self._doors[method, url] = _Door(request, f"{method} {request.url.raw_path_qs} HTTP/1.1\r\n", lines)
        return found


def _head(door: _Door, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """The request line and all headers as bytes; ValueError for a header that would end its line."""
    lines = dict(door.lines)
    if body is not None:
        lines["content-type"] = "Content-Type: application/octet-stream\r\n"
    for name, value in headers.items():
        written = door.written.get(name)
        if written is None or written[0] != value:
            line = f"{name}: {value}"
            if "\r" in line or "\n" in line or "\0" in line:
                raise ValueError(f"the header {name!r} holds a line break")
            written = door.written[name] = (value, name.lower(), f"{line}\r\n")
        lines[written[1]] = written[2]
    lines["content-length"] = f"Content-Length: {len(body or b'')}\r\n"
    return f"{door.first}{''.join(lines.values())}\r\n".encode()


def _open(connection: Connection) -> tuple[ResponseHandler, asyncio.Transport]:
    protocol = connection.protocol
    transport = protocol.transport if protocol is not None else None
    if protocol is None or transport is None:
        raise ClientConnectionError("Connection closed")
    return protocol, transport


async def _answer(protocol: ResponseHandler) -> tuple[RawResponseMessage, StreamReader]:
    """The answer that is no interim one (100 Continue, 103 Early Hints)."""
    while True:
        message, content = await protocol.read()
        if not 100 <= message.code < 200 or message.code == 101:
            return message, content


async def _start(content: StreamReader, limit: int, deadline: float) -> tuple[bytes, bool]:
    """Up to `limit` bytes of the body, and whether there was more or it broke off."""
    if content.at_eof():
        return b"", False
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout_at(None if content.is_eof() else deadline):
            while size <= limit and not content.at_eof():
                part = await content.readany()
                size += len(part)
                parts.append(part)
        truncated = size > limit
    except NETWORK_ERRORS:
        truncated = True
    return b"".join(parts)[:limit], truncated
