"""Conditions at the alerting systems that people already have: opened, held open and ended there as they are here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from monitor.moments import parse_instant
from monitor.targets import TARGETS
from tests.installation import Hands
from tests.integration.pipeline.room import Room, room
from tests.integration.pipeline.test_silences import silence
from tests.pagerduty import KEY, PagerDuty
from tests.servers import served

ROUTES = "routes: [{to: [chat], group_by: [source], group_wait: 0s, group_interval: 60s}]"


@dataclass
class Alerts:
    """An Alertmanager that holds what it was told until it ends; `down` answers 500."""

    down: bool = False
    posts: list[list[dict[str, Any]]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Take a batch."""
        assert request.path == "/api/v2/alerts"
        if self.down:
            return web.Response(status=500)
        self.posts.append(await request.json())
        return web.Response(text="{}")

    def firing(self, now: datetime) -> dict[str, datetime]:
        """The names of what has not ended, and when it would."""
        ends = {one["labels"]["alertname"]: parse_instant(one["endsAt"]) for post in self.posts for one in post}
        return {name: at for name, at in ends.items() if at is not None and at > now}


@asynccontextmanager
async def told(store_url: str, hands: Hands, **options: Any) -> AsyncIterator[Room]:
    """A room whose `chat` is another kind of target."""
    async with room(store_url, ROUTES, hands=hands) as here:
        targets = here.services.targets
        assert isinstance(targets, dict)
        plugin = TARGETS[options["type"]]
        given = plugin.options.model_validate({"retry": ["5s", "5s"], **options})
        targets["chat"] = replace(targets["chat"], options=given, target=plugin.build("chat", given))
        yield here


async def test_an_alert_stays_open_as_long_as_its_condition_and_not_a_refresh_longer(
    redis: Redis, store_url: str
) -> None:
    """It is told again each minute, by the next worker too, at once after an hour without any, not after its end."""
    alerts, hands = Alerts(), Hands()
    async with served(alerts.answer) as url:
        async with told(store_url, hands, type="alertmanager", url=url) as here:
            await here.tell("failed", "1")
            await here.turn()
            first = alerts.firing(hands.now())
            assert list(first) == ["devrev.job.failed"]
            await here.pass_(seconds=61)
            await here.wait(seconds=30)
        assert alerts.firing(hands.now())["devrev.job.failed"] > first["devrev.job.failed"]
        async with told(store_url, hands, type="alertmanager", url=url) as here:
            await here.pass_(seconds=31)
            assert len(alerts.posts) == 3
            await here.wait(hours=1)
        assert alerts.firing(hands.now()) == {}
        async with told(store_url, hands, type="alertmanager", url=url) as here:
            await here.turn()
            assert alerts.firing(hands.now())["devrev.job.failed"] >= hands.now() + timedelta(minutes=3)
            await here.tell("completed", "1")
            await here.pass_(seconds=61)
            assert "devrev.job.failed" not in alerts.firing(hands.now())
            posts = len(alerts.posts)
            await here.pass_(minutes=10)
            assert len(alerts.posts) == posts
            starts = {
                one["startsAt"] for post in alerts.posts for one in post if "failed" in one["labels"]["alertname"]
            }
            assert len(starts) == 1


async def test_an_alertmanager_that_was_down_is_told_what_is_open_when_it_is_back(redis: Redis, store_url: str) -> None:
    """It holds nothing any more, and all that is open comes with the next message that gets through."""
    alerts, hands = Alerts(), Hands()
    async with served(alerts.answer) as url, told(store_url, hands, type="alertmanager", url=url) as here:
        await here.tell("failed", "1")
        await here.turn()
        alerts.down = True
        for _ in range(5):
            await here.pass_(minutes=5)
        assert alerts.firing(hands.now()) == {}
        alerts.down = False
        await here.pass_(minutes=5)
        assert "devrev.job.failed" in alerts.firing(hands.now())


async def test_a_batch_that_is_refused_is_not_sent_again_each_minute(redis: Redis, store_url: str) -> None:
    """What cannot succeed is given up as anywhere else, so that it fills neither the log nor the operators' channel."""
    posts: list[int] = []

    async def refuse(request: web.Request) -> web.Response:
        posts.append(len(await request.json()))
        return web.Response(status=400)

    hands = Hands()
    async with served(refuse) as url, told(store_url, hands, type="alertmanager", url=url) as here:
        await here.tell("failed", "1")
        for _ in range(6):
            await here.pass_(minutes=30)
        assert posts == [1]
        await here.pass_(minutes=90)
        assert len(posts) == 2


async def test_a_page_is_opened_taken_and_ended_as_its_condition_is(redis: Redis, store_url: str) -> None:
    """What ends while a silence keeps it quiet is ended there, and what comes back is a page under the same key."""
    service, hands = PagerDuty(), Hands()

    async def answer(request: web.Request) -> web.Response:
        taken = service.take(request.path, await request.read())
        return web.Response(status=taken.status, body=taken.body)

    async with served(answer) as url, told(store_url, hands, type="pagerduty", url=url, routing_key=KEY) as here:
        await here.tell("failed", "1")
        await here.turn()
        (key,) = service.incidents
        assert (service.incidents[key], service.pages) == ("triggered", ["Job 1: it changed"])

        await here.services.attention.acknowledge("tax/job/1", by="ann")
        await here.pass_(seconds=1)
        assert service.incidents == {key: "acknowledged"}

        quiet = await silence(here, "key=tax/job/1", hours=5)
        await here.tell("completed", "1")
        await here.pass_(seconds=61)
        assert service.incidents == {}

        await here.services.attention.unsilence(quiet.id)
        await here.tell("failed", "1")
        await here.pass_(seconds=61)
        assert (service.incidents, len(service.pages)) == ({key: "triggered"}, 2)


async def test_a_service_that_breaks_down_in_the_middle_of_a_group_gets_all_of_it_once(
    redis: Redis, store_url: str
) -> None:
    """Whenever it has taken four it fails until a minute is over: the rest follows, and nothing is sent twice."""
    service, hands = PagerDuty(), Hands()
    resting = [hands.now()]

    async def answer(request: web.Request) -> web.Response:
        if hands.now() < resting[0]:
            return web.Response(status=500)
        taken = service.take(request.path, await request.read())
        if service.requests % 4 == 0:
            resting[0] = hands.now() + timedelta(seconds=30)
        return web.Response(status=taken.status, body=taken.body)

    async with served(answer) as url, told(store_url, hands, type="pagerduty", url=url, routing_key=KEY) as here:
        for number in range(10):
            await here.tell("failed", str(number))
        for _ in range(3):
            await here.pass_(seconds=61)
        assert (len(service.incidents), len(service.events)) == (10, 10)
        assert {one.status for one in await here.deliveries()} == {"delivered"}
