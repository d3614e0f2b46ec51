"""The receiver of docs/receiving.md, taken from the page, gets real deliveries."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web
from redis.asyncio import Redis

from monitor.targets.signature import new_secret
from tests.installation import SECRET, Hands, installed, listing

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "receiving.md").read_text()


def receiver() -> Callable[[list[str], dict[str, Any]], web.Application]:
    """The first program of the page."""
    block = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    names: dict[str, Any] = {}
    exec(compile(block[1], "docs/receiving.md", "exec"), names)  # noqa: S102 - the page is ours
    made: Callable[[list[str], dict[str, Any]], web.Application] = names["receiver"]
    return made


async def test_the_receiver_of_the_page_takes_our_deliveries_and_no_others(redis: Redis, store_url: str) -> None:
    """W6: signed by us it is taken once, however often it comes; signed by anybody else it is answered with 401."""
    inbox: dict[str, Any] = {}
    runner = web.AppRunner(receiver()([new_secret("whsec", bytes), SECRET], inbox))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    hook = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        async with listing({"data": [{"id": "j", "status": "UNCLAIMED"}], "next_page_token": ""}) as (url, one):
            config = (
                f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t}}}}\n'
                f'targets: {{hook: {{type: webhook, url: "{hook}", secret: "{SECRET}"}}}}\n'
                "egress: {allow: [127.0.0.0/8]}\nroutes: [{match: {type: worklayer.**}, to: [hook]}]\n"
            )
            async with installed(store_url, config, Hands(datetime.now(UTC))) as watch:
                await watch.scan()
                one.body = {"data": [{"id": "j", "status": "CLAIMED"}], "next_page_token": ""}
                await watch.scan()
                await watch.services.consumer.relay.relay()
                made = await watch.services.consumer.deliverer.deliver(watch.services.targets["hook"])
                (event,) = [event for event in await watch.news() if event["type"] == "worklayer.job.claimed"]
        async with ClientSession() as stranger, stranger.post(hook, data=b"{}") as answer:
            refused = answer.status, await answer.text()
    finally:
        await runner.cleanup()

    assert made == 1
    assert inbox == {event["id"]: event}
    assert refused == (401, "missing_header")


def test_the_page_names_every_reason() -> None:
    """What `VerificationFailed.reason` may be."""
    source = (Path(__file__).resolve().parents[2] / "monitor" / "receive.py").read_text()
    reasons = re.findall(r'"(\w+)"', re.search(r"Reason: TypeAlias = Literal\[(.*?)\]", source)[1])  # type: ignore[index]  # it is there
    assert [reason for reason in reasons if f"`{reason}`" not in PAGE] == []
