"""Clicks on messages of many conditions: they are about what was shown, not about what came since."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

import pytest
from aiohttp import web
from redis.asyncio import Redis

from monitor.simulator.slack_clicks import click
from monitor.simulator.slack_messages import SlackMessage
from monitor.targets.slack_actions import ACKNOWLEDGE, SNOOZE
from tests.integration.web.test_slack_clicks import SECRET, Office, answered_at, chosen_from, office
from tests.servers import served

TOGETHER = ", group_by: [source]"


def jobs(failed: int, of: int = 13) -> dict[str, Any]:
    """A page of DevRev jobs of which so many have failed."""
    made = [
        {
            "id": f"don:core:job/{n}",
            "state": "failed" if n <= failed else "in_progress",
            "title": f"Export {n}",
            "created_date": "2026-01-05T09:00:00Z",
        }
        for n in range(1, of + 1)
    ]
    return {"jobs": made, "next_cursor": None}


async def fail(here: Office, number: int, words: str) -> SlackMessage:
    """So many jobs have failed, all of which were seen before; the message as it is then."""
    if len(here.jobs.body["jobs"]) == 1:
        here.jobs.body = jobs(1)
        await here.watch.scan("dev")
    here.jobs.body = jobs(number)
    await here.watch.scan("dev")
    return deepcopy(await here.message(words))


async def states(here: Office, total: int, state: str, wanted: int) -> dict[str, str]:
    """The state of each condition by title, once so many of all are in it."""
    while True:
        found = {one["title"]: str(one["state"]) for one in await here.open()}
        if len(found) == total and list(found.values()).count(state) == wanted:
            return found
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(("action", "state"), [(ACKNOWLEDGE, "acknowledged"), (SNOOZE, "snoozed")])
async def test_a_click_is_about_what_the_message_showed(redis: Redis, store_url: str, action: str, state: str) -> None:
    """A24: what failed after the message was written stays open, whichever button it is, and who clicked is told so."""
    async with office(store_url, grouped=TOGETHER) as here, said() as (answers, told), asyncio.timeout(120):
        shown = await fail(here, 11, "11 conditions open")
        await fail(here, 12, "12 conditions open")
        chosen = chosen_from(shown, "1h") if action == SNOOZE else shown
        pressed = click(chosen, action, secret=SECRET, timestamp=int(time.time()))
        assert await here.press(*answered_at(f"{answers}/slack", pressed)) == 200
        found = await states(here, 12, state, 11)
        assert found["Export 12"] == "open"
        while not told:
            await asyncio.sleep(0.01)
        assert told[0]["text"].startswith("1 condition of this group opened or changed after the message")
        # What stands there now is about the twelfth as well.
        now = deepcopy(await here.message("12 conditions open"))
        assert await here.press(*click(now, ACKNOWLEDGE, secret=SECRET, timestamp=int(time.time()) - 1)) == 200
        assert (await states(here, 12, "open", 0))["Export 12"] == "acknowledged"


async def test_a_message_of_an_earlier_version_is_about_what_it_can_have_shown(redis: Redis, store_url: str) -> None:
    """A24: its buttons name the group alone, so that what opened after Slack says it was written stays open."""
    async with office(store_url, grouped=TOGETHER) as here, asyncio.timeout(120):
        shown = await fail(here, 11, "11 conditions open")
        stored = await here.watch.services.store.conditions.all()
        places = [one.at for ledger in stored.values() for one in ledger.open]
        group = next(f"{one.target}/{one.lane}" for each in stored.values() for o in each.open for one in o.places)
        for block in shown.payload["blocks"]:
            for element in block.get("elements", []):
                if element.get("action_id") == ACKNOWLEDGE:
                    element["value"] = f"group:{group}"
        last = max(int(one.partition("-")[0]) for one in places) + 1
        await fail(here, 12, "12 conditions open")
        for written, open_ones in (("1.000001", 12), (f"{last // 1000}.{last % 1000:03}000", 1)):
            old = deepcopy(shown)
            old.payload["edited"] = {"user": "B0", "ts": written}
            pressed = click(old, ACKNOWLEDGE, secret=SECRET, timestamp=int(time.time()) - open_ones)
            assert await here.press(*pressed) == 200
            found = await states(here, 12, "open", open_ones)
            assert found["Export 12"] == "open"


async def test_a_click_on_what_is_over_is_answered(redis: Redis, store_url: str) -> None:
    """A24: nothing is done, and who clicked is told why."""
    async with office(store_url) as here, said() as (answers, told), asyncio.timeout(120):
        shown = deepcopy(await here.message("Open"))
        await here.claim("completed")
        await here.message("Resolved")
        pressed = click(shown, ACKNOWLEDGE, secret=SECRET, timestamp=int(time.time()))
        assert await here.press(*answered_at(f"{answers}/slack", pressed)) == 200
        while not told:
            await asyncio.sleep(0.01)
        assert told[0]["text"].startswith("This is over already")
        assert await here.open() == []


@asynccontextmanager
async def said() -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """Where Slack takes words to whoever clicked: its address, and what was said there."""
    told: list[dict[str, Any]] = []

    async def hear(request: web.Request) -> web.Response:
        told.append(await request.json())
        return web.Response()

    async with served(hear) as url:
        yield url, told
