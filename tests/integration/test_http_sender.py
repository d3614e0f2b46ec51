from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from aiohttp import ClientSession, web
from aiohttp.client_exceptions import UnixClientConnectorError
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.http_exceptions import BadHttpMessage, ContentEncodingError
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from monitor.egress import Egress
from monitor.errors import AddressBlocked, ConnectFailed, TransportError, TransportTimeout
from monitor.exchange import Exchange, Page, Request, Response, ask, ask_together, hand_over
from monitor.http import Sender, target_session
from monitor.http.connect import transport_error
from tests.servers import PassingClock, read_head, served, talking

LOOPBACK = Egress(["127.0.0.0/8"])


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """A target session to which loopback is open."""
    async with target_session(LOOPBACK, 4) as opened:
        yield opened


def post(url: str) -> Exchange[Response]:
    """An exchange of one POST."""
    return ask(Request("POST", url, headers={"webhook-id": "evt_1"}, body=b'{"a": 1}', authorise=False))


async def test_an_attempt_carries_headers_and_exact_bytes_and_records_the_address(session: ClientSession) -> None:
    """What the target built is what arrives; the answer says where it came from and how long it took."""
    seen: list[tuple[str | None, bytes]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.headers.get("webhook-id"), await request.read()))
        return web.Response(text="thanks")

    async with served(handler) as url:
        response = await Sender(session, 30.0).run(post(url))
    assert seen == [("evt_1", b'{"a": 1}')]
    assert (response.status, response.body, response.address) == (200, b"thanks", "127.0.0.1")
    assert not response.truncated
    assert response.elapsed > 0


async def test_w1_redirects_are_never_followed(session: ClientSession) -> None:
    """A 308 is the answer; its Location is not requested."""
    paths: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(status=308, headers={"location": "/moved"})

    async with served(handler) as url:
        assert (await Sender(session, 30.0).run(post(url))).status == 308
    assert paths == ["/"]


async def test_nothing_is_repeated_by_the_sender(session: ClientSession) -> None:
    """A 500 is one request: the schedule of the delivery decides about the next."""
    asked = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(status=500, text="oh", headers={"retry-after": "0"})

    async with served(handler) as url:
        assert (await Sender(session, 30.0).run(post(url))).status == 500
    assert asked == 1


async def test_connections_are_kept_and_used_again(session: ClientSession) -> None:
    """Twenty deliveries one after another need one connection."""
    ports: set[int] = set()

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername")[1])
        return web.Response(text="ok")

    async with served(handler) as url:
        for _ in range(20):
            await Sender(session, 30.0).run(post(url))
    assert len(ports) == 1


async def test_w24_a_long_answer_is_cut_at_64_kb_and_its_connection_closed(session: ClientSession) -> None:
    """Only the start of an endless answer is read, and nothing of it lingers in the connection."""
    gone = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 10_000)
                await writer.drain()
        finally:
            gone.set()

    async with talking(talk) as url:
        response = await Sender(session, 30.0).run(post(url))
        await asyncio.wait_for(gone.wait(), 60)
    assert (response.status, response.body, response.truncated) == (200, b"x" * 65_536, True)


async def test_the_limit_counts_unpacked_bytes(session: ClientSession) -> None:
    """A zip bomb in an answer costs what the limit allows."""
    packed = gzip.compress(b"a" * 100_000_000)

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=500, body=packed, headers={"content-encoding": "gzip"})

    async with served(handler) as url:
        response = await Sender(session, 30.0).run(post(url))
    assert (response.status, len(response.body), response.truncated) == (500, 65_536, True)


@pytest.mark.parametrize("ending", ["drip", "break", "bad gzip"])
async def test_an_answer_counts_when_its_headers_arrive(session: ClientSession, ending: str) -> None:
    """A 2xx whose body drips, breaks off or cannot be unpacked is still a 2xx, with what could be read."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        encoding = b"content-encoding: gzip\r\n" if ending == "bad gzip" else b""
        writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 1000000\r\n" + encoding + b"\r\nstart")
        await writer.drain()
        while ending == "drip":
            await asyncio.sleep(0.02)
            writer.write(b".")
            await writer.drain()

    async with talking(talk) as url:
        response = await Sender(session, 3.0).run(post(url))
    assert (response.status, response.truncated) == (202, True)
    assert response.elapsed < 60
    if ending != "bad gzip":
        assert response.body.startswith(b"start")


async def test_one_attempt_has_one_timeout_however_slow_the_answer(session: ClientSession) -> None:
    """Headers that drip past the timeout are a TransportTimeout that names the host, and keeps where they came from."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        while True:
            writer.write(b"H")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with talking(talk) as url:
        with pytest.raises((TransportTimeout, ConnectFailed)) as caught:
            await Sender(session, 0.2).run(post(url))
    assert caught.value.address == "127.0.0.1"


@pytest.mark.parametrize(("used", "requests"), [(9.8, 2), (10.0, 1)])
async def test_a_second_request_of_an_attempt_gets_only_what_time_is_left(
    session: ClientSession, used: float, requests: int
) -> None:
    """The timeout is for the attempt, so a lease can be counted by it; with none left nothing more is asked."""
    time = PassingClock()
    asked = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        time.at += used
        await asyncio.sleep(0 if asked == 1 else 30)
        return web.Response(status=400)

    def twice(url: str) -> Exchange[None]:
        yield from post(url)
        yield from post(url)

    async with served(handler) as url, asyncio.timeout(25):
        with pytest.raises(TransportTimeout, match=r"within 10 s"):
            await Sender(session, 10.0, clock=time.clock()).run(twice(url))
    assert asked == requests


async def test_a_silent_server_times_out_and_the_exchange_may_catch_it(session: ClientSession) -> None:
    """Transport errors are thrown into the generator, which may turn them into an outcome."""

    async def handler(request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async with served(handler) as url:

        def send() -> Exchange[str]:
            try:
                yield from post(url)
            except TransportTimeout as error:
                return str(error)
            return "answered"

        assert "did not answer in full within 0.1 s" in await Sender(session, 0.1).run(send())


async def test_requests_together_are_answered_in_order_and_pages_are_refused(session: ClientSession) -> None:
    """A target may ask several things at once; it has no pages to hand over."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=request.path)

    async with served(handler) as url:
        sender = Sender(session, 30.0)
        group = ask_together([Request("GET", f"{url}/{n}") for n in range(3)])
        assert [response.body for response in await sender.run(group)] == [b"/0", b"/1", b"/2"]
        with pytest.raises(TypeError, match="no pages"):
            await sender.run(hand_over(Page([], [])))


# ------------------------------------------------------------------------------------------ the guard


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"])
async def test_w23_a_private_address_is_refused_before_a_byte_is_sent(host: str) -> None:
    """Literal, by name or in disguise: nothing connects, and the error says what was refused and why."""
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1

    async with talking(talk) as url, target_session(Egress()) as closed:
        port = URL(url).port
        with pytest.raises(AddressBlocked, match=r"was not connected to: .*egress\.allow"):
            await Sender(closed, 5.0).run(post(f"http://{host}:{port}/s3cret"))
    assert connections == 0


async def test_an_allowed_range_opens_the_door(session: ClientSession) -> None:
    """The same address is reached when the operator named its range."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    async with served(handler) as url:
        assert (await Sender(session, 30.0).run(post(url.replace("127.0.0.1", "localhost")))).status == 200


class Rebinding(aiohttp.abc.AbstractResolver):
    """A resolver whose answers change from one look-up to the next."""

    def __init__(self, answers: Iterator[list[str]]) -> None:
        self._answers = answers

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        return [
            aiohttp.abc.ResolveResult(
                hostname=host,
                host=ip,
                port=port,
                family=socket.AF_INET6 if ":" in ip else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for ip in next(self._answers)
        ]

    async def close(self) -> None:
        return


async def test_a_name_that_rebinds_is_judged_by_what_it_is_at_the_connect() -> None:
    """Allowed, then private, then disguised: the last two are refused; of a mixed answer only the open one is used."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(headers={"connection": "close"})

    answers = [["127.0.0.1"], ["127.0.0.2"], ["::ffff:127.0.0.2"], ["127.0.0.2", "127.0.0.1"], ["127.0.0.2", "::1"]]
    told: list[str] = []
    async with served(handler) as url:
        for answer in answers:
            session = target_session(Egress(["127.0.0.1/32"]), resolver=Rebinding(iter([answer])))
            async with session:
                try:
                    response = await Sender(session, 30.0).run(post(f"http://rebind.example:{URL(url).port}/"))
                    told.append(str(response.status))
                except AddressBlocked:
                    told.append("blocked")
    assert told == ["200", "blocked", "blocked", "200", "blocked"]


async def test_proxies_of_the_environment_are_ignored(session: ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy variable would take the connection, and with it the guard, elsewhere."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    async with served(handler) as url:
        assert (await Sender(session, 30.0).run(post(url))).status == 200


async def test_credentials_in_a_url_become_basic_auth_and_no_cookie_is_kept(session: ClientSession) -> None:
    """`https://user:password@host/` works as people expect, and cookies of a receiver are not sent back."""
    seen: list[tuple[str | None, str | None]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.headers.get("authorization"), request.headers.get("cookie")))
        return web.Response(headers={"set-cookie": "a=b"})

    async with served(handler) as url:
        for _ in range(2):
            # By name: aiohttp's own cookie jar would ignore cookies of a bare address anyway.
            await Sender(session, 30.0).run(post(url.replace("127.0.0.1", "user:pass@localhost")))
    assert seen == [("Basic dXNlcjpwYXNz", None)] * 2


# ----------------------------------------------------------------------------------- the map of errors


def _every(kind: type[aiohttp.ClientError]) -> Iterator[type[aiohttp.ClientError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _every(child)


def _instance(kind: type[Exception]) -> Exception:
    key = ConnectionKey("h.example", 443, True, True, None, None, None)
    cause = OSError(111, "refused")
    if issubclass(kind, UnixClientConnectorError):
        return kind("/run/x", key, cause)
    if issubclass(kind, aiohttp.ClientConnectorError):
        return kind(key, cause)
    if issubclass(kind, aiohttp.ClientResponseError):
        info = aiohttp.RequestInfo(URL("http://h.example/"), "GET", CIMultiDictProxy(CIMultiDict()))
        return kind(info, ())
    if issubclass(kind, aiohttp.ServerFingerprintMismatch):
        return kind(b"a", b"b", "h.example", 443)
    if issubclass(kind, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return kind("http://h.example/s3cret")
    return kind()


KINDS = sorted({aiohttp.ClientError, *_every(aiohttp.ClientError)}, key=str)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_aiohttp_error_becomes_one_of_ours(kind: type[Exception]) -> None:
    """No aiohttp exception is without a translation, and none brings the path or query of a URL along."""
    ours = transport_error(_instance(kind), "https://h.example/s3cret?t=s3cret", 15.0)
    assert isinstance(ours, TransportError)
    assert str(ours).startswith("h.example ")
    assert "s3cret" not in str(ours)


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (TimeoutError(), TransportTimeout),
        (aiohttp.ServerTimeoutError(), TransportTimeout),
        (aiohttp.ConnectionTimeoutError("http://h/s3cret"), TransportTimeout),
        (aiohttp.ServerDisconnectedError(), ConnectFailed),
        (aiohttp.ClientOSError(104, "Connection reset by peer"), ConnectFailed),
        (aiohttp.ClientPayloadError("half"), ConnectFailed),
        (aiohttp.ClientConnectionResetError("closing"), ConnectFailed),
        (ConnectionResetError(), ConnectFailed),
        (BadHttpMessage("bad"), ConnectFailed),
        (ContentEncodingError("bad"), ConnectFailed),
        (aiohttp.InvalidURL("http://[::1"), TransportError),
        (ValueError("Newline in header"), TransportError),
    ],
)
def test_errors_keep_their_meaning(error: Exception, ours: type[TransportError]) -> None:
    """Timeouts stay timeouts, broken connections stay connection failures."""
    assert type(transport_error(error, "https://h.example:8443/", 15.0)) is ours
