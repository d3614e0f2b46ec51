from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import TypeVar

import pytest
from aiohttp import ClientSession, web
from pydantic import SecretStr

from monitor.budget import Outcome, Quota
from monitor.errors import BodyTooLarge, ConnectFailed, CredentialsRejected, TransportError, TransportTimeout
from monitor.exchange import Exchange, Page, Proof, Request, Response, ask, ask_together, hand_over
from monitor.http import Caller, Limits, source_session
from monitor.providers.base import Credentials, Token
from tests.servers import PassingClock, read_head, served, talking

T = TypeVar("T")
NOBODY = Credentials()


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """A session as production opens it."""
    async with source_session("jobwire/test") as opened:
        yield opened


@dataclass(slots=True)
class Log:
    """A handler that answers from a list, repeating its last entry, and keeps what was asked."""

    answers: list[Callable[[], web.Response]]
    seen: list[web.Request] = field(default_factory=list)

    async def __call__(self, request: web.Request) -> web.Response:
        self.seen.append(request)
        await request.read()
        return self.answers[min(len(self.seen), len(self.answers)) - 1]()


@dataclass(slots=True)
class Pauses:
    """A governor that lets everybody go at once, and keeps what it was asked to pause."""

    seconds: list[float] = field(default_factory=list)

    async def acquire(self) -> None:
        return

    def observe(self, outcome: Outcome, quota: Quota | None = None) -> None:
        return

    async def pause(self, seconds: float) -> None:
        self.seconds.append(seconds)


def status(code: int, text: str = "", **headers: str) -> Callable[[], web.Response]:
    """An answer to be given; header names are written with underscores."""
    return lambda: web.Response(
        status=code, text=text, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def read(url: str, idempotent: bool = True) -> Exchange[Response]:
    """An exchange of one GET."""
    return (yield from ask(Request("GET", url, idempotent=idempotent)))


async def test_a_read_comes_back_with_status_headers_body_and_address(session: ClientSession) -> None:
    """Header names are lower-case, the address is the one connected to, the counters count."""
    async with served(Log([status(200, "hello", X_Page="2")])) as url:
        caller = Caller(session, NOBODY, Limits())
        response = await caller.run(read(url))
    assert (response.status, response.body, response.address) == (200, b"hello", "127.0.0.1")
    assert response.headers["x-page"] == "2"
    assert response.elapsed > 0
    assert (caller.stats.requests, caller.stats.bytes, caller.stats.retries) == (1, 5, 0)


async def test_parameters_are_encoded_strictly_and_once(session: ClientSession) -> None:
    """Quotes, spaces, operators, colons, plus and percent signs arrive as they were meant."""
    params = {"filter": 'status!="CLOSED" AND name: "a+b & 100%"', "page_token": "a/b=="}
    log = Log([status(200)])
    async with served(log) as url:
        await Caller(session, NOBODY, Limits()).run(ask(Request("GET", f"{url}/v1/jobs?a=1", params=params)))
    assert dict(log.seen[0].query) == {"a": "1", **params}
    raw = log.seen[0].raw_path
    assert "status%21%3D%22CLOSED%22%20AND%20name%3A%20%22a%2Bb%20%26%20100%25%22" in raw
    assert "%25%" not in raw.replace("100%25%22", "")


async def test_pages_are_awaited_before_the_exchange_goes_on(session: ClientSession) -> None:
    """A page is stored before the next request goes out, so memory holds one page at a time."""
    order: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        order.append(f"asked {request.path}")
        return web.Response()

    async def on_page(page: Page) -> None:
        await asyncio.sleep(0)
        order.append(f"stored {page.ids[0]}")

    async with served(handler) as url:

        def walk() -> Exchange[str]:
            for page in ("1", "2"):
                yield from ask(Request("GET", f"{url}/{page}"))
                yield from hand_over(Page([page], [b"{}"]))
            return "done"

        assert await Caller(session, NOBODY, Limits()).run(walk(), on_page) == "done"
    assert order == ["asked /1", "stored 1", "asked /2", "stored 2"]


async def test_requests_yielded_together_run_at_once_within_the_concurrency(session: ClientSession) -> None:
    """Four requests with two slots: never more than two in flight, answers in the order asked."""
    running = 0
    most = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        return web.Response(text=request.path)

    async with served(handler) as url:
        together = ask_together([Request("GET", f"{url}/{n}") for n in range(4)])
        responses = await Caller(session, NOBODY, Limits(concurrency=2)).run(together)
    assert [response.body for response in responses] == [b"/0", b"/1", b"/2", b"/3"]
    assert most == 2


async def test_5xx_is_retried_twice_then_handed_to_the_exchange(session: ClientSession) -> None:
    """Three requests in all, with a growing pause between them, then the provider judges the answer."""
    time = PassingClock()
    log = Log([status(502, "<html>")])
    async with served(log) as url:
        caller = Caller(session, NOBODY, Limits(), clock=time.clock())
        assert (await caller.run(read(url))).status == 502
    assert len(log.seen) == 3
    assert time.slept == [0.5, 1.0]
    assert caller.stats.retries == 2


async def test_what_is_not_idempotent_is_never_repeated(session: ClientSession) -> None:
    """A 503 with Retry-After and a broken connection both go to the exchange after one request."""
    log = Log([status(503, Retry_After="1")])
    async with served(log) as url:
        assert (await Caller(session, NOBODY, Limits()).run(read(url, idempotent=False))).status == 503
    assert len(log.seen) == 1


async def test_an_asked_wait_of_up_to_a_minute_is_waited_in_place(session: ClientSession) -> None:
    """429 with Retry-After: the same request goes out again after that time, and the wait is counted."""
    time = PassingClock()
    async with served(Log([status(429, Retry_After="7"), status(200, "ok")])) as url:
        caller = Caller(session, NOBODY, Limits(), clock=time.clock())
        assert (await caller.run(read(url))).body == b"ok"
    assert sum(time.slept) == pytest.approx(7.0)
    assert (caller.stats.waits, caller.stats.waited, caller.stats.retries) == (1, 7.0, 0)


async def test_a_wait_named_in_the_body_is_honoured_too_and_the_longer_one_wins(session: ClientSession) -> None:
    """The provider's hint and the header are both heard, neither is undercut."""
    time = PassingClock()
    async with served(Log([status(429, "12", Retry_After="7"), status(200)])) as url:
        caller = Caller(session, NOBODY, Limits(), lambda response: float(response.body), time.clock())
        await caller.run(read(url))
    assert sum(time.slept) == pytest.approx(12.0)


async def test_a_longer_wait_is_handed_to_the_exchange_at_once(session: ClientSession) -> None:
    """A scan does not sleep for minutes: the provider turns the answer into its own error."""
    time = PassingClock()
    written = "%a, %d %b %Y %H:%M:%S GMT"
    date, later = (moment.strftime(written) for moment in (time.now(), time.now() + timedelta(seconds=90)))
    async with served(Log([status(429, Retry_After=later, Date=date)])) as url:
        response = await Caller(session, NOBODY, Limits(), clock=time.clock()).run(read(url))
    assert response.status == 429
    assert time.slept == []


async def test_a_wait_asked_of_one_request_holds_the_others_of_the_source(session: ClientSession) -> None:
    """While one request waits, another of the same caller does not go out."""
    time = PassingClock()
    asked_at: list[tuple[str, float]] = []

    async def handler(request: web.Request) -> web.Response:
        asked_at.append((request.path, time.at))
        return web.Response(status=429, headers={"retry-after": "30"}) if len(asked_at) == 1 else web.Response()

    async with served(handler) as url:
        caller = Caller(session, NOBODY, Limits(concurrency=2), clock=time.clock())
        first = asyncio.create_task(caller.run(read(f"{url}/first")))
        while not caller.stats.waits:
            await asyncio.sleep(0)
        await asyncio.gather(first, caller.run(read(f"{url}/second")))
    assert asked_at[0] == ("/first", 1000.0)
    assert sorted(path for path, _ in asked_at[1:]) == ["/first", "/second"]
    assert all(at >= 1030.0 for _, at in asked_at[1:])


async def test_a_provider_that_asks_to_wait_for_ever_is_left_after_a_few_times(session: ClientSession) -> None:
    """Waits are bounded: the sixth 429 goes to the exchange."""
    log = Log([status(429, Retry_After="1")])
    async with served(log) as url:
        caller = Caller(session, NOBODY, Limits(), clock=PassingClock().clock())
        assert (await caller.run(read(url))).status == 429
    assert len(log.seen) == 6


async def test_rate_spaces_requests_evenly(session: ClientSession) -> None:
    """`rate: 4` lets a request out every quarter of a second, also when they are asked together."""
    time = PassingClock()
    asked_at: list[float] = []

    async def handler(request: web.Request) -> web.Response:
        asked_at.append(time.at)
        return web.Response()

    async with served(handler) as url:
        caller = Caller(session, NOBODY, Limits(rate=4.0, concurrency=1), clock=time.clock())
        await caller.run(ask_together([Request("GET", url)] * 4))
    assert asked_at == pytest.approx([1000.0, 1000.25, 1000.5, 1000.75])


def buying(url: str, lifetime: float = 3600.0) -> Credentials:
    """Credentials whose token is bought at that server."""

    def buy() -> Exchange[Token]:
        response = yield from ask(Request("POST", f"{url}/token", authorise=False))
        if response.status != 200:
            raise CredentialsRejected("the token server says no")
        return Token(SecretStr(response.body.decode()), lifetime)

    return Credentials(headers={"X-Account": SecretStr("a1")}, buy=buy)


@dataclass(slots=True)
class TokenServer:
    """Sells tokens t1, t2, ... and accepts only those in `good`."""

    good: set[str]
    sold: int = 0
    used: list[str] = field(default_factory=list)

    async def __call__(self, request: web.Request) -> web.Response:
        if request.path == "/token":
            assert "authorization" not in request.headers
            await asyncio.sleep(0.01)
            self.sold += 1
            return web.Response(text=f"t{self.sold}")
        token = request.headers["authorization"].removeprefix("Bearer ")
        assert request.headers["x-account"] == "a1"
        self.used.append(token)
        return web.Response(status=200 if token in self.good else 401)


async def test_fixed_credentials_are_added_to_requests_that_want_them(session: ClientSession) -> None:
    """`authorise` decides, request by request."""
    log = Log([status(200)])
    async with served(log) as url:
        caller = Caller(session, Credentials({"Authorization": SecretStr("Bearer s3")}), Limits())
        await caller.run(read(url))
        await caller.run(ask(Request("GET", url, authorise=False)))
    assert [request.headers.get("authorization") for request in log.seen] == ["Bearer s3", None]


async def test_many_requests_buy_one_token_even_with_a_single_slot(session: ClientSession) -> None:
    """Single flight: five requests at once, one purchase."""
    for concurrency in (1, 5):
        server = TokenServer({"t1"})
        async with served(server) as url:
            caller = Caller(session, buying(url), Limits(concurrency=concurrency))
            responses = await caller.run(ask_together([Request("GET", url)] * 5))
        assert [response.status for response in responses] == [200] * 5
        assert (server.sold, server.used) == (1, ["t1"] * 5)


async def test_a_token_is_renewed_at_four_fifths_of_its_life(session: ClientSession) -> None:
    """At 79 % the old one is still used, at 81 % a new one is bought first."""
    time = PassingClock()
    server = TokenServer({"t1", "t2"})
    async with served(server) as url:
        caller = Caller(session, buying(url, lifetime=100.0), Limits(), clock=time.clock())
        for at in (1000.0, 1079.0, 1081.0):
            time.at = at
            await caller.run(read(url))
    assert server.used == ["t1", "t1", "t2"]


async def test_a_401_forces_one_renewal_and_then_goes_to_the_exchange(session: ClientSession) -> None:
    """A token that died early is replaced once; a second refusal is the provider's to judge."""
    server = TokenServer({"t2"})
    async with served(server) as url:
        assert (await Caller(session, buying(url), Limits()).run(read(url))).status == 200
    assert server.used == ["t1", "t2"]

    server = TokenServer(set())
    async with served(server) as url:
        caller = Caller(session, buying(url), Limits(concurrency=4))
        responses = await caller.run(ask_together([Request("GET", url)] * 4))
    assert [response.status for response in responses] == [401] * 4
    assert server.sold == 2


async def test_a_refused_purchase_ends_the_run_with_the_providers_word(session: ClientSession) -> None:
    """The error that `buy` raises reaches whoever runs the scan, and the exchange is closed."""
    closed: list[str] = []

    def walk(url: str) -> Exchange[None]:
        try:
            yield from ask(Request("GET", url))
        finally:
            closed.append("walk")

    async with served(Log([status(403)])) as url:
        with pytest.raises(CredentialsRejected, match="token server says no"):
            await Caller(session, buying(url), Limits()).run(walk(url))
    assert closed == ["walk"]


async def test_a_429_that_asks_for_nothing_is_retried_like_a_5xx(session: ClientSession) -> None:
    """Without a word on how long, the pause is ours."""
    time = PassingClock()
    async with served(Log([status(429)])) as url:
        assert (await Caller(session, NOBODY, Limits(), clock=time.clock()).run(read(url))).status == 429
    assert time.slept == [0.5, 1.0]


@pytest.mark.parametrize(("code", "held"), [(429, [0.5, 1.0]), (503, [])])
async def test_too_many_requests_hold_everybody_and_an_error_of_the_server_only_who_met_it(
    code: int, held: list[float], session: ClientSession
) -> None:
    """A 429 concerns the credential, also when it does not say for how long: all who use it are paused."""
    time, pauses = PassingClock(), Pauses()
    async with served(Log([status(code)])) as url:
        caller = Caller(session, NOBODY, Limits(), clock=time.clock(), governor=pauses)
        assert (await caller.run(read(url))).status == code
    assert pauses.seconds == held
    assert time.slept == ([] if held else [0.5, 1.0])


async def test_pages_may_be_of_no_interest_and_a_purchase_has_none(session: ClientSession) -> None:
    """A look that keeps nothing needs no listener; a token is bought by plain requests only."""
    caller = Caller(session, NOBODY, Limits())
    await caller.run(hand_over(Page(["1"], [b"{}"])))
    assert caller.stats.requests == 0

    def buy() -> Exchange[Token]:
        yield from hand_over(Page([], []))
        return Token(SecretStr("t"), 1.0)

    with pytest.raises(TypeError, match="single requests"):
        await Caller(session, Credentials(buy=buy), Limits()).run(read("http://127.0.0.1:1/"))


async def test_gzip_is_accepted_and_the_cap_counts_unpacked_bytes(session: ClientSession) -> None:
    """A small packed answer that unpacks beyond the cap is refused without reading it all."""
    packed = gzip.compress(b"a" * 50_000_000)

    async def handler(request: web.Request) -> web.Response:
        assert "gzip" in request.headers["accept-encoding"]
        return web.Response(body=packed, headers={"content-encoding": "gzip"})

    async with served(handler) as url:
        whole = await Caller(session, NOBODY, Limits(max_body=50_000_000)).run(read(url))
        assert len(whole.body) == 50_000_000
        caller = Caller(session, NOBODY, Limits(max_body=1_000_000))
        with pytest.raises(BodyTooLarge, match=r"more than 1,000,000 bytes: raise max_body"):
            await caller.run(read(url))
    assert caller.stats.requests == 1


async def test_transport_errors_are_thrown_into_the_exchange(session: ClientSession) -> None:
    """A provider may catch a failure of one request and go on."""

    def walk(url: str) -> Exchange[str]:
        try:
            yield from ask(Request("GET", url))
        except BodyTooLarge:
            return "went on"
        return "no error"

    async with served(Log([status(200, "x" * 100)])) as url:
        assert await Caller(session, NOBODY, Limits(max_body=10)).run(walk(url)) == "went on"


async def test_a_body_that_drips_is_timed_out_as_a_whole(session: ClientSession) -> None:
    """A byte now and then does not keep a request alive beyond its timeout."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with talking(talk) as url:
        with pytest.raises(TransportTimeout, match=r"did not answer in full within 0\.2 s"):
            await Caller(session, NOBODY, Limits(timeout=0.2)).run(read(url, idempotent=False))


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"", "closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", "broke off before the answer was complete"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "cannot be unpacked|broke off"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope", "cannot be unpacked|broke off"),
    ],
)
async def test_half_answers_and_other_protocols_are_connect_failures(
    session: ClientSession, answer: bytes, text: str
) -> None:
    """Whatever comes back that is no whole HTTP answer is a ConnectFailed that says so, after two retries."""
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_head(reader)
        writer.write(answer)

    async with talking(talk) as url:
        caller = Caller(session, NOBODY, Limits(), clock=PassingClock().clock())
        with pytest.raises(ConnectFailed, match=text):
            await caller.run(ask(Request("POST", url, body=b"{}")))
    assert connections == 3


async def test_a_closed_port_and_an_unknown_name_are_connect_failures(session: ClientSession) -> None:
    """The error names host and reason, and nothing of the path, which may be a secret."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        caller = Caller(session, NOBODY, Limits(), clock=PassingClock().clock())
        with pytest.raises(ConnectFailed, match=rf"^127\.0\.0\.1:{port} cannot be connected to: ") as caught:
            await caller.run(read(f"http://127.0.0.1:{port}/s3cret?token=s3cret"))
    assert "s3cret" not in repr(caught.value)
    with pytest.raises(ConnectFailed, match=r"name\.invalid has no address"):
        await caller.run(read("http://name.invalid/"))


@pytest.mark.parametrize("url", ["nonsense", "ftp://example.com/", "http://", "http://[::1"])
async def test_an_address_that_cannot_be_requested_is_no_crash(session: ClientSession, url: str) -> None:
    """A wrong URL is a transport error, not retried."""
    caller = Caller(session, NOBODY, Limits(), clock=PassingClock().clock())
    with pytest.raises(TransportError):
        await caller.run(read(url))
    assert caller.stats.retries == 0


async def test_redirects_are_not_followed_and_no_cookie_is_kept(session: ClientSession) -> None:
    """A 302 is an answer like any other; what it sets is not sent back."""
    log = Log([status(302, Location="/elsewhere", Set_Cookie="a=b; Path=/")])
    async with served(log) as url:
        caller = Caller(session, NOBODY, Limits())
        # By name: aiohttp's own cookie jar would ignore cookies of a bare address anyway.
        for _ in range(2):
            assert (await caller.run(read(url.replace("127.0.0.1", "localhost")))).status == 302
    assert [request.path for request in log.seen] == ["/", "/"]
    assert "cookie" not in log.seen[1].headers


async def test_when_one_of_several_requests_fails_the_others_are_stopped(session: ClientSession) -> None:
    """The first failure ends the group; a slow sibling is cancelled rather than waited for."""
    cancelled = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        if request.path == "/big":
            return web.Response(text="x" * 100)
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return web.Response()

    async with served(handler) as url:
        caller = Caller(session, NOBODY, Limits(max_body=10))
        group = ask_together([Request("GET", f"{url}/slow"), Request("GET", f"{url}/big")])
        with pytest.raises(BodyTooLarge):
            await asyncio.wait_for(caller.run(group), 25)


@dataclass(slots=True)
class Remembering:
    """Knows an etag for each path given; notes how often it was asked."""

    etags: dict[str, str]
    asked: int = 0

    async def recall(self, requests: Sequence[Request]) -> Sequence[Proof]:
        self.asked += 1
        paths = [request.url.rpartition("/")[2] for request in requests]
        return [Proof(path.encode(), self.etags.get(path, ""), {"total": "7"}, ["1"], 100) for path in paths]


async def test_a_request_that_may_be_validated_carries_the_remembered_etag(session: ClientSession) -> None:
    """A 304 comes back with what is remembered of that page; its own headers win over remembered ones."""
    log = Log([status(304, Total="8"), status(304)])
    memory = Remembering({"a": 'W/"x\'y"', "b": '"b"'})
    async with served(log) as url:
        requests = [Request("GET", f"{url}/{name}", validate=("total",)) for name in "ab"]
        first, second = await Caller(session, NOBODY, Limits(concurrency=1)).run(ask_together(requests), memory=memory)
    assert [request.headers["if-none-match"] for request in log.seen] == ['W/"x\'y"', '"b"']
    assert (first.headers["total"], second.headers["total"]) == ("8", "7")
    assert first.proof is not None
    assert (first.proof.ids, first.proof.etag, memory.asked) == (["1"], 'W/"x\'y"', 1)


async def test_a_whole_answer_carries_what_there_is_to_remember(session: ClientSession) -> None:
    """Its etag as it was sent, the headers asked for, its size and a hash of it, which tells the same bytes again."""
    log = Log([status(200, "body", ETag='W/"1"', Total="9", Other="x"), status(200, "body")])
    async with served(log) as url:
        caller = Caller(session, NOBODY, Limits())
        ask_it = Request("GET", f"{url}/a", validate=("total",))
        proofs = [(await caller.run(ask(ask_it), memory=Remembering({}))).proof for _ in range(2)]
    digest = sha256(b"body").digest()[:16]
    assert proofs == [
        Proof(b"a", 'W/"1"', {"total": "9"}, (), 4, digest),
        Proof(b"a", "", {}, (), 4, digest),
    ]
    assert all("if-none-match" not in request.headers for request in log.seen)


async def test_without_a_memory_or_the_wish_nothing_is_conditional(session: ClientSession) -> None:
    """A look by hand and requests without `validate` are plain, and a 304 that nobody asked for is plain too."""
    log = Log([status(304)])
    memory = Remembering({"a": '"x"'})
    async with served(log) as url:
        caller = Caller(session, NOBODY, Limits())
        plain = await caller.run(ask(Request("GET", f"{url}/a")), memory=memory)
        unremembered = await caller.run(ask(Request("GET", f"{url}/a", validate=())))
        unasked = await caller.run(ask(Request("GET", f"{url}/b", validate=())), memory=memory)
    assert [answer.proof for answer in (plain, unremembered, unasked)] == [None, None, None]
    assert all("if-none-match" not in request.headers for request in log.seen)
    assert memory.asked == 1
