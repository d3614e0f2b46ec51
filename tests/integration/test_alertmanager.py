"""A real Alertmanager (Debian's prometheus-alertmanager) takes what we send, and its own tool reads it back."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from monitor.conditions import Status
from monitor.egress import Egress
from monitor.grouping.message import Reason
from monitor.http import Sender, target_session
from monitor.targets import TARGETS
from monitor.targets.base import Message, Verdict
from tests.unit.targets.events import CLAIMED
from tests.unit.targets.groups import member, message

SERVER, TOOL = shutil.which("prometheus-alertmanager"), shutil.which("amtool")
pytestmark = pytest.mark.skipif(
    SERVER is None or TOOL is None, reason="prometheus-alertmanager is not installed (apt-get install it; .ci/run does)"
)


@pytest.fixture
async def alertmanager(tmp_path: Path) -> AsyncIterator[str]:
    """The root URL of a running Alertmanager that tells nobody."""
    config = tmp_path / "am.yml"
    config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (tmp_path / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(SERVER),
            f"--config.file={config}",
            f"--storage.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(60):
            while True:
                try:
                    async with http.get(f"{url}/-/ready") as answer:
                        if answer.status == 200:
                            break
                except aiohttp.ClientError:
                    assert process.returncode is None, (tmp_path / "log").read_text()
                await asyncio.sleep(0.1)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def told(url: str) -> list[dict[str, Any]]:
    """The alerts that amtool shows as active."""
    process = await asyncio.create_subprocess_exec(
        str(TOOL), f"--alertmanager.url={url}", "alert", "query", "-o", "json", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    found: list[dict[str, Any]] = json.loads(out)
    return found


async def send(url: str, message: Message) -> None:
    """Deliver a message as the product does."""
    plugin = TARGETS["alertmanager"]
    target = plugin.build("am", plugin.options.model_validate({"type": "alertmanager", "url": url}))
    async with target_session(Egress(["127.0.0.0/8"])) as session:
        outcome = await Sender(session, 20.0).run(target.send(message))
    assert outcome.verdict is Verdict.DELIVERED, outcome


def now_about(*args: Any, **options: Any) -> Message:
    """A message of this moment: a real Alertmanager goes by the real time."""
    made = message(*args, **options)
    return Message(made.id, made.events, made.attempt, datetime.now(UTC), made.severity, made.group)


async def test_a_condition_fires_and_ends(alertmanager: str) -> None:
    """It is there with our labels while it is open, and gone when it is over."""
    began = datetime.now(UTC) - timedelta(minutes=5)
    await send(alertmanager, now_about([member(opened_at=began)], labels={"team": "ops"}))
    (alert,) = await told(alertmanager)
    assert alert["labels"]["alertname"] == "driver_jobs.contract.expiring"
    assert (alert["labels"]["team"], alert["labels"]["resource"]) == ("ops", "uk-drivers/contract/298")
    assert "Contract of Tony Stark" in alert["annotations"]["summary"]

    over = member(status=Status.RESOLVED, opened_at=began, ended_at=datetime.now(UTC))
    await send(alertmanager, now_about([over], labels={"team": "ops"}, reason=Reason.ALL_RESOLVED))
    assert await told(alertmanager) == []


async def test_an_occurrence_is_shown_for_a_while(alertmanager: str) -> None:
    """It has no end of its own, so it stands as an alert with one."""
    await send(alertmanager, now_about([], CLAIMED))
    (alert,) = await told(alertmanager)
    assert alert["labels"]["alertname"] == "worklayer.job.claimed"
