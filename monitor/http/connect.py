"""The border to aiohttp: sessions, the egress guard on sockets, full URLs, and failures in our own words."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import ClientResponse, ClientSession, TCPConnector
from aiohttp.abc import AbstractResolver
from aiohttp.connector import AddrInfoType
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawResponseMessage
from yarl import URL

from monitor.egress import Egress
from monitor.errors import AddressBlocked, ConnectFailed, TransportError, TransportTimeout
from monitor.exchange import Request

NETWORK_ERRORS = (aiohttp.ClientError, HttpProcessingError, OSError, ValueError)
"""Everything aiohttp raises because of the network or the other side (a timeout is an OSError)."""

_GUARD = "egress guard: "
# Below the 5 s after which common servers close an idle connection, so that no attempt is lost to that race.
_TARGET_KEEPALIVE = 4.0


class Answer(ClientResponse):
    """An aiohttp response that remembers which address it came from, also after its connection went back."""

    peer: str | None = None

    async def start(self, connection: Any) -> ClientResponse:
        """Read status and headers; the connection is still ours here, so its address is known."""
        transport = connection.transport
        peername = transport.get_extra_info("peername") if transport is not None else None
        self.peer = peername[0] if peername else None
        return await super().start(connection)


def source_session(user_agent: str) -> ClientSession:
    """A session for calling providers. No redirects, cookies or proxies of the environment are involved."""
    connector = TCPConnector(limit=0)
    return _session(connector, {"User-Agent": user_agent, "Accept-Encoding": "gzip, deflate"})


def target_session(egress: Egress, concurrency: int = 0, resolver: AbstractResolver | None = None) -> ClientSession:
    """A session for calling targets, `concurrency` connections a host (0: any number).

    The guard judges each address as it is dialled, after all name look-ups, so nothing can change between
    check and use; literal addresses pass through it as well.
    """

    def guarded(info: AddrInfoType) -> socket.socket:
        problem = egress.problem(str(info[4][0]))
        if problem:
            # An OSError with one errno for all: of several addresses the next is tried, the text survives.
            raise OSError(errno.EACCES, _GUARD + problem)
        return socket.socket(info[0], info[1], info[2])

    connector = TCPConnector(
        limit=0,
        limit_per_host=concurrency,
        keepalive_timeout=_TARGET_KEEPALIVE,
        resolver=resolver,
        socket_factory=guarded,
    )
    return _session(connector, {})


def _session(connector: TCPConnector, headers: dict[str, str]) -> ClientSession:
    return ClientSession(
        connector=connector,
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        response_class=Answer,
        trust_env=False,
    )


def full_url(request: Request) -> URL:
    """The request's URL with its parameters, encoded once and strictly: quotes, spaces, `!=`, colons too."""
    base = URL(request.url)
    if not request.params:
        return base
    query = "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in request.params.items()])
    return URL(f"{base.with_fragment(None)}{'&' if base.raw_query_string else '?'}{query}", encoded=True)


def _quoted(text: str) -> str:
    """Encoded as a query needs it; words and numbers, which need nothing, are told apart quickly."""
    return text if text.isascii() and (text.isalnum() or text.isidentifier()) else quote(text, safe="")


def peer_of(answer: ClientResponse) -> str | None:
    """The address the answer came from."""
    return answer.peer if isinstance(answer, Answer) else None


def headers_of(answer: ClientResponse | RawResponseMessage) -> dict[str, str]:
    """Response headers with lower-case names; a repeated header is joined by commas."""
    headers: dict[str, str] = {}
    for name, value in answer.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


_FAILURES: tuple[tuple[tuple[type[Exception], ...], type[TransportError], str], ...] = (
    ((TimeoutError,), TransportTimeout, "did not answer in full within {timeout:g} s"),
    (
        (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, aiohttp.RedirectClientError),
        TransportError,
        "cannot be requested at this address: check its spelling",
    ),
    (
        (aiohttp.ClientResponseError, HttpProcessingError),
        ConnectFailed,
        "answered something that is not HTTP, or cannot be unpacked",
    ),
    ((aiohttp.ServerDisconnectedError,), ConnectFailed, "closed the connection without an answer"),
    ((aiohttp.ClientPayloadError,), ConnectFailed, "broke off before the answer was complete"),
    ((aiohttp.ClientConnectionError, OSError), ConnectFailed, "broke the connection: {reason}"),
)


def transport_error(error: Exception, url: str, timeout: float) -> TransportError:
    """What aiohttp raised in, our own error out. Only the host is named: paths and queries may be secrets."""
    host = _host(url)
    if isinstance(error, aiohttp.ClientConnectorError):
        return _connect_error(error, host)
    for kinds, ours, text in _FAILURES:
        if isinstance(error, kinds):
            return ours(f"{host} {text.format(timeout=timeout, reason=_reason(error))}")
    return TransportError(f"{host} could not be asked ({type(error).__name__})")


def _connect_error(error: aiohttp.ClientConnectorError, host: str) -> TransportError:
    cause = getattr(error, "certificate_error", None) or error.os_error
    text = _reason(cause)
    if _GUARD in text:
        return AddressBlocked(f"{host} was not connected to: {text.replace(_GUARD, '')}")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return ConnectFailed(f"{host} has no address: {text}")
    if isinstance(cause, ssl.SSLError):
        return ConnectFailed(f"{host}: no trusted TLS connection: {text}")
    return ConnectFailed(f"{host} cannot be connected to: {text}")


def _reason(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text[:300] or type(error).__name__


def _host(url: str) -> str:
    try:
        parsed = URL(url)
        return f"{parsed.host}:{parsed.explicit_port}" if parsed.explicit_port else parsed.host or "the address"
    except ValueError:
        return "the address"
