"""/healthz and /readyz."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from monitor.answers.readiness import LATE_MS, Readiness
from monitor.errors import StoreFull
from monitor.moments import stamp
from monitor.store.connect import connect
from monitor.store.fleet import ALIVE_MS, WorkerFacts
from monitor.store.server import server_facts
from tests import stores
from tests.integration.store.redis_servers import redis_server
from tests.integration.web.serving import Served, served
from workers.heart import Heart


async def ready(at: Served, words: str = "", **headers: str) -> tuple[int, dict[str, Any]]:
    """Status and body of /readyz."""
    async with at.http.get(f"{at.url}/readyz{words}", headers=headers) as answer:
        return answer.status, await answer.json()


async def put_back(at: Served, seconds: float, *fields: str) -> None:
    """Make what happened to the source seem so much longer ago."""
    db, state = at.watch.services.store.db, await at.watch.services.store.sources.state("tax")
    for name in fields:
        if name == "fresh_at":
            value: str | int = stamp(at.watch.hands.now() - timedelta(seconds=seconds))
        else:
            value = int(state[name]) - round(seconds * 1000)
        await db.run("HSET", "jobwire:source:tax", name, value)


async def test_what_is_well_is_ready(redis: Redis, store_url: str) -> None:
    """A source that was just scanned, and a target with nothing to do."""
    async with served(store_url) as at:
        assert (await at.ask("GET", "/healthz")).status == 200
        await at.watch.services.scanner.scan(
            at.watch.services.sources["tax"], await at.watch.services.timetable.current_slot("tax")
        )
        status, body = await ready(at, "?strict=1")

        assert status == 200
        assert body["ready"]
        assert body["late"] == {"sources": [], "targets": [], "steps": []}


async def test_a_stale_source_is_named_and_counts_when_strict(redis: Redis, store_url: str) -> None:
    """The data is old although scans are attempted on time: traffic may go on, whoever is strict hears of it."""
    async with served(store_url) as at:
        slot = await at.watch.services.timetable.current_slot("tax")
        await at.watch.services.scanner.scan(at.watch.services.sources["tax"], slot)
        await put_back(at, 4 * 3600, "fresh_at")
        status, body = await ready(at)

        assert status == 200
        assert [(one["name"], one["state"]) for one in body["stale_sources"]] == [("tax", "stale")]
        assert (await ready(at, "?strict=1"))[0] == 503


async def test_a_scan_that_nobody_begins_is_not_ready(redis: Redis, store_url: str) -> None:
    """There is no worker: the slot passed a minute ago."""
    async with served(store_url, every="1s") as at:
        slot = await at.watch.services.timetable.current_slot("tax")
        await at.watch.services.scanner.scan(at.watch.services.sources["tax"], slot)
        assert (await ready(at))[0] == 200
        await put_back(at, 60, "slot")
        status, body = await ready(at)
        assert (status, body["late"]["sources"]) == (503, ["tax"])
        await redis.set("jobwire:lease:tax", "1:somebody")

        assert (await ready(at))[0] == 200, "it is under way"


async def test_deliveries_that_nobody_tries_are_not_ready(redis: Redis, store_url: str) -> None:
    """Due half a minute ago, and nothing of the target moves; a target that is switched off waits for people."""
    async with served(store_url) as at:
        await at.watch.scan()
        await at.watch.services.consumer.relay.relay()
        db = at.watch.services.store.db
        await db.run("ZINCRBY", "jobwire:due", -60_000, "ops")
        for lane in await db.run("ZRANGE", "jobwire:lanes:ops", 0, -1):
            await db.run("ZINCRBY", "jobwire:lanes:ops", -60_000, lane)
        status, body = await ready(at)
        assert (status, body["late"]["targets"]) == (503, ["ops"])
        await at.watch.services.store.switch.off("ops")
        status, body = await ready(at)

        assert body["late"]["targets"] == []
        assert [one["state"] for one in body["failing_targets"]] == ["disabled"]


async def test_deadlines_that_nobody_rings_are_not_ready(redis: Redis, store_url: str) -> None:
    """A rung that was due before the last half minute and is still armed."""
    async with served(store_url) as at:
        now_ms = await at.watch.services.store.db.now_ms()
        for seconds, said in ((0, []), (60, ["deadlines"])):
            await redis.zadd("jobwire:deadlines", {"a deadline": now_ms - seconds * 1000})
            assert (await ready(at))[1]["late"]["steps"] == said
        assert (await ready(at))[0] == 503


async def test_without_a_token_no_name_is_told(redis: Redis, store_url: str) -> None:
    """Probes get their answer, and strangers no more than that."""
    async with served(store_url, web=", tokens: [t0ken]") as at:
        assert set((await ready(at))[1]) == {"ready", "store"}
        assert "late" in (await ready(at, Authorization="Bearer t0ken"))[1]


async def test_without_its_store_it_lives_but_is_not_ready(redis: Redis, store_url: str) -> None:
    """And says 503 in the same form as any other problem."""
    async with served(store_url) as at:
        db = at.watch.services.store.db
        await db.close()
        db.client.connection_pool.connection_kwargs["path"] = "/nowhere"
        db.client.connection_pool.reset()  # type: ignore[no-untyped-call]  # redis-py is untyped here
        assert (await at.ask("GET", "/healthz")).status == 200
        assert (await ready(at))[0] == 503
        answer = await at.ask("GET", "/api/v1/sources")

        assert (answer.status, answer.content_type) == (503, "application/problem+json")
        assert answer.headers["Retry-After"]


async def test_a_scan_that_hangs_is_not_under_way_for_ever(redis: Redis, store_url: str) -> None:
    """A provider that drips, or a scan that ends each worker that takes it up: somebody is always at it."""
    async with served(store_url, every="1s") as at:
        slot = await at.watch.services.timetable.current_slot("tax")
        await at.watch.services.scanner.scan(at.watch.services.sources["tax"], slot)
        await redis.set("jobwire:lease:tax", "1:somebody")
        await put_back(at, 120, "slot")
        assert (await ready(at))[0] == 200
        await put_back(at, 600, "slot")
        status, body = await ready(at)
        assert (status, body["late"]["sources"]) == (503, ["tax"])


async def test_retries_that_are_near_do_not_hide_that_nobody_delivers(redis: Redis, store_url: str) -> None:
    """Among many lanes one is always due soon, as if somebody were at it; then attempts must have been made."""
    async with served(store_url) as at:
        await at.watch.scan()
        await at.watch.services.consumer.relay.relay()
        running, db = at.watch.services, at.watch.services.store.db
        await db.run("ZINCRBY", "jobwire:due", -60_000, "ops")
        for lane in await db.run("ZRANGE", "jobwire:lanes:ops", 0, -1):
            await db.run("ZINCRBY", "jobwire:lanes:ops", -60_000, lane)
        now_ms = await db.now_ms()
        await db.run("ZADD", "jobwire:lanes:ops", now_ms + 60_000, "a-retry")
        readiness = Readiness(running)
        assert (await readiness.late(now_ms))["targets"] == []
        for passed_ms, late in ((40_000, []), (46_000, ["ops"])):
            await db.run("ZADD", "jobwire:lanes:ops", now_ms + passed_ms + 60_000, "a-retry")
            assert (await readiness.late(now_ms + passed_ms))["targets"] == late
        await db.run("HINCRBY", "jobwire:attempts:ops", "made:retry:none", 1)
        assert (await readiness.late(now_ms + 50_000))["targets"] == [], "somebody tried again"


async def test_nobody_who_works_is_not_ready_though_nothing_is_due(redis: Redis, store_url: str) -> None:
    """Workers say that they live by writing: so it is with a store that is full, or read-only, too."""
    async with served(store_url, every="1h") as at:
        running, db = at.watch.services, at.watch.services.store.db
        now_ms = await db.now_ms()
        await running.scanner.scan(running.sources["tax"], await running.timetable.current_slot("tax"))
        await running.consumer.relay.relay()
        readiness = Readiness(running)
        assert (await readiness.late(now_ms))["steps"] == [], "whoever began just now has time to see one"
        assert "workers" in (await readiness.late(now_ms + LATE_MS + 1))["steps"]

        await running.store.fleet.beat("w1", WorkerFacts("1", config_ok=True, config_at=now_ms, seen_at=now_ms))
        assert "workers" not in (await readiness.late(now_ms + ALIVE_MS - 1))["steps"]
        assert "workers" in (await readiness.late(now_ms + LATE_MS + ALIVE_MS))["steps"]


async def test_a_store_that_takes_no_writes_is_found_out() -> None:
    """Full, it can still be looked at, and a worker that goes on trying does not count as one that works."""
    program = (await stores.programs())[0]
    with stores.short_directory() as directory:
        async with redis_server(program, directory) as url, served(url, every="1h") as at, stores.client(url) as redis:
            running = at.watch.services
            heart = asyncio.create_task(Heart(running, None).beat_until(running.stopping))
            now_ms = await running.store.db.now_ms()
            async with asyncio.timeout(stores.PATIENCE):
                while not await running.store.fleet.alive(now_ms):
                    await asyncio.sleep(0.01)
            await redis.config_set("maxmemory", "1mb")
            await redis.config_set("maxmemory-policy", "noeviction")
            readiness = Readiness(running, begun_ms=now_ms)
            assert "workers" in (await readiness.late(now_ms + LATE_MS + ALIVE_MS))["steps"]
            with pytest.raises(StoreFull, match="it has reached its maxmemory"):
                await running.store.fleet.count_spans(1, 0)
            refused = await at.ask("POST", "/api/v1/sources/tax/poll")
            assert (refused.status, refused.headers["Retry-After"]) == (503, "60")
            assert "the store is full" in (await refused.json())["detail"]
            assert await at.get("/api/v1/sources")
            again = await connect(url)
            assert (await server_facts(again)).memory_limit == 1_048_576
            await again.close()
            running.stopping.set()
            await heart
