"""Charts over HTTP: what was counted by the minute, for programs and on the page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from redis.asyncio import Redis

from monitor.status.series import METRICS, OURSELVES
from monitor.store.lanes import Attempt, Settled
from tests.integration.web.serving import Served, jobs, served


async def lively(at: Served) -> None:
    """Two scans, three changes between them, one of them delivered and one put off."""
    await at.watch.scan("tax")
    at.listing.body = jobs("a", "b", "c", status="CLAIMED")
    await at.watch.scan("tax")
    await at.watch.services.consumer.relay.relay()
    lanes = at.watch.services.store.lanes
    for verdict, status in (("delivered", 204), ("retry", 500)):
        (one,) = await lanes.claim("ops", lease_ms=60_000, limit=1, take=1)
        attempt = Attempt(1, "2026-01-05T09:30:00Z", status, 12, None, "", "127.0.0.1")
        await lanes.settle("ops", [Settled(one, verdict, 60.0, [(one.waiting[0].id, attempt)])])


async def lines(at: Served, query: str = "") -> dict[str, dict[str, list[float | None]]]:
    """Values by chart and line."""
    found = (await at.get(f"/api/v1/series{query}"))["items"]
    return {one["metric"]: {line["name"]: line["values"] for line in one["lines"]} for one in found}


def total(values: list[float | None]) -> float:
    """The sum of what there is."""
    return sum(value for value in values if value is not None)


async def test_series_tell_what_happened(redis: Redis, store_url: str) -> None:
    """Three changes and the baseline of the source, two attempts, one arrival, and how fresh the source is."""
    async with served(store_url) as at:
        await lively(at)
        found = await lines(at, "?since=1h&step=60")
    assert list(found) == list(METRICS)
    assert total(found["events"]["tax"]) == 4
    assert OURSELVES not in found["events"]
    assert {name: total(values) for name, values in found["attempts"].items()} == {
        "delivered": 1,
        "retry": 1,
        "failed": 0,
    }
    assert [len([value for value in values if value is not None]) for values in found["latency"].values()] == [1, 1, 1]
    ages = [value for value in found["freshness"]["tax"] if value is not None]
    assert ages
    assert all(age >= 0 for age in ages)


async def test_a_source_that_is_stale_for_days_is_that_old_on_the_chart(redis: Redis, store_url: str) -> None:
    """Its last complete scan is further back than minutes are kept; no gap hides it."""
    async with served(store_url) as at:
        await at.watch.scan("tax")
        db = at.watch.services.store.db
        for key in await redis.keys("*:minutes:*"):
            await redis.delete(key)
        await db.run("HSET", db.keys.source("tax"), "fresh_at", "2026-01-05T09:30:00Z")
        values = (await lines(at, "?metric=freshness&since=1h"))["freshness"]["tax"]
    assert values
    assert all(value is not None and value > 48 * 3600 for value in values)


@pytest.mark.parametrize(
    "query", ["?since=3d", "?since=x", "?step=61", "?step=0", "?metric=x", "?since=48h&step=60", "?x=1", "?since=0s"]
)
async def test_what_cannot_be_drawn_is_refused(redis: Redis, store_url: str, query: str) -> None:
    """Too far back, too many values, words that are not known: a problem that says what to write."""
    async with served(store_url) as at:
        answer = await at.ask("GET", f"/api/v1/series{query}")
        problem: dict[str, Any] = await answer.json()
    assert answer.status == 400
    assert problem["detail"]


async def test_the_page_says_everything_without_scripts(redis: Redis, store_url: str) -> None:
    """Drawings, words and tables of the same figures; where nothing was counted, what to do."""
    async with served(store_url) as at:
        async with at.http.get(f"{at.url}/charts") as answer:
            empty = await answer.text()
        assert "Nothing was sent in this time." in empty
        assert "is one running?" in empty
        assert "<svg" not in empty
        await lively(at)
        async with at.http.get(f"{at.url}/charts?since=1h") as answer:
            text = await answer.text()
        assert (await at.ask("GET", "/charts?since=2y")).status == 400
    assert len(re.findall(r"<svg ", text)) == len(METRICS)
    assert "1 arrived, 1 put off, 0 given up." in text
    assert "4 events" in text
    assert " style=" not in text
    assert not re.findall(r"<script(?![^>]*src=)", text)


async def test_a_source_that_was_never_read_is_drawn_since_it_was_tried(redis: Redis, store_url: str) -> None:
    """It has no age of what is known, but it is the one that somebody must look at; the words name it."""
    more = '  dev: {provider: worklayer, base_url: "http://127.0.0.1:9", token: provider-token-2, every: 1h}'
    async with served(store_url, more=more) as at:
        await at.watch.scan("tax")
        untried = (await at.get("/api/v1/series?metric=freshness&since=1h"))["items"][0]["lines"]
        assert [(one["name"], one.get("never")) for one in untried] == [("dev", True), ("tax", None)]
        await at.watch.scan("dev")
        db = at.watch.services.store.db
        await db.run("HSET", db.keys.source("dev"), "failing_since", "2026-01-05T09:30:00Z")
        dev, tax = (await at.get("/api/v1/series?metric=freshness&since=1h"))["items"][0]["lines"]
        assert dev["never"] is True
        assert all(value > 48 * 3600 for value in dev["values"])
        assert "never" not in tax
        async with at.http.get(f"{at.url}/charts?since=1h") as answer:
            assert "Never read whole, and counted from the first try: dev." in await answer.text()
