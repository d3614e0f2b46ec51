"""One request on the wire: what is written, which answer counts, and which connections are used again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientError, ClientSession
from yarl import URL

from monitor.egress import Egress
from monitor.http.connect import target_session
from monitor.http.wire import Wire
from tests.servers import read_head, talking

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """A wire to which loopback is open."""
    async with target_session(Egress(["127.0.0.0/8"]), 4) as session:
        yield Wire(session, 1000)


class Server:
    """Answers every request with the same bytes; keeps what came, by connection."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.connections: list[list[bytes]] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine: list[bytes] = []
        self.connections.append(mine)
        while True:
            mine.append(await read_head(reader))
            writer.write(self.answer)
            await writer.drain()


async def test_a_request_says_what_http_wants_and_what_is_given_once(wire: Wire) -> None:
    """Host, length and the given headers; a given header takes the place of a usual one, however it is written."""
    server = Server(NO_CONTENT)
    async with talking(server.talk) as url:
        await wire.send("POST", URL(f"{url}/in?a=%20b"), {"USER-AGENT": "us", "content-type": "text/x"}, b"hello", 5.0)

    head, _, body = server.connections[0][0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    sent = [line.lower() for line in lines]
    assert first == "POST /in?a=%20b HTTP/1.1"
    assert {f"host: {url[7:]}", "content-length: 5", "user-agent: us", "content-type: text/x"} <= set(sent)
    assert len({line.partition(":")[0] for line in sent}) == len(sent)
    assert body == b"hello"


async def test_an_answer_with_a_long_header_is_an_answer(wire: Wire) -> None:
    """A policy or cookie of 30 KB does not make of a success a broken connection, sent again and again."""
    server = Server(b"HTTP/1.1 204 No Content\r\nContent-Security-Policy: " + b"a" * 30_000 + b"\r\n\r\n")
    async with talking(server.talk) as url:
        answers = [await wire.send("POST", URL(url), {}, b"x", 5.0) for _ in range(2)]
    assert [answer.message.code for answer in answers] == [204, 204]
    assert len(server.connections) == 1


async def test_a_header_that_would_end_its_line_is_never_sent(wire: Wire) -> None:
    """A line break in a value would be a header of its own."""
    server = Server(NO_CONTENT)
    async with talking(server.talk) as url:
        for headers in ({"a": "1\r\nb: 2"}, {"a\n": "1"}, {"a": "\0"}):
            with pytest.raises(ValueError, match="line break"):
                await wire.send("POST", URL(url), headers, b"", 5.0)

    assert server.connections == []


async def test_interim_answers_are_passed_over(wire: Wire) -> None:
    """100 Continue and 103 Early Hints announce the answer; they are none."""
    server = Server(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + NO_CONTENT)
    async with talking(server.talk) as url:
        answers = [await wire.send("POST", URL(url), {}, b"x", 5.0) for _ in range(2)]

    assert [one.message.code for one in answers] == [204, 204]
    assert [len(mine) for mine in server.connections] == [2]


async def test_a_connection_with_unsent_bytes_is_not_used_again(wire: Wire) -> None:
    """A receiver that answers before it has read everything would take the rest for the next request."""
    connections, done = 0, asyncio.Event()

    async def impatient(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        await done.wait()

    async with talking(impatient) as url:
        for _ in range(2):
            answer = await wire.send("POST", URL(url), {}, b"x" * 50_000_000, 5.0)
            assert answer.message.code == 413
        done.set()

    assert connections == 2


async def test_a_closed_session_is_a_failed_connection() -> None:
    """Whoever stops takes sessions along; an attempt that comes late fails like any other."""
    session: ClientSession = target_session(Egress(["127.0.0.0/8"]))
    wire = Wire(session, 1000)
    await session.close()
    with pytest.raises(ClientError, match="closed"):
        await wire.send("POST", URL("http://127.0.0.1:9/"), {}, b"", 5.0)
