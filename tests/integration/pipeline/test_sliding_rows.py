"""Rows that slide between pages while a list is walked, and walks that break off: nothing is lost or removed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from tests.installation import Hands, Installation, installed
from tests.servers import served


class Lists:
    """A driver-jobs list of two rows a page, in which rows slide when a page is asked for."""

    def __init__(self, count: int) -> None:
        self.rows = [{"id": n, "kind": "accepted", "interviews": []} for n in range(count)]
        self.slides = 0
        self.breaks = 0
        self.walks = 0
        self.total = True

    async def answer(self, request: web.Request) -> web.Response:
        shown = self.rows if request.query["by_state"] == "accepted" else []
        page = int(request.query["page"])
        self.walks += bool(shown) and page == 1
        if page > 1 and shown and self.breaks > 0:
            self.breaks -= 1
            return web.json_response({"error": "down"}, status=400)
        part = shown[(page - 1) * 2 : page * 2]
        if page == 1 and shown and self.slides > 0:
            self.slides -= 1
            self.rows = [*self.rows[2:], *self.rows[:2]]
        return web.json_response({"job_drivers": part}, headers={"total": str(len(shown))} if self.total else {})


@asynccontextmanager
async def walked(store_url: str, count: int = 6) -> AsyncIterator[tuple[Installation, Lists]]:
    """An installation that has seen the list once."""
    lists = Lists(count)
    async with served(lists.answer) as url:
        source = f'provider: driver_jobs, base_url: "{url}", token: t, per_page: 2, concurrency: 1'
        async with installed(store_url, f"sources: {{uk: {{{source}}}}}\n", Hands()) as watch:
            await watch.scan()
            await watch.news()
            yield watch, lists


async def test_rows_that_slide_once_are_walked_again(redis: Redis, store_url: str) -> None:
    """P6: a row that slid to a page that was read already is not missed: the counts do not fit, so all is read anew."""
    async with walked(store_url) as (watch, lists):
        lists.slides, before = 1, lists.walks
        report = await watch.scan()

        assert (report.reason, lists.walks - before) == (None, 2)
        assert await watch.told() == []


async def test_rows_that_keep_sliding_remove_nothing(redis: Redis, store_url: str) -> None:
    """P6: when the counts never fit the scan is incomplete, whatever was not seen stays, and what changed is told."""
    async with walked(store_url) as (watch, lists):
        lists.slides = 1000
        lists.rows[0]["kind"] = "verified"
        reports = [await watch.scan() for _ in range(3)]
        told = await watch.told()

        assert [report.reason for report in reports] == ["incomplete"] * 3
        assert [name for name in told if name.startswith("driver_jobs")] == ["driver_jobs.job_driver.verified"]
        lists.slides = 0
        await watch.scan()
        assert "driver_jobs.job_driver.removed" not in await watch.told()


async def test_a_walk_that_broke_off_begins_at_the_first_page_again(redis: Redis, store_url: str) -> None:
    """P5: no walk is resumed: the next scan reads every page, and removals are counted from whole walks only."""
    async with walked(store_url) as (watch, lists):
        gone = lists.rows.pop()
        lists.breaks = 1
        broken = await watch.scan()
        first = await watch.scan()
        told_first = await watch.told()
        second = await watch.scan()

        assert (broken.reason, first.reason, second.reason) == ("rejected", None, None)
        assert told_first == []
        assert [(event["type"], event["subject"]) for event in await watch.news()] == [
            ("driver_jobs.job_driver.removed", f"job_driver/{gone['id']}")
        ]


async def test_a_watermark_stays_where_it_was_when_a_narrow_walk_breaks(redis: Redis, store_url: str) -> None:
    """P26: the next narrow walk asks from the last complete one on, not from what a broken one saw."""
    asked: list[str | None] = []
    rows: list[dict[str, Any]] = [{"id": "a", "status": "OPEN", "modified_at": "2025-11-20T08:00:00Z"}]
    broken = False

    async def answer(request: web.Request) -> web.Response:
        if not request.path.endswith("/jobs"):
            return web.json_response({"detail": "Not Found"}, status=404)
        if request.query.get("cursor"):
            if broken:
                return web.json_response({"detail": "no"}, status=400)
            return web.json_response({"cursor": None, "page_size": 0, "items": []})
        asked.append(request.query.get("modified_after"))
        since = request.query.get("modified_after", "")[:19]
        shown = [row for row in rows if row["modified_at"][:19] > since]
        return web.json_response({"cursor": "more", "page_size": len(shown), "items": shown})

    async with served(answer) as url:
        source = f'provider: bindbee, base_url: "{url}", token: t, connector_token: c, full_every: 6h'
        async with installed(store_url, f"sources: {{ats: {{{source}}}}}\n", Hands()) as watch:
            await watch.scan()
            await watch.scan()
            rows[0].update(status="CLOSED", modified_at="2025-11-20T09:30:00Z")
            broken = True
            await watch.scan()
            broken = False
            asked.clear()
            await watch.scan()
            await watch.scan()

            assert asked[0] is not None
            assert asked[0].startswith("2025-11-20T07:5")
            assert asked[-1] is not None
            assert asked[-1].startswith("2025-11-20T09:2")
            assert [name for name in await watch.told() if name.startswith("bindbee")] == ["bindbee.job.closed"]


async def test_rows_of_the_same_instant_at_the_watermark_are_all_seen_once(redis: Redis, store_url: str) -> None:
    """P25: rows written at the very instant of the watermark, before or after a scan, are neither lost nor repeated."""
    rows = [{"id": f"a{n}", "status": "OPEN", "modified_at": "2025-11-20T08:00:00Z"} for n in range(3)]

    async def answer(request: web.Request) -> web.Response:
        if not request.path.endswith("/jobs"):
            return web.json_response({"detail": "Not Found"}, status=404)
        since = request.query.get("modified_after", "")[:19]
        shown = [row for row in rows if row["modified_at"][:19] > since]
        return web.json_response({"cursor": None, "page_size": len(shown), "items": shown})

    async with served(answer) as url:
        source = f'provider: bindbee, base_url: "{url}", token: t, connector_token: c, full_every: 6h'
        async with installed(store_url, f"sources: {{ats: {{{source}}}}}\n", Hands()) as watch:
            await watch.scan()
            await watch.news()
            rows.append({"id": "late", "status": "OPEN", "modified_at": "2025-11-20T08:00:00Z"})
            await watch.scan()
            await watch.scan()

            assert [event["subject"] for event in await watch.news()] == ["job/late"]


async def test_an_answer_without_its_total_removes_nothing(redis: Redis, store_url: str) -> None:
    """P2: an empty or shorter list that has lost the total which proved it so far is no proof of anything."""
    async with walked(store_url) as (watch, lists):
        rows, lists.total = lists.rows, False
        for left in (4, 0):
            lists.rows = rows[:left]
            assert [(await watch.scan()).reason for _ in range(3)] == ["incomplete"] * 3
        lists.rows, lists.total = rows, True
        await watch.scan()
        assert [name for name in await watch.told() if name.startswith("driver_jobs")] == []
