"""The library for the hundred other services: what it really sends, how it fails, and that it holds up nobody."""

from __future__ import annotations

import asyncio
import io
import logging
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest
import structlog
from aiohttp import web

from monitor.conditions import Status
from monitor.egress import Egress
from monitor.errors import ConnectFailed, TransportTimeout
from monitor.exchange import Blocking, Exchange, ask_thread
from monitor.grouping.message import Group, Reason
from monitor.http import Sender, target_session
from monitor.http.blocking import Threads
from monitor.log import configure
from monitor.targets import TARGETS
from monitor.targets.apprise import fitted
from monitor.targets.base import Message, Outcome, Target, Verdict
from tests.servers import served
from tests.unit.targets.events import CLAIMED, stored
from tests.unit.targets.groups import member
from tests.unit.targets.groups import message as message_about

NOW = datetime(2026, 1, 5, 9, 30, 5, tzinfo=UTC)


def apprise(*urls: str) -> Target:
    """An apprise target as bootstrap builds it."""
    plugin = TARGETS["apprise"]
    return plugin.build("here", plugin.options.model_validate({"type": "apprise", "urls": list(urls)}))


def message(memory: Mapping[str, Any] | None = None) -> Message:
    """One event, in a group that remembers this."""
    group = Group(
        key="here/1",
        reason=Reason.OCCURRED,
        route="r",
        labels={},
        values={},
        members=(),
        since=NOW,
        memory=memory or {},
    )
    return Message("evt_4kq7aaaa", (CLAIMED,), 1, NOW, "critical", group)


async def send(target: Target, what: Message) -> Outcome:
    """One attempt, by the product's own sender."""
    async with target_session(Egress()) as session:
        return await Sender(session, 30.0).run(target.send(what))


async def test_services_are_told_in_words_and_a_retry_tells_only_those_that_have_not_heard() -> None:
    """Two services by the real library, one of which fails: it is told again, the other is not."""
    heard: list[tuple[str, Any]] = []
    broken = {"/two"}

    async def answer(request: web.Request) -> web.Response:
        heard.append((request.path, await request.json()))
        return web.Response(status=500 if request.path in broken else 200)

    async with served(answer) as url:
        root = url.replace("http://", "json://").rstrip("/")
        target = apprise(f"{root}/one", f"{root}/two")
        first = await send(target, message())
        assert (first.verdict, [path for path, _ in heard]) == (Verdict.RETRY, ["/one", "/two"])
        assert "2 (by their place in urls)" in (first.error or "")
        broken.clear()
        second = await send(target, message(first.remember))
        assert (second.verdict, [path for path, _ in heard]) == (Verdict.DELIVERED, ["/one", "/two", "/two"])
        other = replace(message(first.remember), events=(CLAIMED, CLAIMED))
        assert (await send(target, other)).verdict is Verdict.DELIVERED
        assert [path for path, _ in heard[3:]] == ["/one", "/two"]
    body = heard[0][1]
    assert (body["title"], body["type"]) == ("Tony Stark | 2021 | 1040: UNCLAIMED → CLAIMED", "failure")
    assert "UNCLAIMED" in body["message"] or "CLAIMED" in body["message"]


def test_a_url_that_names_no_service_is_refused_without_showing_it() -> None:
    """By its place, because the rest of it may be secret."""
    with pytest.raises(ValueError, match="number 2 names no service") as refused:
        apprise("json://ok.example", "nosuch://canary-user:canary-word@x")
    assert "canary" not in str(refused.value)


def test_without_the_library_the_config_says_what_to_install() -> None:
    """In a process that has no such module: a problem of the config, and nothing else of the product suffers."""
    script = (
        "import sys; sys.modules['apprise'] = None\n"
        "from monitor.targets import TARGETS\n"
        "try: TARGETS['apprise'].options.model_validate({'type': 'apprise', 'urls': ['json://x']})\n"
        "except ValueError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=True)
    assert "pip install -r requirements-extras.lock" in done.stdout


async def test_a_call_that_hangs_ends_with_the_timeout_and_too_many_are_not_begun() -> None:
    """The attempt fails in time, the loop goes on, and threads do not pile up."""
    released = threading.Event()
    threads = Threads(most=2)
    try:
        for _ in range(2):
            with pytest.raises(TransportTimeout, match="did not return"):
                await threads.run(lambda: released.wait(60), 0.05)
        with pytest.raises(TransportTimeout, match="2 earlier calls"):
            await threads.run(lambda: None, 5)
    finally:
        released.set()
    async with asyncio.timeout(30):
        while True:
            try:
                assert await threads.run(lambda: 7, 5) == 7
                break
            except TransportTimeout:
                await asyncio.sleep(0.01)


async def test_a_call_that_raises_is_named_by_its_kind_alone() -> None:
    """What libraries write into errors may be an address with a password."""

    def fails() -> object:
        raise RuntimeError("canary-password")

    def sending() -> Exchange[object]:
        return (yield from ask_thread(Blocking(fails)))

    async with target_session(Egress()) as session:
        with pytest.raises(ConnectFailed) as raised:
            await Sender(session, 5.0).run(sending())
    assert "RuntimeError" in str(raised.value)
    assert "canary" not in str(raised.value)


async def test_a_service_that_hangs_keeps_the_message_from_no_other() -> None:
    """The first of three takes all the time: the next attempt begins behind it, the hanging one tells nobody more."""
    heard: list[str] = []
    asked, answered = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        heard.append(request.path)
        if request.path == "/one" and not answered.is_set():
            asked.set()
            await answered.wait()
        return web.Response()

    async with served(answer) as url, asyncio.timeout(60):
        root = url.replace("http://", "json://").rstrip("/")
        target = apprise(f"{root}/one?rto=50", f"{root}/two", f"{root}/three")
        sending = target.send(message())
        call = next(sending)
        assert isinstance(call, Blocking)
        hanging = asyncio.create_task(asyncio.to_thread(call.call))
        await asked.wait()
        with pytest.raises(StopIteration) as ended:
            sending.throw(TransportTimeout("the call did not return"))
        first = ended.value.value
        assert (first.verdict, first.error.count("1, 2, 3")) == (Verdict.RETRY, 1)
        assert "did not return" in first.error
        answered.set()
        await hanging
        assert heard == ["/one"]
        second = await send(target, message(first.remember))
        assert second.verdict is Verdict.DELIVERED
        assert heard[1:] == ["/two", "/three", "/one"]


async def test_what_was_told_before_the_time_was_up_is_remembered() -> None:
    """The second of two hangs: the first has heard, and is not told again."""
    heard: list[str] = []
    asked, answered = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        heard.append(request.path)
        if request.path == "/two" and not answered.is_set():
            asked.set()
            await answered.wait()
        return web.Response()

    async with served(answer) as url, asyncio.timeout(60):
        root = url.replace("http://", "json://").rstrip("/")
        target = apprise(f"{root}/one", f"{root}/two?rto=50")
        sending = target.send(message())
        call = next(sending)
        assert isinstance(call, Blocking)
        hanging = asyncio.create_task(asyncio.to_thread(call.call))
        await asked.wait()
        with pytest.raises(StopIteration) as ended:
            sending.throw(TransportTimeout("the call did not return"))
        answered.set()
        await hanging
        second = await send(target, message(ended.value.value.remember))
        assert (second.verdict, heard) == (Verdict.DELIVERED, ["/one", "/two", "/two"])


async def test_nothing_of_an_address_is_logged_however_much_is_logged() -> None:
    """The library beneath logs each path at debug, and a path is where chats have their token."""
    taken = logging.getLogger()
    handlers, level = taken.handlers[:], taken.level
    out = io.StringIO()
    configure(level="debug", stream=out)
    try:

        async def answer(request: web.Request) -> web.Response:
            return web.Response(status=500, text=f"you sent {request.path}")

        async with served(answer) as url:
            root = url.replace("http://", "json://robot:canary-password@").rstrip("/")
            outcome = await send(apprise(f"{root}/canary-path?+x-key=canary-header"), message())
            logging.getLogger("redis").debug("others are heard")
    finally:
        structlog.reset_defaults()
        taken.handlers[:] = handlers
        taken.setLevel(level)
        logging.getLogger("arq").setLevel(logging.NOTSET)
    assert outcome.verdict is Verdict.RETRY
    assert "canary" not in f"{outcome!r} {outcome.error} {outcome.response}"
    ours = [line for line in out.getvalue().splitlines() if "aiohttp.access" not in line]  # that is the stand-in's
    assert [line for line in ours if "canary" in line] == []
    assert "others are heard" in out.getvalue()


async def test_a_long_message_is_as_long_as_the_service_takes_it_and_says_that_it_was_cut() -> None:
    """By the library's own word on the service; a URL that says how to cut leaves it to the library."""
    service = import_module("apprise").Apprise()
    service.add("tgram://123456789:abcdefg_hijklmnop/12315544/")
    words = {"title": "t" * 200, "body": "x" * 5_000}
    made = fitted(service[0], words)
    assert len(made) + 202 == service[0].body_maxlen == 4096
    assert made.endswith("x…")
    other = import_module("apprise").Apprise()
    other.add("tgram://123456789:abcdefg_hijklmnop/12315544/?overflow=split")
    assert fitted(other[0], words) == words["body"]


def test_nobody_is_mentioned_by_what_a_provider_wrote() -> None:
    """Chats read mentions in plain text too; addresses of e-mail stay as they are."""
    title = "@everyone ask <@U1> <!here> or tony@stark.example"
    event = stored("worklayer.job.claimed", title=title, state={"before": "A", "after": "B"})
    step = next(apprise("json://x.example").send(replace(message(), events=(event,))))
    assert isinstance(step, Blocking)
    for text in step.shown.values():
        assert "@\u2060everyone ask <\u2060@\u2060U1> <\u2060!here> or tony@stark.example" in text


def test_that_all_is_over_is_said_as_success() -> None:
    """And not as the failure that it was, whatever colour or sound a service has for that."""
    for status, kind in ((Status.RESOLVED, "success"), (Status.OPEN, "failure")):
        over = message_about([member(status=status, severity="critical")], reason=Reason.ALL_RESOLVED)
        step = next(apprise("json://x.example").send(over))
        assert isinstance(step, Blocking)
        assert getattr(step.call, "kind", None) == kind
