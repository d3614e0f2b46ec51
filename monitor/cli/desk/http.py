"""One call to a server, and what went wrong in words for people."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    TCPConnector,
)
from yarl import URL

from monitor import __version__
from monitor.cli.desk.address import Address, certificates, token_of
from monitor.cli.options import Where
from monitor.cli.output import note, plain
from monitor.errors import JobwireError, UsageError

CONNECT_S = 10.0
READ_S = 60.0  # how long nothing may come of an answer
ACT_S = 900.0  # the same where the server works first: it answers a replay when everything is in its lane
LONGEST_WAIT_S = 60.0  # a server that asks for more patience is not waited for
LARGEST = 200_000_000  # bytes of one answer
_WORDS = 2000  # of a server's own that are repeated
_LATER = frozenset({429, 502, 503, 504})
AGREED = timedelta(seconds=2)  # clocks that differ by less are taken for the same: the header knows whole seconds


class Unreachable(JobwireError):
    """The server cannot be reached, or did not answer to the end."""


class Refused(JobwireError):
    """The server answered, but not with what was asked for: `status`, and `detail` in its own words."""

    def __init__(self, text: str, status: int, detail: str) -> None:
        super().__init__(text)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Answer:
    """A status that was expected, with its body."""

    status: int
    body: bytes


class Server:
    """Calls one server. Tokens are sent to it alone: redirects are not followed."""

    def __init__(self, address: Address, session: ClientSession, *, has_token: bool) -> None:
        self.address = address
        self._session = session
        self._has_token = has_token
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The server's time, as far as its answers tell."""
        return datetime.now(UTC) + self._ahead

    async def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | None] | None = None,
        body: object = None,
        *,
        also: Collection[int] = (),
    ) -> Answer:
        """A method, a path below /api/v1 with its parts quoted, words of a query and a JSON body in, the answer out.

        Statuses in `also` are answers too. Whoever only reads waits once where the server asks for patience.
        """
        for patience in (method == "GET", False):
            try:
                async with self._session.request(
                    method,
                    self.url(path, query),
                    data=msgspec.json.encode(body) if body is not None else None,
                    headers={"Content-Type": "application/json"} if body is not None else None,
                    timeout=timeout(READ_S if method == "GET" else ACT_S),
                    allow_redirects=False,
                ) as response:
                    self._tell_time(response)
                    wait = _asked_to_wait(response)
                    if patience and wait is not None and wait <= LONGEST_WAIT_S:
                        await response.read()
                    else:
                        return await self._answer(response, also)
            except (ClientError, TimeoutError, OSError) as error:
                raise self._unreachable(error, acting=method != "GET") from None
            await asyncio.sleep(wait)
        raise AssertionError("the second call has answered")

    def url(self, path: str, query: Mapping[str, str | None] | None = None) -> URL:
        """The address of a path below /api/v1; words that are None are left out."""
        words = "&".join(f"{name}={quote(text, safe='')}" for name, text in (query or {}).items() if text is not None)
        return URL(f"{self.address.root}/api/v1{path}{'?' if words else ''}{words}", encoded=True)

    async def stream(self, path: str, query: Mapping[str, str | None], quiet: float) -> AsyncIterator[bytes]:
        """What the server sends, part by part, until the stream ends; Unreachable where one may try again later."""
        headers = {"Accept": "text/event-stream"}
        call = self._session.get(self.url(path, query), headers=headers, timeout=timeout(quiet), allow_redirects=False)
        try:
            async with call as response:
                if response.status != HTTPStatus.OK:
                    error = self._problem(response, await _read(response, LARGEST))
                    raise Unreachable(str(error)) if response.status in _LATER else error
                if response.content_type != "text/event-stream":
                    raise self._stranger(response)
                async for part in response.content.iter_any():
                    yield part
        except (ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception, *, acting: bool = False) -> Unreachable:
        """What is said of a connection that could not be made, or that broke, and with it maybe what was to be done."""
        root = self.address.root
        if isinstance(error, ClientConnectorCertificateError):
            why = getattr(error.certificate_error, "verify_message", None) or "it cannot be verified"
            return Unreachable(
                f"the certificate of {root} is not trusted ({why}): name the one that signed it with --ca-file or "
                "SSL_CERT_FILE"
            )
        if acting and not isinstance(error, ClientConnectorError | ConnectionTimeoutError):
            return Unreachable(
                f"{root} broke off before it said what became of it: see whether it was done, then try again if not"
            )
        if isinstance(error, TimeoutError):
            return Unreachable(f"{root} does not answer in time: is it busy, does a firewall stand between?")
        inner = getattr(error, "os_error", error)
        number = getattr(inner, "errno", None) or 0
        said = os.strerror(number) if number > 0 else getattr(inner, "strerror", None) or str(inner)
        why = plain(said or type(error).__name__)
        return Unreachable(f"no jobwire answers at {root} ({why}): does `jobwire up` or `web` run there?")

    async def _answer(self, response: ClientResponse, also: Collection[int]) -> Answer:
        body = await _read(response, LARGEST)
        if response.status not in also and not 200 <= response.status < 300:
            raise self._problem(response, body)
        if not response.content_type.endswith("json") and response.status not in also:
            raise self._stranger(response)
        return Answer(response.status, body)

    def _problem(self, response: ClientResponse, body: bytes) -> JobwireError:
        status, root = response.status, self.address.root
        if 300 <= status < 400:
            elsewhere = plain(response.headers.get("Location", "nowhere")[:_WORDS])
            return Refused(
                f"{root} sends callers on to {elsewhere}: it is not followed, give the URL that answers itself",
                status, "",
            )  # fmt: skip
        detail = _detail(response, body)
        if detail is None:
            return self._stranger(response)
        if status in {400, 422}:
            return UsageError(detail)
        return Refused(f"{root}: {_said(status, detail, response, has_token=self._has_token)}", status, detail)

    def _stranger(self, response: ClientResponse) -> Refused:
        words = _phrase(response.status)
        return Refused(
            f"{self.address.root} answers {response.status} {words}, and not as jobwire does: is this the URL of "
            "`jobwire web`, and does what stands before it let /api/v1 through?",
            response.status, "",
        )  # fmt: skip

    def _tell_time(self, response: ClientResponse) -> None:
        try:
            told = parsedate_to_datetime(response.headers.get("Date", ""))
        except (TypeError, ValueError):
            return
        ahead = (told if told.tzinfo else told.replace(tzinfo=UTC)) - datetime.now(UTC)
        self._ahead = ahead if abs(ahead) > AGREED else timedelta()


@asynccontextmanager
async def server_at(where: Where, url: str, *, again: bool = False) -> AsyncIterator[Server]:
    """A server to call, for the time of the block. UsageError for a URL, token or certificate that is none.

    What is warned of was said before where it is called `again`.
    """
    address, token = Address.of(url), token_of(where)
    if token is not None and not again and not address.secure and not address.is_near:
        note(f"warning: {address.root} is not encrypted: whoever is on the way can read the token; use https://")
    headers = {"User-Agent": f"jobwire/{__version__}", "Accept": "application/json, application/problem+json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    connector = TCPConnector(ssl=certificates(where.ca_file) if address.secure else True)
    async with ClientSession(connector=connector, headers=headers, cookie_jar=DummyCookieJar()) as session:
        yield Server(address, session, has_token=token is not None)


def timeout(quiet: float) -> ClientTimeout:
    """However long an answer is, it may pause only so long (seconds)."""
    return ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=quiet)


def quoted(text: str, keep: str = "") -> str:
    """A name, id or key in, what stands for it in a path out."""
    return quote(text, safe=keep)


async def _read(response: ClientResponse, most: int) -> bytes:
    parts, size = [], 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > most:
            raise Refused(f"the answer of {response.url.origin()} is too long: it is not jobwire's", 0, "")
        parts.append(part)
    return b"".join(parts)


def _asked_to_wait(response: ClientResponse) -> float | None:
    """After how many seconds a call may be made again; None where that is not said."""
    if response.status not in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        return None
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def _detail(response: ClientResponse, body: bytes) -> str | None:
    """The words of a problem as jobwire tells it (RFC 9457); None for an answer of somebody else."""
    try:
        found: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    detail = found.get("detail") if isinstance(found, dict) and response.content_type.endswith("json") else None
    return plain(detail[:_WORDS]) if isinstance(detail, str) else None


def _said(status: int, detail: str, response: ClientResponse, *, has_token: bool) -> str:
    """What to do about a problem, beside what the server says."""
    if status == HTTPStatus.UNAUTHORIZED:
        if has_token:
            return "it does not take this token: it has to be one of its web.tokens or web.read_tokens"
        return "it wants a token: set JOBWIRE_TOKEN, or name a file with --token-file"
    if status == HTTPStatus.FORBIDDEN and "only read" in detail:
        return f"{detail}: take one of web.tokens for what changes something"
    wait = _asked_to_wait(response)
    if wait is not None:
        return f"{detail} (try again in {wait:.0f} s)"
    return detail


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
