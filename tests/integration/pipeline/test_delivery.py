"""From a change at a provider to a verified webhook: lanes, retries, order, and what survives a crash."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from redis.asyncio import Redis
from standardwebhooks.webhooks import Webhook

from tests.installation import SECRET, Hands, Installation, installed, listing
from tests.servers import served
from tests.stores import until

RETRY = "retry: [500ms, 500ms]"


class Inbox:
    """A receiver that keeps what it gets and answers as it is told, 204 unless it is."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: Iterator[web.Response] = iter(())
        self.hanging, self.let_go = asyncio.Event(), asyncio.Event()
        self.hangs = False

    async def answer(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        if self.hangs and not self.hanging.is_set():
            self.hanging.set()
            await self.let_go.wait()
        return next(self.answers, web.Response(status=204))

    def will_answer(self, *answers: web.Response) -> None:
        self.answers = iter(answers)

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


@asynccontextmanager
async def wired(
    store_url: str, options: str = RETRY
) -> AsyncIterator[tuple[Installation, list[dict[str, Any]], Inbox]]:
    """A Worklayer list of three jobs, an installation that has seen them, and an inbox behind its one target."""
    jobs = [{"id": f"j{n}", "status": "UNCLAIMED", "total_amount": n} for n in range(3)]
    inbox = Inbox()

    def body(_: web.Request) -> dict[str, Any]:
        return {"data": jobs, "next_page_token": ""}

    async with listing(body) as (url, _), served(inbox.answer) as hook:
        config = (
            f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t}}}}\n'
            f'targets: {{hook: {{type: webhook, url: "{hook}/in", secret: "{SECRET}", {options}}}}}\n'
            "egress: {allow: [127.0.0.0/8]}\n"
            'routes: [{match: {type: "worklayer.**"}, to: [hook]}]\n'
        )
        async with installed(store_url, config, Hands()) as watch:
            await watch.scan()
            yield watch, jobs, inbox


def _holds_more_than(inbox: Inbox, n: int) -> Callable[[], bool]:
    return lambda: len(inbox.got) > n


async def deliver(watch: Installation) -> None:
    """Relay what is committed and deliver what is due, once."""
    await watch.services.consumer.relay.relay()
    await watch.services.consumer.deliverer.deliver(watch.services.targets["hook"])


async def test_a_change_arrives_signed_and_verifies_with_an_independent_library(redis: Redis, store_url: str) -> None:
    """W6: the id is the event's, the signature verifies over the raw body, the content type says CloudEvents."""
    async with wired(store_url) as (watch, jobs, inbox):
        jobs[0]["status"] = "CLAIMED"
        watch.hands.at = datetime.now(UTC)
        await watch.scan()
        await deliver(watch)

        ((headers, body),) = inbox.got
        event = Webhook(SECRET).verify(body, {key.lower(): value for key, value in headers.items()})
        assert event["id"] == headers["webhook-id"]
        assert headers["Content-Type"].startswith("application/cloudevents+json")
        assert (event["type"], event["data"]["state"]) == (
            "worklayer.job.claimed",
            {"before": "UNCLAIMED", "after": "CLAIMED"},
        )


async def test_a_failed_attempt_is_repeated_with_the_same_bytes_and_id(redis: Redis, store_url: str) -> None:
    """W3, W24: after a 500 the same bytes come again under the same id, and both attempts are recorded in order."""
    async with wired(store_url) as (watch, jobs, inbox):
        inbox.will_answer(web.Response(status=500, text="no"))
        jobs[0]["status"] = "CLAIMED"
        await watch.scan()
        await deliver(watch)
        assert len(inbox.got) == 1
        await redis.zadd("jobwire:lanes:hook", {"tax/job/j0": 0})
        await deliver(watch)

        assert len(inbox.got) == 2
        assert len(set(inbox.ids)) == 1
        assert inbox.got[0][1] == inbox.got[1][1]
        (id,) = await redis.zrange("jobwire:deliveries:hook", 0, -1)
        delivery = await watch.services.store.db.run("HGETALL", f"jobwire:delivery:{id.decode()}")
        assert (delivery[b"status"], delivery[b"n"]) == (b"delivered", b"2")


async def test_a_failing_resource_holds_up_no_other_and_keeps_its_own_order(redis: Redis, store_url: str) -> None:
    """W5: one job's events wait behind its failing first, in order; other jobs' events pass."""
    async with wired(store_url) as (watch, jobs, inbox):
        inbox.will_answer(web.Response(status=500))
        jobs[0]["status"] = "CLAIMED"
        await watch.scan()
        await deliver(watch)
        jobs[0]["status"] = "CLOSED"
        jobs[1]["status"] = "CLAIMED"
        await watch.scan()
        await deliver(watch)
        assert [headers["webhook-id"] for headers, _ in inbox.got][1:] != inbox.ids[:1]
        await redis.zadd("jobwire:lanes:hook", {"tax/job/j0": 0})
        await deliver(watch)

        seen = [(event["subject"], event["type"]) for event in (json.loads(body) for _, body in inbox.got)]
        assert seen == [
            ("job/j0", "worklayer.job.claimed"),
            ("job/j1", "worklayer.job.claimed"),
            ("job/j0", "worklayer.job.claimed"),
            ("job/j0", "worklayer.job.closed"),
        ]


async def test_a_schedule_of_two_delays_gives_three_attempts_and_then_exhausted(redis: Redis, store_url: str) -> None:
    """W4: n delays are n + 1 attempts, then silence and one `exhausted` event, which does not go to that target."""
    async with wired(store_url) as (watch, jobs, inbox):
        inbox.will_answer(*(web.Response(status=503) for _ in range(10)))
        jobs[0]["status"] = "CLAIMED"
        await watch.scan()
        await watch.news()
        for _ in range(6):
            await redis.delete("jobwire:hold:hook")
            await deliver(watch)
            if await redis.exists("jobwire:lanes:hook"):
                await redis.zadd("jobwire:lanes:hook", {"tax/job/j0": 0})

        assert len(inbox.got) == 3
        assert sorted(await watch.told()) == ["jobwire.target.exhausted", "jobwire.target.failing"]


async def test_retry_after_holds_the_whole_target(redis: Redis, store_url: str) -> None:
    """W22: 429 with Retry-After keeps every lane of the target quiet, and the lane itself at least as long."""
    async with wired(store_url) as (watch, jobs, inbox):
        inbox.will_answer(web.Response(status=429, headers={"Retry-After": "120"}))
        jobs[0]["status"] = "CLAIMED"
        await watch.scan()
        await deliver(watch)
        jobs[1]["status"] = "CLAIMED"
        await watch.scan()
        await deliver(watch)

        assert len(inbox.got) == 1
        assert 60_000 < await redis.pttl("jobwire:hold:hook") <= 120_000


async def test_gone_disables_the_target_and_keeps_its_backlog(redis: Redis, store_url: str) -> None:
    """W17: 410 ends deliveries to a target; later events wait in their lanes, and the news is told."""
    async with wired(store_url) as (watch, jobs, inbox):
        inbox.will_answer(web.Response(status=410))
        jobs[0]["status"] = "CLAIMED"
        await watch.scan()
        await watch.news()
        await deliver(watch)
        jobs[1]["status"] = "CLAIMED"
        await watch.scan()
        await deliver(watch)

        assert len(inbox.got) == 1
        assert "jobwire.target.disabled" in await watch.told()
        assert await watch.services.store.db.run("LLEN", "jobwire:lane:hook:tax/job/j1") == 1


async def test_a_receiver_may_take_the_last_one_and_sign_off(redis: Redis, store_url: str) -> None:
    """A 2xx with `webhook-delivery: disable` is delivered, and nothing is sent after it."""
    async with wired(store_url) as (watch, jobs, inbox):
        inbox.will_answer(web.Response(status=200, headers={"webhook-delivery": "disable"}))
        jobs[0]["status"] = "CLAIMED"
        await watch.scan()
        await deliver(watch)
        jobs[1]["status"] = "CLAIMED"
        await watch.scan()
        await deliver(watch)

        assert len(inbox.got) == 1
        assert "jobwire.target.disabled" in await watch.told()


async def test_a_hanging_resource_does_not_hold_up_new_ones(redis: Redis, store_url: str) -> None:
    """While one attempt hangs, lanes that come due are delivered beside it."""
    async with wired(store_url) as (watch, jobs, inbox):
        inbox.hangs = True
        running = asyncio.create_task(watch.services.consumer.run())
        jobs[0]["status"] = "CLAIMED"
        await watch.scan()
        await asyncio.wait_for(inbox.hanging.wait(), 60)
        jobs[1]["status"] = "CLAIMED"
        await watch.scan()
        await until(lambda: len(inbox.got) >= 2, within=12)  # before the hanging one runs into its timeout
        inbox.let_go.set()
        watch.services.stopping.set()
        await running


async def test_an_event_is_delivered_within_milliseconds_of_its_commit(redis: Redis, store_url: str) -> None:
    """The resident consumer wakes on the commit: no poll stands between a change and its receipt.

    The work is timed on the same machine, by hand: with a look every half second, one in ten spans would pass.
    """
    async with wired(store_url) as (watch, jobs, inbox):
        loop, by_hand = asyncio.get_running_loop(), []
        for n in range(9):
            jobs[n % 3]["total_amount"] = 2000 + n
            await watch.scan()
            begun = loop.time()
            await deliver(watch)
            by_hand.append(loop.time() - begun)
        before = len(inbox.got)
        running = asyncio.create_task(watch.services.consumer.run())
        spans = []
        for n in range(9):
            jobs[n % 3]["total_amount"] = 1000 + n
            await watch.scan()
            begun = loop.time()
            await until(_holds_more_than(inbox, before + n))
            spans.append(loop.time() - begun)
        watch.services.stopping.set()
        await running

        assert sorted(spans)[2] < 0.06 + 2 * sorted(by_hand)[4]


async def test_stopping_hands_back_what_is_in_flight(redis: Redis, store_url: str) -> None:
    """W25: a cancelled attempt's lane is due again at once, and nothing is recorded that is not known."""
    async with wired(store_url) as (watch, jobs, inbox):
        inbox.hangs = True
        jobs[0]["status"] = "CLAIMED"
        await watch.scan()
        await watch.services.consumer.relay.relay()
        task = asyncio.create_task(watch.services.consumer.deliverer.deliver(watch.services.targets["hook"]))
        await asyncio.wait_for(inbox.hanging.wait(), 60)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert (
            float(await redis.zscore("jobwire:lanes:hook", "tax/job/j0") or 0) <= await watch.services.store.db.now_ms()
        )
        (id,) = await redis.zrange("jobwire:deliveries:hook", 0, -1)
        assert await watch.services.store.db.run("HGET", f"jobwire:delivery:{id.decode()}", "n") == b"0"
        inbox.let_go.set()
