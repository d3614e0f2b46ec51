"""The library for the hundred other services: what it really sends, how it fails, and that it holds up nobody."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from monitor.egress import Egress
from monitor.errors import ConnectFailed, TransportTimeout
from monitor.exchange import Blocking, Exchange, ask_thread
from monitor.grouping.message import Group, Reason
from monitor.http import Sender, target_session
from monitor.http.blocking import Threads
from monitor.targets import TARGETS
from monitor.targets.base import Message, Outcome, Target, Verdict
from tests.servers import served
from tests.unit.targets.events import CLAIMED

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
    assert (body["title"], body["type"]) == ("Tony Stark | 2021 | 1040", "failure")
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
    assert "pip install 'jobwire[apprise]'" in done.stdout


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
