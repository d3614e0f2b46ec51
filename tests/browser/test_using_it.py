"""What people do with the page: watch, take, put off, send again, sign in."""

from __future__ import annotations

import re

from playwright.async_api import Browser, Locator, Page, expect
from redis.asyncio import Redis

from tests.browser.worlds import World, opened, world
from tests.stores import PATIENCE

expect.set_options(timeout=PATIENCE * 1000)
TOKENS = ', tokens: ["operator-token-1"], read_tokens: ["reader-token-1"]'


async def test_events_appear_as_they_happen(browser: Browser, at: World) -> None:
    """Without loading the page again, at the top, as rows like the others; only those that fit the filters."""
    async with (
        opened(browser, at, "/login") as page,
        opened(browser, at, "/login") as filtered,
    ):
        await listening(page, "/events")
        await listening(filtered, "/events?type=*.job.closed")
        rows, some = page.locator("#rows > tr"), filtered.locator("#rows > tr")
        before = await rows.count()
        for number, status in enumerate(("UNCLAIMED", "CLOSED"), 1):
            event = await at.happens(status)
            await expect(rows).to_have_count(before + number)
            await expect(rows.first.locator("a")).to_have_attribute("href", f"/events/{event}")
            await expect(rows.first.locator("time[data-local]")).to_have_count(1)
        await expect(some).to_have_count(1)
        await expect(some.locator("code")).to_have_text("worklayer.job.closed")
    assert at.complaints == []


async def listening(page: Page, path: str) -> None:
    """Goes there; returns when the page hears of what happens, because its stream was answered."""
    async with page.expect_response(re.compile("/events/stream")):
        await page.goto(path)


async def test_conditions_are_taken_and_put_off_with_clicks(browser: Browser, at: World) -> None:
    """Acknowledge, then snooze: the page says so, and so does the store."""
    async with opened(browser, at) as page:
        row = page.get_by_role("region", name="Open").get_by_role("row").filter(has_text="deadline_approaching")
        await row.get_by_role("button", name="Acknowledge").click()
        await expect(page.get_by_role("status")).to_contain_text("acknowledged")
        await expect(row).to_contain_text("somebody on the page")
        await row.get_by_role("button", name="Snooze 1 h").click()
        await expect(page.get_by_role("status")).to_contain_text("snoozed")
    (one,) = (await at.served.get("/api/v1/conditions"))["items"]
    assert one["state"] == "snoozed"
    assert at.complaints == []


async def test_a_delivery_is_sent_again_with_a_click(browser: Browser, at: World) -> None:
    """What was given up waits again: ticked in the list, or on its own page, which shows what was sent."""
    async with opened(browser, at, "/deliveries?status=failed") as page:
        await expect(page.get_by_text("the receiver answered 500")).to_be_visible()
        await page.get_by_text("What it said").click()
        await expect(page.get_by_text("<html>oh no</html>")).to_be_visible()
        await page.get_by_role("row").get_by_role("link", name="ops").click()
        await expect(page.get_by_text("POST to")).to_be_visible()
        await expect(page.get_by_role("button", name="Send again")).to_be_visible()
        await page.goto("/deliveries?status=failed")
        await page.get_by_role("checkbox").check()
        await page.get_by_role("button", name="Send ticked again").click()
        await expect(page.get_by_role("status")).to_contain_text("1 queued")
        await expect(page).to_have_url(re.compile("status=failed"))
    assert (await at.served.get("/api/v1/deliveries?status=failed"))["items"] == []
    assert at.complaints == []


async def test_a_scan_and_a_switch_are_asked_for_with_clicks(browser: Browser, at: World) -> None:
    """By keyboard as well as by mouse."""
    async with opened(browser, at, "/sources/tax") as page:
        await page.get_by_role("button", name="Scan now").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("tax is scanned")
        await page.goto("/")
        await page.get_by_role("button", name="Disable").click()
        await expect(page.get_by_role("button", name="Enable")).to_be_visible()
        await expect(page.locator("h1")).to_contain_text("ops")


async def test_people_sign_in_and_out(browser: Browser, redis: Redis, store_url: str) -> None:
    """A wrong token is told; whoever reads only sees no buttons; after signing out nothing is shown."""
    async with world(store_url, TOKENS) as at, opened(browser, at, "/events") as page:
        await expect(page).to_have_url(re.compile("/login"))
        await page.get_by_label("Token").fill("wrong")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("none of the tokens")).to_be_visible()
        at.complaints.clear()  # the browser notes the 401 itself
        await page.get_by_label("Token").fill("reader-token-1")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page).to_have_url(re.compile("/events$"))
        await page.goto("/")
        await expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_label("Token").fill("operator-token-1")
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("button", name="Acknowledge").click()
        await expect(page.get_by_role("status")).to_contain_text("acknowledged")
        assert at.complaints == []


async def passes(page: Page, seen: Locator, *, seconds: int = 2) -> None:
    """Lets the page's own clock run on until this is seen; what it asks the server for takes real time."""
    for _ in range(300):
        if await seen.count() and await seen.first.is_visible():
            return
        await page.clock.run_for(seconds * 1000)
    await expect(seen).to_be_visible()


async def test_now_refreshes_itself_under_careful_hands(browser: Browser, at: World) -> None:
    """Whoever stands on a button stays there, and what was unfolded stays so."""
    async with opened(browser, at, "/login") as page:
        await page.clock.install()
        await page.goto("/")
        await page.get_by_text("As a list").click()
        await page.get_by_role("button", name="Snooze 1 h").focus()
        await page.evaluate("document.getElementById('now').dataset.first = 'yes'")
        await passes(page, page.locator("#now:not([data-first])"))
        await expect(page.get_by_role("button", name="Snooze 1 h")).to_be_focused()
        await expect(page.locator("#deadlines ~ details[open]")).to_have_count(1)
        await expect(page.get_by_role("alert")).to_have_count(0)
    assert at.complaints == []


async def test_pages_that_are_not_updated_say_so(browser: Browser, at: World) -> None:
    """The server is gone, then back: Now and the live events say since when they stand still."""
    async with opened(browser, at, "/login") as page:
        await page.clock.install()
        for path, asked in (("/", re.compile(r"/$")), ("/events", re.compile("/healthz$"))):
            await page.goto(path)
            await page.route(asked, lambda route: route.abort())
            alert = page.get_by_role("alert")
            await passes(page, alert)
            await expect(alert).to_have_text(re.compile(r"Not updated since .*\d\d.* \(the server does not answer\)"))
            await page.unroute(asked)
            await passes(page, page.locator("#notice[hidden] ~ *"))
            await expect(alert).to_have_count(0)


async def test_times_are_counted_on_and_what_happened_is_never_ahead(browser: Browser, at: World) -> None:
    """On pages that do not refresh too; an event of a clock that runs ahead is of now."""
    async with opened(browser, at, "/login") as page:
        await page.clock.install()
        await page.goto(f"/events/{at.event}")
        seen = page.locator("dd time").first
        assert "in" not in (await seen.inner_text()).split()
        await page.clock.run_for(120_000)
        await expect(seen).to_have_text(re.compile(r"^[2-9]m"))
        await expect(page.locator("#as-of")).to_have_text(re.compile(r"^[2-9]m.* ago$"))
        ahead = "one => { one.dateTime = new Date(Date.now() + 3600000).toISOString() }"
        await seen.evaluate(ahead)
        await page.clock.run_for(6_000)
        await expect(seen).to_have_text("now")
    assert at.complaints == []
