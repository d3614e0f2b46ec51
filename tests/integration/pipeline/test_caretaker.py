"""The net below the relay: ends that no event tells are found in store and config; what is long over is forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from monitor.conditions.condition import Condition, Status
from monitor.grouping.message import Reason
from monitor.moments import stamp
from tests.installation import Hands, installed, listing
from tests.integration.pipeline.room import Room, room

ROUTES = "routes: [{to: [chat], group_by: [key], group_wait: 0s, group_interval: 60s}]"


async def known(here: Room) -> dict[str, Condition]:
    """Every condition in the store by its family."""
    ledgers = await here.services.store.conditions.all()
    return {one.family: one for ledger in ledgers.values() for one in ledger.conditions.values()}


async def look(here: Room) -> None:
    """The caretaker looks; what it doubts it looks at again half a minute later; then groups have their turn."""
    await here.services.consumer.caretaker.look()
    await here.pass_(seconds=31)
    await here.services.consumer.caretaker.look()
    await here.pass_(seconds=61)


async def test_removals_that_are_held_no_more_and_a_target_that_is_enabled_end_without_an_event(
    redis: Redis, store_url: str
) -> None:
    """While the store says that it is so it stays open; then it is told as over at once."""
    async with room(store_url, ROUTES) as here:
        db = here.services.store.db
        await db.run("HSET", db.keys.source("tax"), "held", 7)
        await db.run("HSET", db.keys.target("more"), "disabled", 1)
        await here.news("removals_held")
        await here.news("disabled", "more", "target")
        await here.turn()
        await look(here)
        assert here.reasons() == [Reason.FIRST, Reason.FIRST]
        await db.run("HDEL", db.keys.source("tax"), "held")
        await db.run("HDEL", db.keys.target("more"), "disabled")
        await here.services.consumer.caretaker.look()
        await here.pass_(seconds=61)
        assert here.reasons()[2:] == [Reason.ALL_RESOLVED, Reason.ALL_RESOLVED]
        ended = await known(here)
        assert ended["removals_held"].ended_by == "they are back, released or discarded"
        assert ended["target_disabled"].ended_by == "the target is enabled again"


async def test_what_an_event_may_still_tell_is_believed_of_the_store_after_a_while(
    redis: Redis, store_url: str
) -> None:
    """A job whose event was lost ends on the second look, half a minute later; one look alone ends nothing."""
    jobs = [{"id": "j1", "status": "UNCLAIMED"}]

    def body(_: web.Request) -> dict[str, Any]:
        return {"data": jobs, "next_page_token": ""}

    async with listing(body) as (url, _):
        config = (
            f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t}}}}\n'
            "stuck: [{type: worklayer.job, state: UNCLAIMED, for: 1h}]\nroutes: []\n"
        )
        async with installed(store_url, config, Hands()) as watch:
            services, caretaker = watch.services, watch.services.consumer.caretaker
            await watch.scan()
            watch.hands.pass_(hours=2)
            await services.consumer.ringer.ring()
            await services.consumer.relay.relay()
            await caretaker.look()
            (stuck,) = await services.attention.find("tax/job/j1")
            jobs[0]["status"] = "CLAIMED"
            await watch.scan()
            await services.store.db.run("SET", services.store.db.keys.relay, await services.store.log.end())
            await caretaker.look()
            watch.hands.pass_(seconds=29)
            await caretaker.look()
            assert await services.attention.find("tax/job/j1") == [stuck]
            watch.hands.pass_(seconds=2)
            await caretaker.look()
            assert await services.attention.find("tax/job/j1") == []


async def test_a_date_that_moved_out_to_one_that_was_told_before_ends_what_was_told_of_the_earlier(
    redis: Redis, store_url: str
) -> None:
    """No rung speaks twice for a date, so nothing would tell it; a rung that may still speak has half a minute."""
    hands = Hands()
    later, sooner = (stamp(hands.now() + timedelta(hours=hours)) for hours in (22, 20))
    jobs = [{"id": "j1", "status": "CLAIMED", "deadline_time": later}]

    async with listing(lambda _: {"data": jobs, "next_page_token": ""}) as (url, _):
        config = f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t}}}}\nroutes: []\n'
        async with installed(store_url, config, hands) as watch:
            consumer, attention = watch.services.consumer, watch.services.attention
            for date in (later, sooner, later):
                jobs[0]["deadline_time"] = date
                await watch.scan()
                await consumer.ringer.ring()
                await consumer.relay.relay()
                hands.pass_(minutes=1)
            (told,) = await attention.find("tax/job/j1")
            assert sooner[:16] in bytes(told.body).decode()
            await consumer.caretaker.look()
            hands.pass_(seconds=29)
            await consumer.caretaker.look()
            assert await attention.find("tax/job/j1") == [told]
            hands.pass_(seconds=2)
            await consumer.caretaker.look()
            assert await attention.find("tax/job/j1") == []
            (ledger,) = (await watch.services.store.conditions.all()).values()
            (over,) = ledger.conditions.values()
            assert over.ended_by == "moved to 21 Nov 2025 07:00 UTC"

            hands.pass_(hours=19)
            await consumer.ringer.ring()
            await consumer.relay.relay()
            (again,) = await attention.find("tax/job/j1")
            assert "4h" in bytes(again.body).decode()


async def test_what_the_store_knows_nothing_of_stays_as_it_is(redis: Redis, store_url: str) -> None:
    """Nothing can be said of it, until it is so old that whatever was known is forgotten."""
    async with room(store_url, ROUTES) as here:
        await here.tell("failed")
        await here.turn()
        await look(here)
        assert here.reasons() == [Reason.FIRST]
        here.hands.pass_(days=91)
        await look(here)
        assert (await known(here))["failed"].status(here.hands.now()) is Status.EXPIRED


async def test_what_is_not_in_the_config_any_more_expires(redis: Redis, store_url: str) -> None:
    """A source that is not watched, and what was told of it: nobody will see its end."""
    async with room(store_url, ROUTES) as here:
        await here.news("failing", "elsewhere")
        await here.tell("failed", source="elsewhere")
        await here.turn()
        await look(here)
        found = await known(here)
        assert {one.status(here.hands.now()) for one in found.values()} == {Status.EXPIRED}
        assert here.reasons().count(Reason.ALL_RESOLVED) == 2


async def test_what_is_long_over_is_forgotten_once_everybody_heard_of_it(redis: Redis, store_url: str) -> None:
    """Two hours after its end, unless a target has not been told yet; then nothing of it is left in the store."""
    async with room(store_url, ROUTES) as here:
        db = here.services.store.db
        await here.tell("failed")
        await here.turn()
        await here.tell("queued")
        await here.services.consumer.relay.relay()
        await here.wait(hours=3)
        await here.services.consumer.caretaker.look()
        assert "failed" in await known(here)
        await here.pass_(minutes=2)
        assert here.reasons() == [Reason.FIRST, Reason.ALL_RESOLVED]
        await here.services.consumer.caretaker.look()
        assert await known(here) == {}
        assert await db.run("KEYS", db.keys.of("members", "*")) == []
        assert [await db.run("PTTL", key) > 0 for key in await db.run("KEYS", db.keys.of("group", "*"))] == [True]
