"""A real Alertmanager (Debian's prometheus-alertmanager) takes what we send, and its own tool reads it back."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from monitor.conditions import Status
from monitor.egress import Egress
from monitor.grouping.message import News, Reason
from monitor.http import Sender, target_session
from monitor.targets import TARGETS
from monitor.targets.base import Message, Verdict
from tests.unit.targets.events import CLAIMED, stored
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


URLS = (
    "https://x.example/a b",
    "http://[",
    "https://x.example/%zz",
    "https://x.example/\u202e/é?q=1#f",
    "https://x.example:port/",
    "https://user:pw@x.example/",
    "javascript:alert(1)",
    "https://x.example/\x00\n",
    "https://[::1]:80/",
    "https://" + "a" * 5_000,
)


async def test_nothing_a_provider_writes_makes_it_refuse_the_others(alertmanager: str) -> None:
    """One alert that it cannot read costs the whole batch: odd addresses, ids, titles and labels, all at once."""
    odd = [
        stored(
            "worklayer.job.failed",
            f"job/{n}\x01\u200b\n\U0001f600",
            title="\u202e\x00" * 50 + str(n),
            url=url,
            id=f"evt_{n}",
        )
        for n, url in enumerate(URLS)
    ]
    labels = {"on-call": "a", "0day": "b", "ü": "c", "__reserved__": "d", "empty": "", "alertname": "mine"}
    began = datetime.now(UTC) - timedelta(minutes=1)
    await send(alertmanager, now_about([member(one, opened_at=began) for one in odd], labels=labels))
    found = await told(alertmanager)
    assert len(found) == len(URLS)
    assert {one["labels"]["alertname"] for one in found} == {"worklayer.job.failed"}
    links = {one["labels"]["resource"][8:9]: one.get("generatorURL") for one in found}
    assert {number: link for number, link in links.items() if link} == {
        "0": "https://x.example/a%20b",
        "3": "https://x.example/%E2%80%AE/%C3%A9?q=1#f",
        "7": "https://x.example/%00",
        "8": "https://[::1]:80/",
    }
    assert all(one["annotations"]["summary"].isprintable() for one in found)


async def test_a_condition_that_gets_worse_is_one_alert(alertmanager: str) -> None:
    """What it was called before has ended, by either severity that it may have had."""
    began = datetime.now(UTC) - timedelta(minutes=5)
    await send(alertmanager, now_about([member(opened_at=began, severity="critical")]))
    overdue = stored("driver_jobs.contract.overdue", "contract/298", source="uk-drivers", id="evt_overdue")
    later = member(overdue, news=News.WORSE, severity="critical", opened_at=began, changed_at=datetime.now(UTC))
    former = msgspec.structs.replace(later.condition, former=("driver_jobs.contract.expiring",))
    await send(alertmanager, now_about([replace(later, condition=former)], reason=Reason.WORSE))
    assert [one["labels"]["alertname"] for one in await told(alertmanager)] == ["driver_jobs.contract.overdue"]
