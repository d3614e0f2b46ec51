"""What was sent and never answered is perhaps known there: its end is told, although its beginning never arrived."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web
from redis.asyncio import Redis

from monitor.bootstrap import Door
from monitor.exchange import Response
from monitor.simulator import Reply
from monitor.store.connect import connect
from monitor.targets import TARGETS
from tests.chaos.dying import Died
from tests.installation import Hands
from tests.integration.pipeline.backlogged import Channel, channel
from tests.integration.pipeline.room import Room, room
from tests.integration.pipeline.test_alerting import Alerts
from tests.integration.pipeline.test_backlog import MANY, behind
from tests.integration.pipeline.test_backlog_deaths import Fate
from tests.integration.pipeline.test_half_told import by_token
from tests.integration.pipeline.test_silences import silence
from tests.pagerduty import KEY, PagerDuty
from tests.servers import served

ROUTES = (
    "routes: [{match: {type: '*.job.failed'}, to: [chat], group_by: [source], group_wait: 0s, group_interval: 60s}]"
)
MOVING = (
    "routes: [{match: {type: ['*.*.failing', '*.*.credentials_rejected']}, to: [chat],"
    " group_by: [type], group_wait: %s, group_interval: 60s}]"
)
DROPPED = 0
"""In place of a status: the connection breaks, and no answer comes."""


@dataclass
class Unsure:
    """A PagerDuty that takes each event and answers the first ones as `says`: by a status, or not at all."""

    says: list[int] = field(default_factory=list)
    service: PagerDuty = field(default_factory=PagerDuty)

    async def answer(self, request: web.Request) -> web.Response:
        """Take an event, or refuse it."""
        said = self.says.pop(0) if self.says else None
        body = await request.read()
        if said is not None and 400 <= said < 500:
            return web.Response(status=said)
        taken: Response = self.service.take(request.path, body)
        if said == DROPPED:
            assert request.transport is not None
            request.transport.close()
        return web.Response(status=said or taken.status, body=taken.body)

    @property
    def actions(self) -> list[str]:
        """What it was told of incidents, in order; the event that ended one is a change beside it."""
        return [one["event_action"] for one in self.service.events if "event_action" in one]


def paging(here: Room, url: str) -> None:
    """Let the target `chat` be PagerDuty."""
    be(here, {"type": "pagerduty", "url": url, "routing_key": KEY, "retry": ["5s", "5s"]})


def be(here: Room, given: dict[str, Any]) -> None:
    """Let the target `chat` be another kind of target."""
    targets = here.services.targets
    assert isinstance(targets, dict)
    plugin = TARGETS[given["type"]]
    options = plugin.options.model_validate(given)
    targets["chat"] = replace(targets["chat"], options=options, target=plugin.build("chat", options))


@asynccontextmanager
async def pager(
    store_url: str, *says: int, routes: str = ROUTES, door: Door = connect, hands: Hands | None = None
) -> AsyncIterator[tuple[Room, Unsure]]:
    """A room whose `chat` is a PagerDuty that answers its first requests so."""
    unsure = Unsure(list(says))
    async with served(unsure.answer) as url, room(store_url, routes, hands=hands, door=door) as here:
        paging(here, url)
        yield here, unsure


@pytest.mark.parametrize("said", [DROPPED, 500, 502])
async def test_an_incident_whose_answer_was_lost_is_resolved_when_its_condition_ends(
    redis: Redis, store_url: str, said: int
) -> None:
    """It was opened, nobody told us so, and the condition is over before the next try: the same key is resolved."""
    async with pager(store_url, said) as (here, there):
        await here.tell("failed", "1")
        await here.turn()
        assert len(there.service.incidents) == 1
        await here.tell("completed", "1")
        await here.pass_(seconds=61)
        assert (there.service.incidents, there.actions) == ({}, ["trigger", "resolve"])
        await here.pass_(hours=5)
        assert there.actions == ["trigger", "resolve"]
        assert {one.status for one in await here.deliveries()} == {"delivered"}


@pytest.mark.parametrize("said", [404, 409])
async def test_what_was_refused_was_never_told(redis: Redis, store_url: str, said: int) -> None:
    """An answer that says that nothing was taken leaves nothing to end: the condition came and went in silence."""
    async with pager(store_url, said) as (here, there):
        await here.tell("failed", "1")
        await here.turn()
        await here.tell("completed", "1")
        await here.pass_(minutes=2)
        assert there.actions == []
        assert {one.status for one in await here.deliveries()} == {"suppressed"}


async def test_what_was_given_up_as_refused_was_never_told(redis: Redis, store_url: str) -> None:
    """Refused at length and in short, given up, over: nothing is sent."""
    async with pager(store_url, 400, 400) as (here, there):
        await here.tell("failed", "1")
        await here.turn()
        await here.tell("completed", "1")
        await here.pass_(minutes=2)
        assert (there.actions, there.says) == ([], [])


async def test_what_could_not_even_be_connected_to_was_never_told(redis: Redis, store_url: str) -> None:
    """A receiver that is down while a condition comes and goes hears nothing of it afterwards."""
    async with room(store_url, ROUTES) as here:
        async with served(Unsure().answer) as url:
            paging(here, url)
        await here.tell("failed", "1")
        await here.turn()
        await here.tell("completed", "1")
        await here.pass_(minutes=2)
        opened, ended = await here.deliveries()
        assert (opened.status, len(opened.attempts)) == ("suppressed", 1)
        assert (ended.status, ended.reason) == ("suppressed", "over before it was told")


async def test_doubt_outlives_refusals_that_follow_and_the_end_of_all_tries(redis: Redis, store_url: str) -> None:
    """Taken at the first attempt, refused at the others, given up: the incident stands, and is resolved."""
    async with pager(store_url, DROPPED, 404, 404) as (here, there):
        await here.tell("failed", "1")
        for _ in range(4):
            await here.pass_(seconds=40)
        assert (there.actions, {one.status for one in await here.deliveries()}) == (["trigger"], {"failed"})
        await here.tell("completed", "1")
        await here.pass_(minutes=2)
        assert there.service.incidents == {}


async def test_the_end_of_what_was_perhaps_told_passes_a_silence(redis: Redis, store_url: str) -> None:
    """Silenced before it was tried again, over under the silence: what stands open there is closed."""
    async with pager(store_url, DROPPED) as (here, there):
        await here.tell("failed", "1")
        await here.turn()
        await silence(here, "key=tax/job/1", hours=5)
        await here.pass_(seconds=61)
        assert there.actions == ["trigger"]
        await here.tell("completed", "1")
        await here.pass_(seconds=61)
        assert (there.service.incidents, there.actions) == ({}, ["trigger", "resolve"])


async def test_one_of_several_that_was_taken_before_another_was_refused_is_resolved(
    redis: Redis, store_url: str
) -> None:
    """Two conditions in one message, the second is refused for good: the first is open there, and ends there."""
    async with pager(store_url) as (here, there):
        there.service.refuses = lambda event: "Job 2" in event.get("payload", {}).get("summary", "")
        await here.tell("failed", "1")
        await here.tell("failed", "2")
        await here.turn()
        assert there.actions == ["trigger"]
        await here.tell("completed", "1")
        await here.tell("completed", "2")
        await here.pass_(minutes=2)
        assert there.service.incidents == {}


@pytest.mark.parametrize("done", [False, True])
async def test_a_worker_that_dies_before_it_records_the_attempt_leaves_no_incident_open(
    redis: Redis, store_url: str, done: bool
) -> None:
    """Sent, the worker gone, the condition over before its lease lapses: whoever takes over resolves what may stand."""
    hands, fate = Hands(), Fate("settle", 1, done=done)
    async with pager(store_url, hands=hands) as (well, _):
        await well.tell("failed", "1")
        await well.services.consumer.relay.relay()
        async with pager(store_url, hands=hands, door=fate) as (dying, there):
            paging_url = dying.services.targets["chat"].target
            with suppress(Died):
                await dying.turn()
            assert (fate.dead, there.actions) == (True, ["trigger"])
            targets = well.services.targets
            assert isinstance(targets, dict)
            targets["chat"] = replace(targets["chat"], target=paging_url)
            await well.tell("completed", "1")
            await well.services.consumer.relay.relay()
            await well.pass_(minutes=2)
            await well.pass_(minutes=2)
            assert (there.service.incidents, there.actions) == ({}, ["trigger", "resolve"])


async def test_what_opens_after_a_worker_died_and_ends_before_it_was_told_is_not_told(
    redis: Redis, store_url: str
) -> None:
    """Only what stood there when the dead worker took the group may have been told."""
    hands, fate = Hands(), Fate("settle", 1, done=False)
    async with pager(store_url, hands=hands) as (well, there):
        await well.tell("failed", "1")
        async with pager(store_url, hands=hands, door=fate) as (dying, _):
            with suppress(Died):
                await dying.turn()
        await well.wait(seconds=15)
        for what in ("failed", "completed"):
            await well.tell(what, "2")
            await well.services.consumer.relay.relay()
        await well.pass_(minutes=2)
        assert [one["payload"]["component"] for one in there.service.events if "event_action" in one] == ["tax/job/1"]


async def test_an_alert_whose_answer_was_lost_is_ended(redis: Redis, store_url: str) -> None:
    """It does not stand until it is forgotten."""
    alerts, hands = Alerts(), Hands()

    async def lose_the_first(request: web.Request) -> web.Response:
        answer = await alerts.answer(request)
        return web.Response(status=504) if len(alerts.posts) == 1 else answer

    async with served(lose_the_first) as url, room(store_url, ROUTES, hands=hands) as here:
        be(here, {"type": "alertmanager", "url": url, "retry": ["5s"]})
        await here.tell("failed", "1")
        await here.turn()
        assert list(alerts.firing(hands.now())) == ["devrev.job.failed"]
        await here.tell("completed", "1")
        await here.pass_(seconds=61)
        assert (alerts.firing(hands.now()), len(alerts.posts)) == ({}, 2)


@pytest.mark.parametrize("token", [True, False])
async def test_a_channel_that_may_have_been_told_is_told_how_it_ended(
    redis: Redis, store_url: str, token: bool
) -> None:
    """Who read that it is open reads that it is resolved, after how long and why."""
    async with room(store_url, ROUTES) as here:
        if token:
            by_token(here)
        here.slack.script([Reply(reset=True)])
        await here.tell("failed", "1")
        await here.turn()
        assert len(here.slack.messages) == 1
        await here.tell("completed", "1")
        await here.pass_(seconds=61)
        await here.pass_(minutes=5)
        _, ended = [one for one in here.slack.messages if one.thread_ts is None]
        told = json.dumps(ended.payload)
        assert "Resolved" in told
        assert "Over after" in told


async def test_a_message_without_its_reply_is_edited_when_all_is_over(redis: Redis, store_url: str) -> None:
    """Posted, the reply refused, then over: the message that stands says so, and no other is posted."""
    async with room(store_url, ROUTES) as here:
        by_token(here)
        here.slack.script([Reply(), 404])
        await here.tell("failed", "1")
        await here.tell("created", "2")
        await here.turn()
        assert len(here.slack.messages) == 1
        await here.tell("completed", "1")
        await here.pass_(seconds=61)
        await here.pass_(minutes=5)
        assert [one.thread_ts for one in here.slack.messages].count(None) == 1
        assert "Resolved" in here.slack.messages[0].text


@pytest.mark.parametrize("arrived", [True, False])
async def test_groups_of_a_catch_up_message_that_may_have_arrived_tell_their_ends(
    redis: Redis, store_url: str, arrived: bool
) -> None:
    """It counted them as open, so the next one tells that they are over; after a refusal too, as they were long due."""
    async with channel(store_url) as here:
        await behind(here)
        here.slack.script([Reply(reset=True) if arrived else 404])
        await here.deliver()
        assert len(here.texts()) == arrived
        for number in range(MANY):
            await here.tell("completed", str(number))
        await later(here)
        assert len(here.texts()) == 1 + arrived
        if arrived:
            assert "Resolved: *Job" in json.dumps(here.slack.messages[1].payload)


async def later(here: Channel) -> None:
    """The next try, and the ticks after it."""
    for _ in range(3):
        await here.services.consumer.relay.relay()
        await here.over(minutes=2)
        await here.deliver()


async def test_a_condition_that_moved_to_a_group_that_never_spoke_is_resolved(redis: Redis, store_url: str) -> None:
    """The group that opened the incident ends it, as the one it went to had nothing to say yet."""
    async with pager(store_url, routes=MOVING % "120s") as (here, there):
        await here.news("failing")
        await here.pass_(seconds=121)
        assert len(there.service.incidents) == 1
        await here.news("credentials_rejected")
        await here.pass_(seconds=61)
        assert (there.actions, len(there.service.incidents)) == (["trigger"], 1)
        await here.news("recovered")
        await here.pass_(seconds=61)
        await here.pass_(minutes=5)
        assert (there.service.incidents, there.actions) == ({}, ["trigger", "resolve"])


async def test_a_condition_that_moved_and_was_told_there_too_is_resolved_by_either(
    redis: Redis, store_url: str
) -> None:
    """Nothing is said of the move; in the end no incident is left, however often that is told."""
    async with pager(store_url, routes=MOVING % "0s") as (here, there):
        await here.news("failing")
        await here.turn()
        await here.news("credentials_rejected")
        await here.pass_(minutes=2)
        assert (there.actions, len(there.service.incidents)) == (["trigger", "trigger"], 1)
        await here.news("recovered")
        await here.pass_(minutes=2)
        assert there.service.incidents == {}
        assert set(there.actions[2:]) == {"resolve"}
