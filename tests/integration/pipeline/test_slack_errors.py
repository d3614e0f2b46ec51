"""Each class of Slack's errors through the whole pipeline: who is stopped, who is told, what is tried again and when.

https://docs.slack.dev/reference/methods/chat.postMessage#errors
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace as replaced
from redis.asyncio import Redis

from monitor.moments import parse_instant
from monitor.simulator import Receiver, Reply, SlackLookalike
from monitor.status import target_view
from tests.installation import SECRET, Hands, installed
from tests.integration.pipeline.room import Room

QUICK = "retry: [1s, 1s], rate: 1000"


@asynccontextmanager
async def channel(store_url: str) -> AsyncIterator[Room]:
    """One Slack channel by token, and a webhook that hears what becomes of targets."""
    hands = Hands()
    async with (
        SlackLookalike(token="xoxb-1") as slack,
        Receiver([SECRET], clock=lambda: hands.now().timestamp()) as hook,
    ):
        config = (
            'sources: {tax: {provider: devrev, base_url: "http://127.0.0.1:9", token: t}}\n'
            "targets:\n"
            f'  chat: {{type: slack, token: xoxb-1, channel: C1, api_url: "{slack.api_url}", {QUICK}}}\n'
            f'  hook: {{type: webhook, url: "{hook.url}", secret: "{SECRET}"}}\n'
            "egress: {allow: [127.0.0.0/8]}\n"
            "routes: [{match: {type: 'jobwire.target.*'}, to: [hook]}, {to: [chat], group_wait: 0s}]\n"
        )
        async with installed(store_url, config, hands) as watch:
            yield Room(watch.services, watch.hands, slack, hook, {})


def says(word: str) -> Reply:
    """Slack's way to say no: HTTP 200 and a word."""
    return Reply(status=200, body={"ok": False, "error": word})


async def told(here: Room) -> list[dict[str, Any]]:
    """What operators heard of the target, over the other one."""
    await here.turn()
    return [one.json() for one in here.hook.deliveries]


async def paused_no_more(here: Room) -> None:
    """The pauses are over, which go by the store's clock."""
    db = here.services.store.db
    await db.run("DEL", db.keys.hold("chat"))
    for budget in await db.run("KEYS", db.keys.budget("*")):
        await db.run("HDEL", budget, "paused")


async def disabled(here: Room) -> bool:
    """Whether the target is stopped."""
    return "disabled" in await here.services.store.reading.target("chat")


@pytest.mark.parametrize("word", ["internal_error", "a_word_that_nobody_documents"])
async def test_passing_trouble_is_tried_again(redis: Redis, store_url: str, word: str) -> None:
    """Transient: the same message a little later, and nobody is alarmed."""
    async with channel(store_url) as here:
        here.slack.script([says(word)])
        await here.tell("claimed")
        await here.turn()
        assert here.slack.messages == []
        await here.pass_(seconds=2)
        assert len(here.slack.messages) == 1
        assert (await told(here), await disabled(here)) == ([], False)


@pytest.mark.parametrize(("word", "least"), [("message_limit_exceeded", 500), ("team_added_to_org", 200)])
async def test_a_workspace_in_trouble_is_given_minutes(redis: Redis, store_url: str, word: str, least: float) -> None:
    """Rate with HTTP 200, and migration: minutes without a request, whatever `retry` says; then it arrives."""
    async with channel(store_url) as here:
        here.slack.script([says(word)])
        await here.tell("claimed")
        await here.turn()
        await here.pass_(seconds=least)
        assert here.slack.messages == []
        await paused_no_more(here)
        await here.pass_(seconds=600)
        assert len(here.slack.messages) == 1
        assert not await disabled(here)


async def test_a_long_pause_is_told_elsewhere_at_once_and_once(redis: Redis, store_url: str) -> None:
    """The first answer that asks for minutes of quiet is news on the other target: why, until when, how much waits."""
    async with channel(store_url) as here:
        here.slack.script([says("message_limit_exceeded")] * 2)
        await here.tell("claimed")
        heard = [one for one in await told(here) if one["subject"] == "target/chat"]
        await here.tell("claimed", "2")
        await here.turn()
        store = here.services.store
        view = await target_view(store.reading, "chat", "slack", await store.db.now_ms())
        assert (view.state, view.circuit, view.backlog) == ("failing", "open", 2)
        await paused_no_more(here)
        await here.pass_(minutes=11)
        assert here.slack.messages == []
        heard = [one for one in await told(here) if one["subject"] == "target/chat"]
        assert [one["type"] for one in heard] == ["jobwire.target.failing"]
        details = heard[0]["data"]["details"]
        assert "message_limit_exceeded" in details["error"]
        assert (details["failures"], details["waiting"]) == (1, 1)
        since, until = parse_instant(heard[0]["time"]), parse_instant(details["until"])
        assert since is not None
        assert until == since + timedelta(minutes=10)
        await paused_no_more(here)
        await here.pass_(minutes=11)
        assert len(here.slack.messages) == 1
        kinds = [one["type"] for one in await told(here) if one["subject"] == "target/chat"]
        assert kinds == ["jobwire.target.failing", "jobwire.target.recovered"]
        assert {one.type for one in await here.deliveries()} == {"devrev.job.claimed"}


async def test_what_arrives_during_a_pause_does_not_end_it(redis: Redis, store_url: str) -> None:
    """A message in flight that arrives after another's answer asked for a long pause: `recovered` waits for it."""
    async with channel(store_url) as here:
        lanes, target = here.services.store.lanes, here.services.targets["chat"]
        attempts = here.services.consumer.deliverer.attempts
        await here.tell("claimed")
        await here.services.consumer.relay.relay()
        (lane,) = await lanes.claim("chat", lease_ms=60_000, limit=1, take=1, grouped=True)
        here.slack.script([says("message_limit_exceeded")])
        paused = await attempts.make(target, lane)
        await lanes.settle("chat", [paused.settled], hold=paused.hold)
        arrived = replace(paused.settled, verdict="delivered", attempts=(), events=(), network=False)
        late = [(lane.waiting[0].id, replaced(paused.settled.attempts[0][1], n=2, status=200))]
        standing = await lanes.settle("chat", [replace(arrived, attempts=late)])
        assert not standing.announced
        assert "announced" in await here.services.store.reading.target("chat")


@pytest.mark.parametrize("word", ["invalid_auth", "is_archived"])
async def test_a18_what_is_wrong_for_good_stops_the_target_and_is_told_elsewhere(
    redis: Redis, store_url: str, word: str
) -> None:
    """A18: credential and destination: one request and no other, and operators hear over another target."""
    async with channel(store_url) as here:
        if word == "invalid_auth":
            here.slack.token = "xoxb-another"
        else:
            here.slack.archived.add("C1")
        await here.tell("claimed", "1")
        await here.turn()
        await here.tell("claimed", "2")
        await here.pass_(hours=1)
        assert (here.slack.rejected, here.slack.messages) == ({word: 1}, [])
        assert await disabled(here)
        news = await told(here)
        assert "jobwire.target.disabled" in [one["type"] for one in news]
        (details,) = [one["data"]["details"] for one in news if one["type"] == "jobwire.target.disabled"]
        assert word in details["error"]
        here.slack.token, here.slack.archived = "xoxb-1", set()
        await here.services.store.switch.on("chat")
        await here.pass_(seconds=1)
        assert len(here.slack.messages) == 1


@pytest.mark.parametrize("word", ["is_archived", "channel_not_found"])
async def test_a_channel_that_is_gone_is_told_in_the_other_channel_and_never_in_itself(
    redis: Redis, store_url: str, word: str
) -> None:
    """One route to both, as people write it: who watches the other channel learns which target stopped, why and how."""
    async with SlackLookalike(token="xoxb-1") as slack:
        target = f'{{type: slack, token: xoxb-1, api_url: "{slack.api_url}", {QUICK}, channel: '
        config = (
            'sources: {tax: {provider: devrev, base_url: "http://127.0.0.1:9", token: t}}\n'
            f"targets: {{chat: {target} C1}}, ops: {target} C2}}}}\n"
            "egress: {allow: [127.0.0.0/8]}\nroutes: [{to: [chat, ops], group_by: [type], group_wait: 0s}]\n"
        )
        async with installed(store_url, config, Hands()) as watch:
            here = Room(watch.services, watch.hands, slack, None, {})  # type: ignore[arg-type]  # no webhook is told
            if word == "is_archived":
                slack.archived.add("C1")
            else:
                slack.channels = {"C2"}
            await here.tell("claimed", "1")
            await here.turn()
            await here.pass_(minutes=1)
            assert {one.channel for one in slack.messages} == {"C2"}
            (told,) = [one for one in slack.messages if "target chat" in one.text]
            assert word in str(told.blocks)
            assert "jobwire target enable chat" in str(told.blocks)
            assert {one.type for one in await here.deliveries("chat")} == {"devrev.job.claimed"}
            await here.tell("claimed", "2")
            await here.turn()
            slack.archived, slack.channels = set(), None
            await watch.services.store.switch.on("chat")
            await here.pass_(minutes=2)
            (shown,) = [one for one in slack.messages if one.channel == "C1"]
            assert "Job 2" in shown.text


async def test_refused_blocks_are_sent_once_more_as_text(redis: Redis, store_url: str) -> None:
    """Payload: in the same attempt, without blocks, and the record says why."""
    async with channel(store_url) as here:
        here.slack.workspace.max_total = 10
        await here.tell("claimed")
        await here.turn()
        (message,) = here.slack.messages
        assert "blocks" not in message.payload
        assert here.slack.rejected == {"msg_blocks_too_long": 1}
        (delivery,) = await here.deliveries()
        assert (delivery.status, len(delivery.attempts)) == ("delivered", 1)
        assert "msg_blocks_too_long" in delivery.attempts[0].response


async def test_what_slack_does_not_take_even_as_text_is_given_up_and_told(redis: Redis, store_url: str) -> None:
    """Payload, twice: that message is lost and said to be, and the next arrives."""
    async with channel(store_url) as here:
        here.slack.script([says("invalid_blocks"), says("no_text")])
        await here.tell("claimed", "1")
        await here.turn()
        assert "jobwire.target.exhausted" in [one["type"] for one in await told(here)]
        await here.tell("claimed", "2")
        await here.pass_(seconds=2)
        assert (len(here.slack.messages), await disabled(here)) == (1, False)


async def test_a_message_that_cannot_be_edited_is_posted_anew(redis: Redis, store_url: str) -> None:
    """Edit: in the same attempt, and from then on the new message is the one that is edited."""
    async with channel(store_url) as here:
        await here.tell("failed", "1")
        await here.turn()
        here.slack.script([says("message_not_found")])
        await here.tell("failed", "2")
        await here.pass_(seconds=2)
        parents = [one for one in here.slack.messages if one.thread_ts is None]
        assert len(parents) == 2
        await here.tell("failed", "3")
        await here.pass_(seconds=2)
        parents = [one for one in here.slack.messages if one.thread_ts is None]
        assert len(parents) == 2
        assert "3 conditions open" in parents[1].text
        assert {one.status for one in await here.deliveries()} == {"delivered"}
