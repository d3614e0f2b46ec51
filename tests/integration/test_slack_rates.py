"""What Slack takes is shared by all who send there, and a pause that it asks for is kept by all of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from monitor.clock import Clock
from monitor.egress import Egress
from monitor.exchange import Budget
from monitor.http import target_session
from monitor.http.paced import PacedSender
from monitor.simulator import Reply, SlackLookalike
from monitor.simulator.slack_text import lines_of
from monitor.store.connect import connect
from monitor.store.spending import Spending
from monitor.targets import TARGETS
from monitor.targets.base import Message, Outcome, Target, Verdict
from monitor.targets.slack_budgets import slack_budgets
from tests.installation import Hands, Installation, installed
from tests.integration.pipeline.room import Room
from tests.unit.targets.events import CLAIMED

SLOW = Budget("some", 0.01, 2)


@asynccontextmanager
async def spending(store_url: str) -> AsyncIterator[Spending]:
    """The budgets in a store."""
    db = await connect(store_url)
    try:
        yield Spending(db)
    finally:
        await db.close()


async def test_a_budget_is_one_for_all_and_fills_by_itself(redis: Redis, store_url: str) -> None:
    """Two at once, then one every hundred seconds; another name is another budget, a pause holds everybody."""
    async with spending(store_url) as one, spending(store_url) as other:
        assert [await one.take(SLOW), await other.take(SLOW)] == [(0.0, False), (0.0, False)]
        for who in (one, other):
            wait, paused = await who.take(SLOW)
            assert 90 < wait <= 100
            assert not paused
        assert await other.take(Budget("else", 0.01, 1)) == (0.0, False)
        await one.pause(Budget("else", 0.01, 1), 500)
        wait, paused = await other.take(Budget("else", 0.01, 1))
        assert paused
        assert 490 < wait <= 500


def slack_target(slack: SlackLookalike, **options: object) -> Target:
    """A Slack target as bootstrap builds it."""
    plugin = TARGETS["slack"]
    given = {"type": "slack", "token": "xoxb-1", "channel": "C1", "api_url": slack.api_url, **options}
    return plugin.build("here", plugin.options.model_validate(given))


async def test_two_targets_on_one_channel_never_exceed_what_it_takes(redis: Redis, store_url: str) -> None:
    """Six at once from two targets and two workers: all arrive, and Slack refuses none; another channel goes beside."""
    async with (
        SlackLookalike(token="xoxb-1", enforce_rate=True) as slack,
        spending(store_url) as here,
        spending(store_url) as there,
        target_session(Egress(["127.0.0.0/8"])) as session,
    ):
        ways = [
            (PacedSender(session, 30.0, Clock(), budgets), slack_target(slack, channel=channel))
            for budgets, channel in ((here, "C1"), (there, "C1"), (here, "C1"), (there, "C1"), (here, "C1"))
        ]
        ways += [(PacedSender(session, 30.0, Clock(), there), slack_target(slack, channel="C2"))]
        now = Clock().now()
        outcomes: list[Outcome] = await asyncio.gather(
            *(sender.run(target.send(Message("evt_1", (CLAIMED,), 1, now))) for sender, target in ways)
        )
        assert {one.verdict for one in outcomes} == {Verdict.DELIVERED}
        assert (len(slack.messages), slack.rejected) == (6, {})


@pytest.mark.parametrize("rate", ["rate: 50", "rate: null"])
async def test_a_channel_at_its_limit_is_left_alone_by_all_targets_and_workers(
    redis: Redis, store_url: str, rate: str
) -> None:
    """`message_limit_exceeded` at one target: another target of that channel, in another worker, does not even ask.

    That is no attempt and nobody's failure, so that one piece of news tells of the pause; then everything arrives, in
    order and as one message a target.
    """
    hands = Hands()
    async with SlackLookalike(token="xoxb-1") as slack:
        target = f'{{type: slack, token: xoxb-1, channel: C1, api_url: "{slack.api_url}", retry: [1s], {rate}}}'
        config = (
            'sources: {tax: {provider: devrev, base_url: "http://127.0.0.1:9", token: t}}\n'
            f"targets: {{chat: {target}, more: {target}}}\negress: {{allow: [127.0.0.0/8]}}\n"
            "routes: [{match: {type: 'devrev.**'}, to: [chat, more], group_wait: 0s}]\n"
        )
        async with installed(store_url, config, hands) as one, installed(store_url, config, hands) as other:
            here, there = watching(one, slack), watching(other, slack)
            slack.script([Reply(status=200, body={"ok": False, "error": "message_limit_exceeded"})], then=500)
            await here.tell("claimed", "1")
            await one.services.consumer.relay.relay()
            await one.services.consumer.deliverer.deliver(one.services.targets["chat"])
            for number in ("2", "3"):
                await here.tell("claimed", number)
                await there.turn()
                await here.turn()
            assert [(await here.deliveries("chat"))[0].attempts[0].status] == [200]
            assert {len(known.attempts) for known in await there.deliveries("more")} == {0}
            assert {known.status for known in await there.deliveries("more")} == {"pending"}
            news = [event for event in await one.news() if event["type"].startswith("jobwire.target")]
            assert [(event["type"], event["subject"]) for event in news] == [("jobwire.target.failing", "target/chat")]
            slack.script([])
            await over(one)
            await there.pass_(minutes=11)
            await here.turn()
            assert {known.status for name in ("chat", "more") for known in await here.deliveries(name)} == {"delivered"}
        for message in slack.messages:
            lines = lines_of(message.payload)
            assert [line.split()[2] for line in lines[1:4]] == ["1", "2", "3"]
            assert "delivered 11 minutes after it was seen" in lines[-1]
        assert len(slack.messages) == 2


async def test_a_message_that_is_put_off_again_and_again_is_not_given_up(redis: Redis, store_url: str) -> None:
    """Pauses use up no `retry`: who has a condition is shown after four of them, by the first attempt."""
    hands = Hands()
    async with SlackLookalike(token="xoxb-1") as slack:
        config = (
            'sources: {tax: {provider: devrev, base_url: "http://127.0.0.1:9", token: t}}\n'
            f'targets: {{chat: {{type: slack, token: xoxb-1, channel: C1, api_url: "{slack.api_url}", retry: [1s]}}}}\n'
            "egress: {allow: [127.0.0.0/8]}\nroutes: [{to: [chat], group_wait: 0s}]\n"
        )
        async with installed(store_url, config, hands) as watch:
            room, db = watching(watch, slack), watch.services.store.db
            await room.tell("failed", "1")
            await room.turn()
            edits = slack_budgets(1.0, f"{slack.api_url} xoxb-1", "C1")[1]
            await watch.services.attention.acknowledge("tax/job/1", by="ann")
            for _ in range(4):
                await Spending(db).pause(edits, 600)
                await room.turn()
                await over(watch)
                await room.wait(minutes=11)
            assert "Acknowledged" not in slack.messages[0].text
            await room.turn()
            assert "Acknowledged" in slack.messages[0].text
            told, shown = await room.deliveries()
            assert [(one.status, len(one.attempts)) for one in (told, shown)] == [("delivered", 1)] * 2


async def over(watch: Installation) -> None:
    """The pauses of the store are over, which goes by a clock that no test turns."""
    db = watch.services.store.db
    for key in await db.run("KEYS", db.keys.budget("*")):
        await db.run("HDEL", key, "paused")
    for name in watch.services.targets:
        await db.run("DEL", db.keys.hold(name))


def watching(watch: Installation, slack: SlackLookalike) -> Room:
    """The room's way of telling events, for an installation of our own."""
    return Room(watch.services, watch.hands, slack, None, {})  # type: ignore[arg-type]  # no webhook is told anything


async def test_after_a_429_a_channel_is_quiet_and_then_told_once_and_in_order(redis: Redis, store_url: str) -> None:
    """A20: after Retry-After 2 no target of the channel sends for so long; then one message with all, which is late."""
    heard: list[float] = []
    async with SlackLookalike(token="xoxb-1", on_message=lambda _: heard.append(time.monotonic())) as slack:
        target = f'{{type: slack, token: xoxb-1, channel: C1, api_url: "{slack.api_url}", retry: [1s, 1s, 1s]}}'
        config = (
            'sources: {tax: {provider: devrev, base_url: "http://127.0.0.1:9", token: t}}\n'
            f"targets: {{chat: {target}, more: {target}}}\negress: {{allow: [127.0.0.0/8]}}\n"
            "routes: [{match: {kind: job}, to: [chat], group_wait: 0s}, {to: [more], group_wait: 0s}]\n"
        )
        async with installed(store_url, config, Hands()) as watch:
            room = watching(watch, slack)
            services = watch.services
            slack.script([Reply(status=429, headers={"Retry-After": "2"})])
            began = time.monotonic()
            await room.tell("claimed", "1")
            await services.consumer.relay.relay()
            await services.consumer.deliverer.deliver(services.targets["chat"])
            await room.tell("claimed", "2")
            await room.tell("claimed", "3")
            await room.tell("told", "4", kind="note")
            watch.hands.pass_(minutes=4)
            consuming = asyncio.create_task(services.consumer.run())
            try:
                await slack.wait_for(lambda seen: len(seen) >= 2, timeout=60)
            finally:
                services.stopping.set()
                await consuming
            assert min(heard) - began >= 2
            (folded,) = [one for one in slack.messages if "events" in one.text]
            other = next(one for one in slack.messages if one is not folded)
    lines = lines_of(folded.payload)
    assert lines[0] == "🔵 3 events from tax"
    assert [line.split()[2] for line in lines[1:4]] == ["1", "2", "3"]
    assert "delivered 4 minutes after it was seen" in lines[-1]
    assert "4" in other.text
    assert slack.rejected == {}
