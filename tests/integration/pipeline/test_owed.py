"""A message that no event waits for stands on a delivery of its own: one for all its tries, which always ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec
from redis.asyncio import Redis

from monitor.grouping.book import Book
from monitor.store.reading import StoredDelivery
from monitor.store.replay import Again
from monitor.targets import TARGETS
from tests.installation import Hands
from tests.integration.pipeline.room import Room, room

ROUTES = "routes: [{to: [chat], group_by: [source], group_wait: 0s, group_interval: 60s}]"


@asynccontextmanager
async def channel(store_url: str, hands: Hands | None = None) -> AsyncIterator[Room]:
    """A room whose `chat` is a bot in a channel, which tries again after five seconds and after ten."""
    async with room(store_url, ROUTES, hands=hands) as here:
        targets = here.services.targets
        assert isinstance(targets, dict)
        plugin = TARGETS["slack"]
        given = {"type": "slack", "token": "xoxb-1", "channel": "C1", "api_url": here.slack.api_url}
        options = plugin.options.model_validate({**given, "retry": ["5s", "10s"], "rate": 1000})
        targets["chat"] = replace(targets["chat"], options=options, target=plugin.build("chat", options))
        yield here


async def refused_once(here: Room, times: int = 1) -> StoredDelivery:
    """A job has failed and that was told; that somebody has it was refused so far. Its delivery."""
    await here.tell("failed", "1")
    await here.turn()
    here.slack.script([500] * times)
    await here.services.attention.acknowledge("tax/job/1", by="ann")
    await here.turn()
    first, owed = await here.deliveries()
    assert (first.status, owed.status, len(owed.attempts)) == ("delivered", "pending", 1)
    return owed


async def waiting(here: Room) -> int:
    """How many deliveries count as not sent yet."""
    return (await here.services.store.reading.backlog("chat")).size


async def named(here: Room, id: str) -> StoredDelivery:
    """A delivery by its id."""
    found = await here.services.store.reading.delivery(id)
    assert found is not None
    return found


async def test_what_is_tried_again_is_one_delivery(redis: Redis, store_url: str) -> None:
    """It arrives under the id that its first try had, with both tries on record."""
    async with channel(store_url) as here:
        owed = await refused_once(here)
        await here.pass_(seconds=10)
        known = await here.deliveries()
        assert [one.id for one in known][1:] == [owed.id]
        assert (known[1].status, [one.status for one in known[1].attempts]) == ("delivered", [500, 200])
        assert await waiting(here) == 0


async def test_what_goes_with_a_new_event_waits_no_more(redis: Redis, store_url: str) -> None:
    """The next message stands on the event; the delivery before it says so, and keeps its attempt."""
    async with channel(store_url) as here:
        owed = await refused_once(here)
        event = await here.tell("failed", "2")
        await here.pass_(seconds=10)
        ended = await named(here, owed.id)
        assert (ended.status, ended.reason, len(ended.attempts)) == ("suppressed", "told with a later message", 1)
        assert (ended.next_ms, ended.ended_ms is not None) == (None, True)
        assert await here.reason_of("chat", event) == ("delivered", "changed")
        assert await waiting(here) == 0


async def test_what_need_not_be_said_any_more_waits_no_more(redis: Redis, store_url: str) -> None:
    """Taken back before the next try: nothing is sent, and nothing waits."""
    async with channel(store_url) as here:
        owed = await refused_once(here)
        await here.services.attention.reopen("tax/job/1")
        await here.pass_(seconds=10)
        ended = await named(here, owed.id)
        assert (ended.status, ended.reason, len(ended.attempts)) == ("suppressed", "nothing left to say", 1)
        assert await waiting(here) == 0
        assert len(here.slack.messages) == 1

        await here.services.attention.acknowledge("tax/job/1", by="bob")
        await here.pass_(seconds=1)
        later = (await here.deliveries())[-1]
        assert (later.id == owed.id, later.status, [one.n for one in later.attempts]) == (False, "delivered", [1])


async def test_another_reason_to_speak_takes_over_what_is_owed(redis: Redis, store_url: str) -> None:
    """What is said now may be about another condition than what was refused; it is the same delivery."""
    async with channel(store_url) as here:
        await here.tell("failed", "0")
        owed_by_first = await refused_once_more(here)
        await here.services.attention.acknowledge("tax/job/0", by="bob")
        await here.services.attention.reopen("tax/job/1")
        await here.pass_(seconds=10)
        assert (await named(here, owed_by_first.id)).status == "delivered"
        assert await waiting(here) == 0


async def refused_once_more(here: Room) -> StoredDelivery:
    """As `refused_once`, in a group that has another condition."""
    await here.tell("failed", "1")
    await here.turn()
    here.slack.script([500])
    await here.services.attention.acknowledge("tax/job/1", by="ann")
    await here.turn()
    (owed,) = [one for one in await here.deliveries() if one.status == "pending"]
    return owed


async def test_what_is_given_up_has_failed_and_is_not_owed_any_more(redis: Redis, store_url: str) -> None:
    """After its last try it waits no more; what is told four hours later is a delivery of its own."""
    async with channel(store_url) as here:
        owed = await refused_once(here, times=3)
        await here.pass_(seconds=10)
        await here.pass_(seconds=20)
        given_up = await named(here, owed.id)
        assert (given_up.status, len(given_up.attempts)) == ("failed", 3)
        assert await waiting(here) == 0
        await here.pass_(hours=4, seconds=1)
        later = (await here.deliveries())[-1]
        assert (later.id == owed.id, later.status) == (False, "delivered")


async def test_a_worker_that_dies_before_or_after_the_record_leaves_nothing_waiting(
    redis: Redis, store_url: str
) -> None:
    """Before it, the try is as if it had not been; after it, the next worker goes on with the same delivery."""
    async with channel(store_url) as here:
        await here.tell("failed", "1")
        await here.turn()
        await here.services.attention.acknowledge("tax/job/1", by="ann")
        deliverer, chat = here.services.consumer.deliverer, here.services.targets["chat"]
        (lane,) = await deliverer.lanes.claim("chat", lease_ms=10_000, limit=1, take=100, grouped=True)
        here.slack.script([500])
        assert (await deliverer.turns.take(chat, lane)).settled.verdict == "retry"
        await here.wait(seconds=11)
        assert (len(await here.deliveries()), await waiting(here)) == (1, 0)

        here.slack.script([500])
        await here.turn()
        owed = (await here.deliveries())[-1]
        assert owed.status == "pending"
        hands = here.hands
        await here.wait(seconds=10)
    async with channel(store_url, hands) as there:
        await there.turn()
        known = await there.deliveries()
        assert [(one.id, one.status) for one in known][1:] == [(owed.id, "delivered")]
        assert await waiting(there) == 0


def test_a_book_of_an_earlier_version_is_read() -> None:
    """It owed its message no delivery by name."""
    book = msgspec.json.decode(b'{"told": {}, "number": 2, "tries": 1, "tried_at": "2026-01-05T09:00:00Z"}', type=Book)
    assert (book.owed, book.tries) == ("", 1)


async def test_what_is_asked_for_again_while_it_is_owed_is_told_under_its_own_id(redis: Redis, store_url: str) -> None:
    """Whoever replays it puts it among the events that wait, and the try that follows is its own."""
    async with channel(store_url) as here:
        owed = await refused_once(here)
        await here.services.store.replays.replay("chat", [Again(owed.id)])
        await here.pass_(seconds=10)
        await here.pass_(seconds=61)
        again = await named(here, owed.id)
        assert (again.status, [one.status for one in again.attempts], again.replays) == ("delivered", [500, 200], 1)
        assert await waiting(here) == 0
