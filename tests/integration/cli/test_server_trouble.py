"""What goes wrong between a command and a server: cuts, refusals, strangers. One clear line, and never the token."""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from redis.asyncio import Redis

from monitor.cli.desk.address import Address, token_of
from monitor.cli.desk.asked import EventsWanted
from monitor.cli.desk.following import Messages
from monitor.cli.desk.opening import desk, follow
from monitor.cli.options import Where
from monitor.errors import JobwireError, UsageError
from monitor.web import listening
from tests.integration.cli.commands import Jobwire, ended
from tests.integration.cli.inprocess import OPERATOR, run, two_sides
from tests.integration.store.authorities import Authority, Files
from tests.integration.web.serving import jobs
from tests.servers import read_head, served, talking

TOKEN = "a-token-nobody-may-see"


@dataclass(slots=True)
class Wire:
    """A wire to a server that can be led elsewhere, and cut after so many bytes."""

    to: tuple[str, int]
    most: int | None = None
    cuts: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        try:
            there, back = await asyncio.open_connection(*self.to)
        except OSError:
            writer.close()
            return
        self.open.add(back)
        await asyncio.gather(self._pass(reader, back, None), self._pass(there, writer, self.most))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None) -> None:
        passed = 0
        try:
            while part := await reader.read(4096):
                if most is not None and passed + len(part) > most:
                    writer.write(part[: most - passed])
                    await writer.drain()
                    self.cuts += 1
                    break
                passed += len(part)
                writer.write(part)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    def cut(self) -> None:
        """End every connection."""
        for one in self.open:
            one.close()
        self.open.clear()


@asynccontextmanager
async def wire(to: tuple[str, int]) -> AsyncIterator[tuple[Wire, str]]:
    """A wire, and the URL of its near end."""
    one = Wire(to)
    server = await asyncio.start_server(one.connected, "127.0.0.1", 0)
    try:
        yield one, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        one.cut()


def place_of(url: str) -> tuple[str, int]:
    """Host and port of a URL."""
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)


async def until(true: Callable[[], bool], task: asyncio.Task[None]) -> None:
    """Wait until something is so, or the task has ended, or a minute is over."""
    async with asyncio.timeout(60):
        while not true() and not task.done():
            await asyncio.sleep(0.01)
    if task.done():
        task.result()


async def test_following_loses_and_doubles_nothing_through_cuts_and_restarts(
    redis: Redis, store_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The wire is cut inside messages, the server goes and comes back elsewhere: every event once, byte for byte."""
    seen: list[bytes] = []
    async with two_sides(store_url, tmp_path, capsys) as at, wire(place_of(at.url)) as (one, url):
        where = Where(server=url, token_file=at.token)
        one.most = 6000
        task = asyncio.create_task(follow(where, "0-0", EventsWanted(), seen.append, lambda: None))
        made = 0
        for number in range(6):
            at.listing.body = jobs(*(f"r{number}-{job}" for job in range(10)), *("a", "b"))
            await at.watch.scan()
            made += 10 if number else 1
            if number == 3:
                one.cut()
                one.to = ("127.0.0.1", 1)
                await asyncio.sleep(0)
                async with listening(at.watch.services) as elsewhere:
                    one.to, one.most = place_of(elsewhere), None
                    await until(lambda: len(seen) >= 31, task)
                one.to = place_of(at.url)
        stored = [one.body for one in await at.watch.services.store.log.after("0-0", 1000)]
        await until(lambda: len(seen) >= len(stored), task)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert len(stored) >= made
    assert (seen, one.cuts > 0) == (stored, True)


async def test_following_ends_with_ctrl_c_and_with_a_closed_pipe(
    redis: Redis, store_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], bare: Jobwire
) -> None:
    """Both end it quietly with 0, whatever the server does."""
    async with two_sides(store_url, tmp_path, capsys) as at:
        await at.watch.scan()
        words = ("events", "--follow", "--server", at.url)
        first, second = [await bare.start(*words, environ={"JOBWIRE_TOKEN": OPERATOR}) for _ in range(2)]
        assert first.stdout is not None
        assert b"baselined" in await first.stdout.readline()
        assert second.stdout is not None
        assert b"baselined" in await second.stdout.readline()
        first.send_signal(signal.SIGINT)
        interrupted = await ended(first)
        second.stdout._transport.close()  # type: ignore[attr-defined]  # a pipe that nobody reads any more
        at.listing.body = jobs("a", "b", "c", status="CLAIMED")
        await at.watch.scan()
        assert second.stderr is not None
        complaint = await second.stderr.read()

        assert (interrupted.code, interrupted.err) == (0, "")
        assert (await second.wait(), complaint) == (0, b"")


@asynccontextmanager
async def stranger(*answers: web.Response) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A server that gives these answers, the last one for good; its URL, and what it was asked."""
    asked: list[web.Request] = []
    left = list(answers)

    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        one = left.pop(0) if len(left) > 1 else left[0]
        return web.Response(body=one.body, status=one.status, headers=one.headers)

    async with served(answer) as url:
        yield url, asked


def told(status: int, detail: str, **headers: str) -> web.Response:
    """A problem as jobwire tells it."""
    body = {"type": "about:blank", "title": "x", "status": status, "detail": detail}
    return web.json_response(body, status=status, content_type="application/problem+json", headers=headers)


def page(*items: object) -> web.Response:
    """A list."""
    return web.json_response({"items": items, "next": None})


async def failing(url: str, token: Path, *words: str) -> str:
    """What a command says that fails."""
    with pytest.raises(JobwireError) as raised:
        async with desk(Where(server=url, token_file=token)) as at:
            await (at.switch("ops", on=True) if words else at.sources())
    assert TOKEN not in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1
    return str(raised.value)


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """A file with a token."""
    path = tmp_path / "token"
    path.write_text(TOKEN)
    return path


async def test_patience_is_shown_once_and_only_where_nothing_is_changed(token: Path) -> None:
    """Retry-After of 429 and 503 counts; who acts is told at once when to try again, and so is who waits too long."""
    busy = told(429, "too many requests", **{"Retry-After": "0"})
    async with stranger(busy, page()) as (url, asked):
        async with desk(Where(server=url, token_file=token)) as at:
            assert await at.sources() == []
        assert len(asked) == 2
    async with stranger(busy) as (url, asked):
        assert "too many requests (try again in 0 s)" in await failing(url, token)
        assert len(asked) == 2
        assert "try again" in await failing(url, token, "act")
        assert len(asked) == 3
    async with stranger(told(503, "the store does not answer", **{"Retry-After": "86400"})) as (url, asked):
        assert "try again in 86400 s" in await failing(url, token)
        assert len(asked) == 1


async def test_a_redirect_is_not_followed_and_gets_no_token(token: Path) -> None:
    """A token goes to the URL that was given, and nowhere else."""
    async with stranger(page()) as (elsewhere, asked_there):
        moved = web.Response(status=302, headers={"Location": elsewhere})
        async with stranger(moved) as (url, asked):
            said = await failing(url, token)

        assert (elsewhere in said, "not followed" in said) == (True, True)
        assert asked[0].headers["Authorization"] == f"Bearer {TOKEN}"
        assert asked_there == []


async def test_strangers_are_told_from_jobwire(token: Path) -> None:
    """A proxy's page, a page in place of JSON, half an answer, other JSON, the same page again and again."""
    html = web.Response(status=200, text="<html>", content_type="text/html")
    gateway = web.Response(status=502, text="<html>", content_type="text/html")
    for answer, said in (
        (html, "not as jobwire does"),
        (gateway, "answers 502 Bad Gateway, and not as jobwire does"),
        (web.json_response([1]), "does not answer as jobwire does"),
        (web.json_response({"items": 3}), "does not answer as jobwire does"),
        (told(404, "there is nothing at this address"), "there is nothing at this address"),
        (told(500, "an error \x1b[2Jin jobwire itself"), "an error \ufffd[2Jin jobwire itself"),
    ):
        async with stranger(answer) as (url, _):
            assert said in await failing(url, token)
    again = web.json_response({"items": [], "next": "x"})
    async with stranger(again) as (url, _):
        with pytest.raises(JobwireError, match="again and again"):
            async with desk(Where(server=url)) as at:
                await at.conditions(every=False, source=None)


async def test_what_may_have_been_done_is_not_said_to_have_failed(token: Path) -> None:
    """A server that goes while it acts: nobody repeats that by itself, and whoever asked is told to look."""
    asked = 0

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        nonlocal asked
        await read_head(reader)
        asked += 1

    async with talking(talk) as url:
        assert "see whether it was done" in await failing(url, token, "act")

    assert asked == 1


async def test_other_objects_than_expected_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Another version, or a liar: what a table needs is not there."""
    async with stranger(page({"nome": "tax"})) as (url, _):
        with pytest.raises(JobwireError, match=r"has no 'name': is it another version"):
            await run(capsys, "sources", "--server", url)


async def test_tokens_are_asked_for_and_refused_in_words(
    redis: Redis, store_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], token: Path
) -> None:
    """Without one, with a wrong one; nobody is told what it was."""
    installation = tmp_path / "installation"
    installation.mkdir()
    async with two_sides(store_url, installation, capsys) as at:
        with pytest.raises(JobwireError, match="wants a token: set JOBWIRE_TOKEN, or name a file with --token-file"):
            await run(capsys, "sources", "--server", at.url)
        assert "does not take this token" in await failing(at.url, token)


async def test_the_path_that_a_proxy_mounts_it_under_is_kept(token: Path) -> None:
    """And names are quoted inside it."""
    async with stranger(page()) as (url, asked), desk(Where(server=f"{url}/inner/jobwire/", token_file=token)) as at:
        await at.sources()
        await at.history("tax/job/a b?c#d%e")

    assert [one.raw_path for one in asked] == [
        "/inner/jobwire/api/v1/sources",
        "/inner/jobwire/api/v1/resources/tax/job/a%20b%3Fc%23d%25e/history",
    ]


async def test_nobody_there_is_one_line(bare: Jobwire) -> None:
    """Exit code 1, where it was looked for, and what to do; the URL may stand before the command."""
    done = await bare("--server", "http://127.0.0.1:1", "sources", environ={"JOBWIRE_TOKEN": TOKEN})

    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "error: no jobwire answers at http://127.0.0.1:1 (Connection refused): does `jobwire up` or `web` run there?\n"
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("127.0.0.1:8080", "write http://127.0.0.1:8080"),
        ("ftp://example.org", "write http://"),
        ("http://", "write http://"),
        ("http://example.org:port", "write http://"),
        ("http://example.org?x=1", "write http://"),
        ("https://me:hunter2@example.org", "seen by others"),
    ],
)
def test_what_is_no_url_is_bad_usage(given: str, said: str) -> None:
    """With what is allowed; a password is not shown again."""
    with pytest.raises(UsageError) as raised:
        Address.of(given)
    assert said in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "root", "near"),
    [
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080", True),
        ("http://[::1]:8080", "http://[::1]:8080", True),
        ("http://localhost", "http://localhost", True),
        ("https://jobs.example.org/jobwire/", "https://jobs.example.org/jobwire", False),
        ("http://localhost.example.org", "http://localhost.example.org", False),
    ],
)
def test_a_url_is_kept_as_it_is_but_for_its_last_slash(given: str, root: str, *, near: bool) -> None:
    """And whether what is sent there stays on this machine is known."""
    assert (Address.of(given).root, Address.of(given).is_near) == (root, near)


def test_a_token_comes_from_a_file_or_the_environment_and_is_one_word(tmp_path: Path) -> None:
    """The file wins; a file that holds none is named without showing what it holds."""
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    assert token_of(Where(token_file=path)) == TOKEN
    for wrong in ("", "two words", "line\nline", "t\u00e9"):
        path.write_text(wrong)
        with pytest.raises(UsageError, match="--token-file") as raised:
            token_of(Where(token_file=path))
        assert not wrong or wrong not in str(raised.value)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        token_of(Where(token_file=tmp_path / "nowhere"))
    assert token_of(Where()) is None


async def test_a_token_over_an_open_network_is_warned_of(token: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """http:// beyond this machine: whoever is on the way can read it. Nothing is connected to for that."""
    async with desk(Where(server="http://jobwire.invalid", token_file=token)):
        pass
    warned = capsys.readouterr().err
    async with desk(Where(server="https://jobwire.invalid", token_file=token)):
        pass

    assert ("is not encrypted" in warned, TOKEN in warned, capsys.readouterr().err) == (True, False, "")


def test_messages_are_whole_wherever_the_stream_is_cut() -> None:
    """Byte by byte as at once; comments and half a message count for nothing."""
    stream = b'retry: 2000\n\nid: 1-0\ndata: {"a":1}\n\n: still here\n\n'
    stream += b"id: 2-0\r\ndata: x\r\ndata: y\r\n\r\nid: 3-0\ndata: z\n"
    whole = [("1-0", b'{"a":1}'), ("2-0", b"x\ny")]
    at_once, slowly = Messages(), Messages()

    assert list(at_once.feed(stream)) == whole
    assert [one for byte in stream for one in slowly.feed(bytes([byte]))] == whole


@asynccontextmanager
async def secured(files: Files) -> AsyncIterator[str]:
    """A server over TLS that answers every call with an empty list; its URL."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)

    async def answer(_: web.Request) -> web.Response:
        return page()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_certificates_are_verified_and_an_own_authority_can_be_named(tmp_path: Path, token: Path) -> None:
    """By --ca-file; without it, or with a certificate for another name, nothing is sent and it is said why."""
    authority = Authority(tmp_path)
    async with secured(authority.sign("here", "127.0.0.1")) as url:
        async with desk(Where(server=url, token_file=token, ca_file=authority.ca)) as at:
            assert await at.sources() == []
        assert "is not trusted" in await failing(url, token)
    async with secured(authority.sign("elsewhere", "example.org")) as url:
        with pytest.raises(JobwireError, match="is not trusted"):
            async with desk(Where(server=url, token_file=token, ca_file=authority.ca)) as at:
                await at.sources()
    for wrong in (token, tmp_path / "nowhere.pem"):
        with pytest.raises(UsageError, match="holds no certificates in PEM"):
            async with desk(Where(server="https://127.0.0.1:1", ca_file=wrong)):
                pass
