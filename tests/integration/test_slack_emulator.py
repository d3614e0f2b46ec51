"""An emulator of Slack that is not ours (npm `emulate`) takes what we post and edit, and shows it where it belongs."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from monitor.conditions import Status
from monitor.egress import Egress
from monitor.grouping.message import News, Reason
from monitor.http import Sender, target_session
from monitor.targets import TARGETS
from monitor.targets.base import Message, Outcome, Verdict
from tests.unit.targets.events import CLAIMED
from tests.unit.targets.groups import member, message

PACKAGE = "emulate@0.11.2"
TOKEN = "test_token_admin"
NPM = shutil.which("npm")


@pytest.fixture(scope="module")
async def emulator(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The root of the emulator's Web API; the tests are skipped where npm, or its registry, is missing."""
    if NPM is None:
        pytest.skip("npm is not installed: the emulator comes from its registry")
    home = tmp_path_factory.mktemp("emulate")
    install = await asyncio.create_subprocess_exec(
        *(NPM, "install", "--silent", "--no-audit", "--no-fund", "--fetch-retries=0", "--prefix", str(home), PACKAGE),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await asyncio.wait_for(install.wait(), 60)
    except TimeoutError:
        install.kill()
        await install.wait()
    if install.returncode != 0:
        pytest.skip(f"npm could not install {PACKAGE}: is its registry reachable?")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = home / "node_modules" / ".bin" / "emulate"
    async for url in running(program, port, home):
        yield url


async def running(program: Path, port: int, home: Path) -> AsyncIterator[str]:
    """The emulator for as long as somebody reads from here."""
    with (home / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(program), "start", "--service", "slack", "--port", str(port), cwd=home, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}/api"
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(60):
            while True:
                assert process.returncode is None, (home / "log").read_text()
                try:
                    async with http.post(f"{url}/auth.test", headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
                        if answer.status == 200:
                            break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.1)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def asked(url: str, method: str, **fields: str) -> dict[str, Any]:
    """What the emulator's own API says."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession() as http, http.post(f"{url}/{method}", json=fields, headers=headers) as answer:
        found: dict[str, Any] = await answer.json()
    assert found["ok"], found
    return found


async def sent(url: str, message: Message) -> Outcome:
    """One attempt as the product makes it."""
    plugin = TARGETS["slack"]
    given = {"type": "slack", "token": TOKEN, "channel": "C000000001", "api_url": url, "signing_secret": "s3cret"}
    target = plugin.build("chat", plugin.options.model_validate(given))
    async with target_session(Egress(["127.0.0.0/8"])) as session:
        return await Sender(session, 20.0).run(target.send(message))


async def test_a_group_is_posted_edited_and_told_in_its_thread(emulator: str) -> None:
    """The same message from its opening to its end, with what happened below it."""
    first = await sent(emulator, message([member()]))
    assert first.verdict is Verdict.DELIVERED, first
    assert first.remember is not None
    over = message([member(status=Status.RESOLVED)], reason=Reason.ALL_RESOLVED, memory=first.remember, number=1)
    last = await sent(emulator, over)
    assert last.verdict is Verdict.DELIVERED, last
    where = {"channel": first.remember["channel"], "ts": first.remember["ts"]}
    thread = (await asked(emulator, "conversations.replies", **where))["messages"]
    assert thread[0]["ts"] == first.remember["ts"]
    assert thread[0]["text"].startswith("🟢 Resolved: ")
    assert len(thread) == 2


async def test_a_message_that_somebody_deleted_is_posted_anew(emulator: str) -> None:
    """The emulator answers as Slack does: message_not_found."""
    first = await sent(emulator, message([member()]))
    assert first.remember is not None
    where = {"channel": first.remember["channel"], "ts": first.remember["ts"]}
    await asked(emulator, "chat.delete", **where)
    worse = message([member(news=News.WORSE)], reason=Reason.WORSE, memory=first.remember, number=1)
    again = await sent(emulator, worse)
    assert again.verdict is Verdict.DELIVERED, again
    assert again.remember is not None
    assert again.remember["ts"] != first.remember["ts"]


async def test_its_errors_are_understood(emulator: str) -> None:
    """A channel that is not there stops the target, and occurrences are posted like any message."""
    plain = replace(message([], CLAIMED), group=None)
    assert (await sent(emulator, plain)).verdict is Verdict.DELIVERED
    plugin = TARGETS["slack"]
    given = {"type": "slack", "token": TOKEN, "channel": "C0NOWHERE", "api_url": emulator}
    async with target_session(Egress(["127.0.0.0/8"])) as session:
        target = plugin.build("chat", plugin.options.model_validate(given))
        outcome = await Sender(session, 20.0).run(target.send(plain))
    assert (outcome.verdict, outcome.disable) == (Verdict.FAILED, True)
