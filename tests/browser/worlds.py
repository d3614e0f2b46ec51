"""A small installation with life in it, opened in a browser that notes every complaint."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from playwright.async_api import Browser, Page

from monitor.clock import utc_now
from monitor.moments import stamp
from monitor.store.queued import Attempt, Settled
from tests.integration.web.serving import Served, jobs, served
from tests.stores import PATIENCE

DESKTOP, PHONE = (1280, 900), (390, 844)
TITLE = "Amélie <b>& Søn</b> | 2025 | " + "\u202ea_long_name_without_any_space_" * 8


@dataclass(slots=True)
class World:
    """A served installation, and where its pages are."""

    served: Served
    event: str
    delivery: str = "/deliveries"
    complaints: list[str] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """Every page there is."""
        lists = ["/", "/events", "/resources", "/deliveries", "/charts", "/login"]
        return [
            *lists,
            f"/events/{self.event}",
            "/resources/tax/job/b",
            "/sources/tax",
            "/events?type=none.*",
            self.delivery,
        ]

    async def happens(self, status: str) -> str:
        """Job `b` takes another state, which a scan sees; the id of the event."""
        await self.served.watch.news()
        await _scan(self.served, status)
        (event,) = [one for one in await self.served.watch.news() if one["subject"] == "job/b"]
        return str(event["id"])


@asynccontextmanager
async def world(store_url: str, web: str = "") -> AsyncIterator[World]:
    """Jobs came and one was claimed, which falls due soon; a delivery failed."""
    async with served(store_url, web=web) as at:
        await at.watch.scan("tax")
        made = World(at, "")
        made.event = await made.happens("CLAIMED")
        await at.watch.services.consumer.ringer.ring()
        await at.watch.services.consumer.relay.relay()
        lanes = at.watch.services.store.lanes
        first, *_ = await lanes.claim("ops", lease_ms=60_000, limit=1, take=1)
        attempt = Attempt(1, stamp(utc_now()), 500, 12, "the receiver answered 500", "<html>oh no</html>", "127.0.0.1")
        await lanes.settle("ops", [Settled(first, "failed", 0.0, [(first.waiting[0].id, attempt)])])
        made.delivery = f"/deliveries/{first.waiting[0].id}"
        yield made


async def _scan(at: Served, status: str) -> None:
    due = stamp(utc_now() + timedelta(hours=50))
    job = {"id": "b", "status": status, "name": TITLE, "deadline_time": due}
    at.listing.body = {"data": [*jobs("a", "c")["data"], job], "next_page_token": ""}
    await at.watch.scan("tax")


@asynccontextmanager
async def opened(
    browser: Browser,
    at: World,
    path: str = "/",
    *,
    size: tuple[int, int] = DESKTOP,
    scheme: Literal["light", "dark"] = "light",
    scripts: bool = True,
) -> AsyncIterator[Page]:
    """A page of this installation; what the browser complains of, our content policy above all, goes to complaints."""
    context = await browser.new_context(
        base_url=at.served.url,
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        java_script_enabled=scripts,
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE * 1000)
    page = await context.new_page()
    page.on("console", lambda said: at.complaints.append(f"{page.url}: {said.text}"))
    page.on("pageerror", lambda error: at.complaints.append(f"{page.url}: {error}"))
    try:
        await page.goto(path, wait_until="load")
        yield page
    finally:
        await context.close()
