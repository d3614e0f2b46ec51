"""Contract dates told by the clock: which rung, once, and anew when the date moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from tests.installation import Hands, Installation, installed, listing

NOON = datetime(2025, 11, 1, 12, 0, tzinfo=UTC)


def driver(end_date: str, state: str = "active") -> dict[str, Any]:
    """A job_driver with one contract that ends on a date."""
    contract = {"id": 9, "end_date": end_date, "start_date": "2025-01-01", "state": state, "job_driver_id": 1}
    return {"id": 1, "kind": "accepted", "job": {"title": "Driver"}, "interviews": [], "last_contract": contract}


@asynccontextmanager
async def watching(
    store_url: str, end_date: str, at: datetime = NOON, *, more: str = "", row: dict[str, Any] | None = None
) -> AsyncIterator[tuple[Installation, dict[str, Any]]]:
    """An installation that watches one contract, its clock set to `at`; `more` is added to its config."""
    rows = [row or driver(end_date)]

    def body(request: web.Request) -> web.Response:
        shown = rows if request.query["by_state"] == "accepted" else []
        return web.json_response({"job_drivers": shown}, headers={"total": str(len(shown))})

    async with listing(body) as (url, _):
        config = (
            f'sources: {{uk: {{provider: driver_jobs, base_url: "{url}", token: t, timezone: Europe/London}}}}\n{more}'
        )
        async with installed(store_url, config, Hands(at)) as watch:
            yield watch, rows[0]["last_contract"]


async def rung(watch: Installation) -> list[tuple[str, dict[str, Any]]]:
    """What the ring tells now: what happened and the deadline member."""
    await watch.services.consumer.ringer.ring()
    events = [event for event in await watch.news() if not event["type"].startswith("jobwire.")]
    return [(event["type"].rsplit(".", 1)[-1], event["data"]["deadline"]) for event in events]


async def test_each_rung_speaks_once_at_local_midnight(redis: Redis, store_url: str) -> None:
    """30, 14, 7, 3 and 1 days before, then overdue: each at midnight in London, none of them twice."""
    async with watching(store_url, "2025-12-20") as (watch, _):
        await watch.scan()
        heard = []
        watch.hands.at = datetime(2025, 11, 19, 23, 59, 59, tzinfo=UTC)
        assert await rung(watch) == []
        for _ in range(24 * 35):
            watch.hands.pass_(hours=1)
            heard += [
                (what, deadline["rung"], watch.hands.at.date().isoformat()) for what, deadline in await rung(watch)
            ]

        assert heard == [
            ("expiring", "30d", "2025-11-20"),
            ("expiring", "14d", "2025-12-06"),
            ("expiring", "7d", "2025-12-13"),
            ("expiring", "3d", "2025-12-17"),
            ("expiring", "1d", "2025-12-19"),
            ("overdue", "overdue", "2025-12-21"),
        ]


async def test_only_the_tightest_missed_rung_speaks_and_says_how_late(redis: Redis, store_url: str) -> None:
    """A25: at first sight inside the ladder one event is told, for the tightest rung, with its lateness."""
    async with watching(store_url, "2025-11-06") as (watch, _):
        await watch.scan()

        assert await rung(watch) == [
            ("expiring", {"date": "2025-11-06", "rung": "7d", "days_left": 5, "late": "2d"}),
        ]
        assert await rung(watch) == []


async def test_a_later_date_arms_anew_and_a_sooner_one_speaks_at_once(redis: Redis, store_url: str) -> None:
    """A moved end date is an event of its own, and its ladder starts again."""
    async with watching(store_url, "2025-11-06") as (watch, contract):
        await watch.scan()
        await rung(watch)

        contract["end_date"] = "2026-03-01"
        await watch.scan()
        assert await watch.told() == ["driver_jobs.contract.updated"]
        assert await rung(watch) == []

        contract["end_date"] = "2025-11-02"
        await watch.scan()
        await watch.news()
        assert [deadline["rung"] for _, deadline in await rung(watch)] == ["1d"]


async def test_an_old_overdue_contract_is_silent_at_first_sight(redis: Redis, store_url: str) -> None:
    """A contract that ended long before the monitor came is stored, not shouted about."""
    async with watching(store_url, "2025-06-01") as (watch, _):
        await watch.scan()

        assert await rung(watch) == []


async def test_an_ended_contract_is_disarmed(redis: Redis, store_url: str) -> None:
    """Once the contract has expired there is nothing to warn of."""
    async with watching(store_url, "2025-12-20") as (watch, contract):
        await watch.scan()
        contract["state"] = "expired"
        await watch.scan()
        watch.hands.at = datetime(2025, 12, 25, tzinfo=UTC)
        await watch.news()

        assert await rung(watch) == []
        assert await redis.zcard("jobwire:deadlines") == 0


async def test_two_rings_at_once_tell_one_fact_once(redis: Redis, store_url: str) -> None:
    """Two workers that ring the same deadline write one event."""
    async with watching(store_url, "2025-11-06") as (watch, _):
        await watch.scan()
        await watch.news()

        await asyncio.gather(*(watch.services.consumer.ringer.ring() for _ in range(4)))

        assert await watch.told() == ["driver_jobs.contract.expiring"]


async def test_a_moved_out_date_tells_no_rung_of_the_old_one(redis: Redis, store_url: str) -> None:
    """A25: its `updated` is the word that it is over; a date that comes back is not told again."""
    async with watching(store_url, "2025-11-06") as (watch, contract):
        await watch.scan()
        await rung(watch)
        for end in ("2026-03-01", "2025-11-06", "2026-03-01"):
            contract["end_date"] = end
            await watch.scan()
            assert await watch.told() == ["driver_jobs.contract.updated"]
            assert await rung(watch) == []


async def test_rungs_wait_for_the_time_of_day_that_the_config_says(redis: Redis, store_url: str) -> None:
    """Nine in London, and Monday instead of Saturday."""
    more = "deadlines: {driver_jobs.contract.expiring: {send_at: 09:00, business_days: true}}\n"
    async with watching(store_url, "2025-12-08", more=more) as (watch, _):
        await watch.scan()
        watch.hands.at = datetime(2025, 11, 10, 8, 59, 59, tzinfo=UTC)
        assert await rung(watch) == []
        watch.hands.at = datetime(2025, 11, 10, 9, 0, tzinfo=UTC)
        ((what, deadline),) = await rung(watch)
        assert (what, deadline["rung"], deadline["days_left"], deadline["late"]) == ("expiring", "30d", 28, "0s")


async def test_a_rejected_renewal_re_opens_the_warning(redis: Redis, store_url: str) -> None:
    """While it is on offer the warning says so; when it is rejected the same rung speaks again."""
    row = driver("2025-11-30")
    async with watching(store_url, "", row=row) as (watch, _):
        await watch.scan()
        offer = {"id": 10, "start_date": "2025-12-01", "end_date": "2026-11-30", "state": "pending"}
        row["pending_contract"] = offer
        await watch.scan()
        await watch.services.consumer.ringer.ring()
        (first,) = [event for event in await watch.news() if event["type"].endswith("expiring")]
        offer["state"] = "rejected"
        await watch.scan()
        await watch.services.consumer.ringer.ring()
        (second,) = [event for event in await watch.news() if event["type"].endswith("expiring")]

        assert [one["data"]["details"]["renewal"] for one in (first, second)] == ["pending", "rejected"]
        assert [one["data"]["related"][0]["id"] for one in (first, second)] == ["10", "10"]
        assert first["id"] != second["id"]
        assert await rung(watch) == []


async def test_a_date_that_cannot_be_read_is_news_and_no_silence(redis: Redis, store_url: str) -> None:
    """At first sight already, once a day; the ladder begins when it can be read again."""
    async with watching(store_url, "31/12/2025") as (watch, contract):
        await watch.scan()
        (drift,) = [one for one in await watch.news() if one["type"] == "jobwire.source.schema_drift"]
        assert drift["data"]["details"] == {
            "what": "unreadable_date",
            "kind": "contract",
            "field": "end_date",
            "value": "31/12/2025",
            "keys": ["uk/contract/9"],
        }
        contract["end_date"] = "30/11/2025"
        await watch.scan()
        assert await watch.told() == ["driver_jobs.contract.updated"]
        watch.hands.pass_(days=1)
        contract["end_date"] = "29/11/2025"
        await watch.scan()
        assert await watch.told() == ["jobwire.source.schema_drift", "driver_jobs.contract.updated"]
        contract["end_date"] = "2025-11-29"
        await watch.scan()
        await watch.news()
        assert [deadline["rung"] for _, deadline in await rung(watch)] == ["30d"]
