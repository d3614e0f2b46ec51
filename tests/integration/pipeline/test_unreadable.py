"""A document in the store that cannot be read any more: its source says so, and nothing else stands still."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from tests.installation import Hands, Installation, installed, listing

AT = datetime(2025, 11, 1, 12, 0, tzinfo=UTC)
ITEMS = "jobwire:items:uk"


def driver(number: int, title: str = "Driver") -> dict[str, Any]:
    """A job_driver with one contract that ends soon."""
    contract = {"id": 10 + number, "end_date": "2025-11-05", "state": "active", "job_driver_id": number}
    return {"id": number, "kind": "accepted", "job": {"title": title}, "interviews": [], "last_contract": contract}


async def damage(redis: Redis, id: str) -> None:
    """Cut off the end of what is stored of an item."""
    value = await redis.execute_command("HGET", ITEMS, id)  # type: ignore[no-untyped-call]  # redis-py is untyped here
    await redis.execute_command("HSET", ITEMS, id, value[:-3])  # type: ignore[no-untyped-call]  # as above


async def rung(watch: Installation) -> list[str]:
    """What the ring tells now: whose contract."""
    await watch.services.consumer.ringer.ring()
    return [event["subject"] for event in await watch.news() if event["type"].endswith("expiring")]


async def test_a_damaged_document_is_told_as_the_reason_of_its_source_until_it_is_gone(
    redis: Redis, store_url: str
) -> None:
    """When its item changes or goes, scans say which one it is; deadlines of the others are told meanwhile."""
    rows = [driver(1), driver(2)]

    def body(request: web.Request) -> web.Response:
        shown = rows if request.query["by_state"] == "accepted" else []
        return web.json_response({"job_drivers": shown}, headers={"total": str(len(shown))})

    async with listing(body) as (url, _):
        config = (
            f'sources: {{uk: {{provider: driver_jobs, base_url: "{url}", token: t, timezone: Europe/London, '
            "confirm_removal: 1, removal_limit: 1}}\n"
        )
        async with installed(store_url, config, Hands(AT)) as watch:
            await watch.scan()
            await damage(redis, "1")
            assert await rung(watch) == ["contract/12"]
            assert (await watch.scan()).reason is None

            rows[:] = [driver(1, "Other"), driver(2)]
            for _ in range(2):
                report = await watch.scan()
                assert report.reason == "unreadable"
                assert "item '1' of source 'uk' cannot be read" in (report.error or "")
            rows[:] = [driver(2)]
            report = await watch.scan()
            assert report.reason == "unreadable"
            assert "HDEL jobwire:items:uk" in (report.error or "")
            await redis.execute_command("HDEL", ITEMS, "1")  # type: ignore[no-untyped-call]  # redis-py is untyped here
            assert (await watch.scan()).reason is None
            rows[:] = [driver(2, "Other")]
            await watch.news()
            assert (await watch.scan()).reason is None
            assert [event["subject"] for event in await watch.news()][:1] == ["job_driver/2"]
