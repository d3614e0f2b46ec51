"""/healthz and /readyz."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from redis.asyncio import Redis

from monitor.moments import stamp
from tests.integration.web.serving import Served, served


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
