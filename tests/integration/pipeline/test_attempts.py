"""What becomes of single attempts, over real HTTP: the receiver's contract, the record, and the schedule."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from redis.asyncio import Redis

from monitor.exchange import Exchange
from monitor.simulator import Receiver, Reply
from monitor.status import delivery_view
from monitor.store.lanes import delivery_id
from monitor.targets.base import Message, Outcome
from tests.installation import SECRET
from tests.integration.pipeline.delivering import told, working
from tests.stores import PATIENCE

THREE = "[{match: {type: 'worklayer.**'}, to: [hook, second, third]}]"


async def test_w1_a_redirect_is_a_failed_attempt_and_is_not_followed(redis: Redis, store_url: str) -> None:
    """W1: recorded with status 308 and the host it points to, tried again later; the Location is never requested."""
    async with Receiver([SECRET]) as elsewhere, working(store_url, {"hook": "retry: [1h]"}) as work:
        work.receivers["hook"].script([Reply(redirect=elsewhere.url)])
        await work.change("a")
        await work.deliver()
        (delivery,) = await work.deliveries()
        (attempt,) = delivery.attempts
        assert (delivery.status, attempt.status) == ("pending", 308)
        assert "127.0.0.1" in (attempt.error or "")
        await work.due()
        await work.deliver()
        assert [one.status for one in await work.deliveries()] == ["delivered"]
        assert elsewhere.deliveries == []


async def test_w2_a_500_is_in_the_list_with_status_and_body(redis: Redis, store_url: str) -> None:
    """W2: with number, time, duration and the address that answered, as commands and API show it."""
    async with working(store_url, {"hook": "retry: [1h]"}) as work:
        work.receivers["hook"].script([Reply(status=500, body="no such queue")])
        await work.change("a")
        await work.deliver()
        (delivery,) = await work.deliveries()
        (attempt,) = delivery_view(delivery).attempts
        assert (attempt.n, attempt.status, attempt.response, attempt.address) == (1, 500, "no such queue", "127.0.0.1")
        assert "500" in (attempt.error or "")
        assert attempt.ms >= 0
        assert datetime.fromisoformat(attempt.at) <= datetime.now(UTC)


@pytest.mark.parametrize(("schedule", "attempts"), [("[1h, 1h, 1h]", 4), ("[1h]", 2), ("[]", 1)])
async def test_w4_n_delays_are_n_and_one_attempts(redis: Redis, store_url: str, schedule: str, attempts: int) -> None:
    """W4: then silence; an empty schedule is one attempt."""
    async with working(store_url, {"hook": f"retry: {schedule}"}) as work:
        work.receivers["hook"].script([], then=500)
        await work.change("a")
        for _ in range(attempts + 3):
            await work.deliver()
            await work.due()
        assert len(work.receivers["hook"].deliveries) == attempts
        (delivery,) = await work.deliveries()
        assert (delivery.status, [one.n for one in delivery.attempts]) == ("failed", [*range(1, attempts + 1)])
        assert not await redis.exists("jobwire:lanes:hook")


async def test_w5_of_three_targets_only_the_failing_one_is_retried(redis: Redis, store_url: str) -> None:
    """W5: the others get exactly one call; two that fail each keep their own schedule."""
    targets = {"hook": "retry: [1h]", "second": "retry: [2h]", "third": "retry: [1h]"}
    async with working(store_url, targets, routes=THREE) as work:
        work.receivers["hook"].script([500])
        work.receivers["second"].script([503, 500])
        await work.change("a")
        for name in targets:
            await work.deliver(name)
        due = {name: (await work.deliveries(name))[0].next_ms for name in targets}
        assert due["third"] is None
        assert due["hook"] is not None
        assert due["second"] is not None
        assert due["second"] - due["hook"] > 10 * 60_000
        await work.due()
        for name in targets:
            await work.deliver(name)
        assert {name: len(one.deliveries) for name, one in work.receivers.items()} == {
            "hook": 2,
            "second": 1,
            "third": 1,
        }


async def test_w15_a_retry_is_never_early_and_an_idle_worker_is_on_time(redis: Redis, store_url: str) -> None:
    """W15: nothing else happens meanwhile, and the second attempt begins when it was due, not before."""
    async with working(store_url, {"hook": "retry: [700ms]"}) as work:
        receiver = work.receivers["hook"]
        receiver.script([500])
        await work.change("a")
        running = asyncio.create_task(work.services.consumer.run())
        await receiver.wait_for(lambda seen: len(seen) == 1)
        async with asyncio.timeout(PATIENCE):
            while (due := (await work.deliveries())[0].next_ms) is None:
                await asyncio.sleep(0.005)
        await receiver.wait_for(lambda seen: len(seen) == 2)
        work.services.stopping.set()
        await running
        first, second = (one.received_at.timestamp() * 1000 for one in receiver.deliveries)
        assert second >= due >= first + 0.8 * 700
        assert second - due < PATIENCE * 1000


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [("7", 7.0, 9.0), ("2.5", 2.5, 4.0), ("soon", 0.8, 1.3), ("-5", 0.8, 1.3), ("", 0.8, 1.3)],
)
async def test_w22_retry_after_is_never_undercut(
    redis: Redis, store_url: str, asked: str, least: float, most: float
) -> None:
    """W22: as integer, fraction or date, on any failure, jitter included; garbage leaves the schedule as it is."""
    async with working(store_url, {"hook": "retry: [1s]"}) as work:
        work.receivers["hook"].script([Reply(status=500, headers={"Retry-After": asked})])
        await work.change("a")
        before = await work.services.store.db.now_ms()
        await work.deliver()
        (delivery,) = await work.deliveries()
        assert delivery.next_ms is not None
        assert before + least * 1000 <= delivery.next_ms
        assert delivery.next_ms <= await work.services.store.db.now_ms() + most * 1000


async def test_w22_a_date_in_retry_after_is_waited_for(redis: Redis, store_url: str) -> None:
    """W22: not a moment less, and not much more."""
    async with working(store_url, {"hook": "retry: [1s]"}) as work:
        asked = (datetime.now(UTC) + timedelta(seconds=60)).replace(microsecond=0)
        header = format_datetime(asked, usegmt=True)
        work.receivers["hook"].script([Reply(status=500, headers={"Retry-After": header})])
        await work.change("a")
        await work.deliver()
        (delivery,) = await work.deliveries()
        assert delivery.next_ms is not None
        assert asked.timestamp() <= delivery.next_ms / 1000 <= asked.timestamp() + 20


ANSWERS = {
    "not text": Reply(status=500, body=b"\xff\xfe\x00 no"),
    "huge": Reply(status=500, huge_mb=5.0),
    "packed": Reply(status=500, huge_mb=2.0, gzip=True),
    "control": Reply(status=500, body="a\x00b\x1b[31m"),
    "drips": Reply(status=500, body="x" * 400, drip=0.05),
}


@pytest.mark.parametrize("kind", ANSWERS)
async def test_w24_bytes_are_the_same_and_any_answer_is_recorded(redis: Redis, store_url: str, kind: str) -> None:
    """W24: on the first call, on the retry and in the log; of the answer a bounded part is kept, whatever it holds."""
    timeout = "3s" if kind == "drips" else "30s"
    async with working(store_url, {"hook": f"retry: [1h], timeout: {timeout}"}) as work:
        receiver = work.receivers["hook"]
        receiver.script([ANSWERS[kind]])
        await work.change("a")
        await work.deliver()
        await work.due()
        await work.deliver()
        first, second = receiver.deliveries
        stored = await work.services.store.log.get(first.id)
        assert stored is not None
        assert first.body == second.body == stored.body
        (delivery,) = await work.deliveries()
        assert (delivery.status, [one.status for one in delivery.attempts]) == ("delivered", [500, 204])
        assert 0 < len(delivery.attempts[0].response.encode()) <= 3 * 4096
        assert "\x1b" not in delivery.attempts[0].response


async def test_w25_stopping_waits_for_the_call_in_flight(redis: Redis, store_url: str) -> None:
    """W25: it is answered, recorded and over before the worker is."""
    async with working(store_url, {"hook": "retry: [1h]"}) as work:
        receiver = work.receivers["hook"]
        receiver.script([Reply(delay=0.4)])
        running = asyncio.create_task(work.services.consumer.run())
        await work.change("a")
        await receiver.wait_for(lambda seen: len(seen) == 1)
        work.services.stopping.set()
        await running
        (delivery,) = await work.deliveries()
        assert (delivery.status, len(delivery.attempts)) == ("delivered", 1)


async def test_w25_waiting_for_a_rate_spends_no_attempt(redis: Redis, store_url: str) -> None:
    """W25: five deliveries at two a second take their time, and each is tried once."""
    async with working(store_url, {"hook": "retry: [1h], rate: 2"}, jobs=tuple("abcde")) as work:
        await work.change(*"abcde")
        await work.deliver()
        receiver = work.receivers["hook"]
        assert sorted(told(receiver)) == [(name, "updated") for name in "abcde"]
        assert {len(one.attempts) for one in await work.deliveries()} == {1}
        begun, *_, ended = (one.received_at for one in receiver.deliveries)
        assert (ended - begun).total_seconds() >= 1.4


async def test_w25_a_target_that_is_no_more_ends_quietly(redis: Redis, store_url: str) -> None:
    """W25: what waited for it disturbs nobody, and comes when the target is back in the config."""
    both = "[{match: {type: 'worklayer.**'}, to: [hook, second]}]"
    async with working(store_url, {"hook": "", "second": ""}, routes=both) as work:
        await work.change("a")
        await work.services.consumer.relay.relay()
    async with working(store_url, {"second": ""}, routes="[{match: {type: 'worklayer.**'}, to: [second]}]") as work:
        running = asyncio.create_task(work.services.consumer.run())
        await work.receivers["second"].wait_for(lambda seen: len(seen) == 1)
        work.services.stopping.set()
        await running
        (waiting,) = await work.deliveries("hook")
        assert waiting.id == delivery_id("hook", work.receivers["second"].deliveries[0].id)
    async with working(store_url, {"hook": "", "second": ""}, routes=both) as work:
        await work.deliver()
        assert json.loads(work.receivers["hook"].deliveries[0].body)["data"]["resource"]["id"] == "a"


async def test_what_is_kept_of_attempts_is_bounded(redis: Redis, store_url: str) -> None:
    """Sixty answers of 4 KB each: the latest are kept, the count goes on."""
    schedule = ", ".join(["1h"] * 60)
    async with working(store_url, {"hook": f"retry: [{schedule}]"}) as work:
        work.receivers["hook"].script([], then=Reply(status=500, body="x" * 10_000))
        await work.change("a")
        for _ in range(60):
            await work.deliver()
            await work.due()
        (delivery,) = await work.deliveries()
        kept = [one.n for one in delivery.attempts]
        assert kept == [*range(kept[0], 61)]
        assert 10 <= len(kept) < 25
        stored = await work.services.store.db.run("HSTRLEN", f"jobwire:delivery:{delivery.id}", "attempts")
        assert stored < 80_000


async def test_w13_an_attempt_that_takes_all_its_time_is_made_once(redis: Redis, store_url: str) -> None:
    """W13: its lease is longer than its timeout, so no other worker begins it; a dead worker's is taken over."""
    async with working(store_url, {"hook": "retry: [1h], timeout: 1s"}) as work:
        receiver = work.receivers["hook"]
        receiver.script([Reply(delay=20.0)])
        await work.change("a")
        await work.services.consumer.relay.relay()
        slow = asyncio.create_task(work.deliver())
        await receiver.wait_for(lambda seen: len(seen) == 1)
        while not slow.done():
            assert await work.deliver() == 0
            await asyncio.sleep(0.05)
        assert len(receiver.deliveries) == 1
        (delivery,) = await work.deliveries()
        (attempt,) = delivery.attempts
        assert (attempt.error or "").startswith("timeout: ")
        assert attempt.address == "127.0.0.1"
        await work.due()
        await work.services.store.lanes.claim("hook", lease_ms=-1, limit=1, take=1)
        assert await work.deliver() == 1


async def test_w14_what_fails_in_here_is_set_aside_with_its_content(redis: Redis, store_url: str) -> None:
    """W14: it is told as exhausted, holds nobody up, and its event is still there to be sent again."""
    async with working(store_url, {"hook": "retry: [1h]"}) as work:
        hook = work.services.targets["hook"]
        broken = replace(hook, target=Broken())
        await work.change("a")
        await work.services.consumer.relay.relay()
        for _ in range(3):
            await work.services.consumer.deliverer.deliver(broken)
            await work.due()
        (delivery,) = await work.deliveries()
        assert (delivery.status, len(delivery.attempts)) == ("failed", 2)
        assert "jobwire.target.exhausted" in await work.watch.told()
        assert await work.services.store.log.get(delivery.event) is not None
        await work.change("a")
        assert await work.deliver() == 1


class Broken:
    """A target whose messages cannot be made."""

    grouped = False

    def send(self, _: Message) -> Exchange[Outcome]:
        raise ZeroDivisionError

    def address(self) -> str:
        return "nowhere"
