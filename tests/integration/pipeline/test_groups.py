"""What a group says, and when: opened together, later, repeated, ended, through silences and restarts."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from monitor.grouping.message import News, Reason
from tests.integration.pipeline.room import room


async def test_what_opens_within_group_wait_is_one_message_and_later_news_waits_for_the_tick(
    redis: Redis, store_url: str
) -> None:
    """A2: two events of a group inside group_wait give one message naming both; a third comes at the next interval."""
    async with room(store_url) as here:
        await here.tell("failed", "1")
        await here.pass_(seconds=4)
        await here.tell("failed", "2")
        await here.pass_(seconds=5)
        assert here.of() == []
        await here.pass_(seconds=1.5)
        assert here.reasons() == [Reason.FIRST]
        assert {one.condition.key for one in here.last().members} == {"tax/job/1", "tax/job/2"}
        await here.tell("failed", "3")
        await here.pass_(seconds=50)
        assert len(here.of()) == 1
        await here.pass_(seconds=10)
        assert here.reasons() == [Reason.FIRST, Reason.CHANGED]
        assert [one.news for one in here.last().members] == [News.SAME, News.SAME, News.NEW]
        assert len(here.slack.messages) == 2


async def test_what_is_over_within_group_wait_is_never_told(redis: Redis, store_url: str) -> None:
    """A3: neither that it began nor that it ended; both deliveries say why."""
    async with room(store_url) as here:
        began = await here.news("failing")
        await here.pass_(seconds=5)
        ended = await here.news("recovered")
        await here.pass_(seconds=6)
        await here.pass_(hours=2)
        assert here.of() == []
        for event in (began, ended):
            assert await here.reason_of("chat", event) == ("suppressed", "over before it was told")


async def test_what_stays_so_is_told_again_on_a_tick_never_earlier(redis: Redis, store_url: str) -> None:
    """A4: after repeat_interval, at the next tick, and again after that."""
    async with room(store_url) as here:
        await here.tell("failed")
        await here.pass_(seconds=11)
        await here.pass_(minutes=59)
        assert len(here.of()) == 1
        await here.pass_(minutes=1)
        assert here.reasons() == [Reason.FIRST, Reason.REPEAT]
        await here.pass_(minutes=59)
        assert len(here.of()) == 2
        await here.pass_(minutes=1)
        assert here.reasons()[2:] == [Reason.REPEAT]


async def test_a_target_without_send_resolved_hears_no_end_and_yet_each_beginning(redis: Redis, store_url: str) -> None:
    """A5: with send_resolved off it gets no resolve, and what begins again is announced as new."""
    async with room(store_url, chat="send_resolved: false") as here:
        for _ in range(2):
            await here.news("failing")
            await here.pass_(seconds=70)
            await here.news("recovered")
            await here.pass_(minutes=2)
        assert here.reasons() == [Reason.FIRST, Reason.FIRST]


async def test_one_failing_target_of_a_route_costs_the_other_nothing(redis: Redis, store_url: str) -> None:
    """A6: the healthy one gets exactly one message, the other gets it after it has recovered."""
    async with room(store_url, "routes: [{to: [chat, more], group_wait: 0s, group_interval: 60s}]") as here:
        here.slack.script([500])
        await here.tell("failed")
        await here.turn()
        assert (len(here.of("chat")), len(here.of("more"))) == (0, 1)
        await here.pass_(seconds=2)
        await here.pass_(minutes=10)
        assert (here.reasons("chat"), here.reasons("more")) == ([Reason.FIRST], [Reason.FIRST])


async def test_what_could_not_be_sent_stays_unsent_and_is_tried_again(redis: Redis, store_url: str) -> None:
    """A16 and A19: so with the first message, and with the last; what was given up is told once it can be."""
    async with room(store_url) as here:
        here.slack.script([500, 500])
        await here.news("failing")
        await here.pass_(seconds=11)
        await here.pass_(seconds=2)
        assert here.of() == []
        await here.pass_(hours=4, seconds=1)
        await here.pass_(seconds=2)
        assert here.reasons() == [Reason.FIRST]
        here.slack.script([500])
        await here.news("recovered")
        await here.pass_(seconds=61)
        assert len(here.of()) == 1
        await here.pass_(seconds=2)
        assert here.reasons() == [Reason.FIRST, Reason.ALL_RESOLVED]


async def test_a_restart_tells_nothing_again_and_forgets_nothing(redis: Redis, store_url: str) -> None:
    """A8: inside repeat_interval nothing is sent again; what was open before is still resolved after."""
    async with room(store_url) as here:
        await here.news("failing")
        await here.pass_(seconds=11)
        assert len(here.of()) == 1
        hands = here.hands
    async with room(store_url, hands=hands) as there:
        there.written = here.written
        await there.pass_(minutes=30)
        assert there.of() == []
        await there.news("recovered")
        await there.pass_(minutes=1, seconds=1)
        assert there.reasons() == [Reason.ALL_RESOLVED]


async def test_reminders_are_each_targets_own_and_end_with_an_acknowledgement_or_the_trouble(
    redis: Redis, store_url: str
) -> None:
    """A17: one target's reminder does not put off another's; acknowledged or over, nothing is repeated."""
    routes = (
        "routes: [{to: [chat], continue: true, group_wait: 0s, group_interval: 60s, repeat_interval: 10m},"
        " {to: [more], group_wait: 0s, group_interval: 60s, repeat_interval: 30m}]"
    )
    async with room(store_url, routes) as here:
        event = await here.tell("failed")
        await here.turn()
        for _ in range(6):
            await here.pass_(minutes=10)
        assert here.reasons("chat") == [Reason.FIRST, *[Reason.REPEAT] * 6]
        assert here.reasons("more") == [Reason.FIRST, *[Reason.REPEAT] * 2]
        (condition,) = await here.services.attention.acknowledge("tax/job/1", by="ann", comment="on it")
        assert (condition.acknowledgement is not None, condition.event) == (True, event)
        for _ in range(4):
            await here.pass_(minutes=10)
        assert (len(here.of("chat")), len(here.of("more"))) == (7, 3)
        await here.tell("failed")
        await here.pass_(minutes=1, seconds=1)
        assert here.reasons("chat")[7:] == [Reason.WORSE]
        await here.pass_(minutes=11)
        assert here.reasons("chat")[8:] == [Reason.REPEAT]
        await here.tell("queued")
        await here.pass_(hours=1)
        await here.pass_(hours=1)
        assert here.last("chat").open == ()
        assert [one for one in here.reasons("chat")[9:] if one is Reason.REPEAT] == []


async def test_what_nobody_sees_to_is_escalated_and_what_somebody_has_is_not(redis: Redis, store_url: str) -> None:
    """After the time in the route, to the further targets; the channel hears the end, the webhook by its own routes."""
    routes = "routes: [{to: [chat], group_by: [key], group_wait: 0s, escalate: {after: 15m, to: [more, hook]}}]"
    async with room(store_url, routes) as here:
        left = await here.tell("failed", "1")
        await here.tell("failed", "2")
        await here.turn()
        await here.services.attention.acknowledge("tax/job/2", by="ann")
        await here.pass_(minutes=14)
        assert (here.of("more"), here.of("hook")) == ([], [])
        await here.pass_(minutes=2)
        assert here.reasons("more") == [Reason.ESCALATION]
        assert (here.about("more"), [one.id for one in here.of("hook")]) == (["tax/job/1"], [left])
        await here.tell("queued", "1")
        await here.pass_(minutes=1)
        assert here.reasons("more") == [Reason.ESCALATION, Reason.ALL_RESOLVED]
        assert len(here.of("hook")) == 1


async def test_what_comes_and_goes_is_held_and_summed_up_when_it_is_calm(redis: Redis, store_url: str) -> None:
    """From the fifth time in two hours on one message says so, and one more what is so once it has been calm."""
    async with room(store_url, "routes: [{to: [chat], group_wait: 0s, group_interval: 1s}]") as here:
        for _ in range(8):
            await here.news("failing")
            await here.pass_(seconds=30)
            await here.news("recovered")
            await here.pass_(seconds=30)
        told = here.reasons()
        assert told == [*[Reason.FIRST, Reason.ALL_RESOLVED] * 4, Reason.FIRST]
        assert (here.last().members[0].times, here.last().members[0].held) == (5, True)
        await here.pass_(minutes=16)
        assert here.reasons()[9:] == [Reason.ALL_RESOLVED]
        assert here.last().members[0].times == 8


async def test_two_workers_that_see_the_same_tell_it_once(redis: Redis, store_url: str) -> None:
    """However often relay and delivery run beside each other."""
    async with room(store_url, "routes: [{to: [chat], group_wait: 0s, group_interval: 60s}]") as here:
        consumer, chat = here.services.consumer, here.services.targets["chat"]
        for number in range(5):
            await here.tell("failed", str(number))
        await asyncio.gather(*(consumer.relay.relay() for _ in range(5)))
        await asyncio.gather(*(consumer.deliverer.deliver(chat) for _ in range(5)))
        assert here.reasons() == [Reason.FIRST]
        assert len(here.last().members) == 5


async def test_what_a_target_asked_to_remember_comes_back_with_the_next_message(redis: Redis, store_url: str) -> None:
    """It is kept by the same step that records the attempt, and survives a restart."""
    async with room(store_url) as here:
        here.heard["chat"].remember = {"ts": "17.2"}
        await here.news("failing")
        await here.pass_(seconds=11)
        assert here.last().memory == {}
        hands = here.hands
    async with room(store_url, hands=hands) as there:
        there.written = here.written
        await there.news("recovered")
        await there.pass_(minutes=1, seconds=1)
        assert there.last().memory == {"ts": "17.2"}


async def test_a_target_slower_than_its_timeout_has_failed_and_is_tried_again(redis: Redis, store_url: str) -> None:
    """A7 and A19: what is not answered in time counts as failed; the next try tells it."""
    async with room(store_url, chat="timeout: 200ms") as here:
        here.slack.script([{"delay": 30.0, "status": 500}])
        event = await here.tell("failed")
        await here.pass_(seconds=11)
        assert here.of() == []
        (delivery,) = await here.deliveries()
        assert (delivery.event, delivery.status) == (event, "pending")
        assert [one.status for one in delivery.attempts] == [None]
        await here.pass_(seconds=2)
        assert here.reasons() == [Reason.FIRST]


async def test_a_hundred_first_events_of_a_group_are_one_message(redis: Redis, store_url: str) -> None:
    """A23: however many come at once and whoever relays them."""
    async with room(store_url) as here:
        for number in range(100):
            await here.tell("failed", str(number))
        await asyncio.gather(*(here.services.consumer.relay.relay() for _ in range(4)))
        await here.pass_(seconds=11)
        assert here.reasons() == [Reason.FIRST]
        assert len(here.last().members) == 100
        assert len(here.slack.messages) == 1


async def test_members_that_fall_due_close_together_ping_once(redis: Redis, store_url: str) -> None:
    """Five that fail five seconds apart: who watches is pinged for the first, and once more for the other four."""
    routes = (
        "routes: [{to: [chat], group_by: [source, type], group_wait: 0s, group_interval: 1s,"
        " escalate: {after: 40s, to: [chat]}}]"
    )
    async with room(store_url, routes) as here:
        for number in range(5):
            await here.tell("failed", str(number))
            await here.pass_(seconds=5)
        for _ in range(40):
            await here.pass_(seconds=5)
        pings = [one.group for one in here.of() if one.group and one.group.reason is Reason.ESCALATION]
        assert [sum(one.escalated for one in group.members) for group in pings] == [1, 4]
