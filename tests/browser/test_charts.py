"""Charts in a browser: drawn by the server, then by uPlot under our own policy; read by keyboard."""

from __future__ import annotations

import re

from playwright.async_api import Browser, Page, expect

from tests.browser.worlds import PHONE, World, opened
from tests.stores import PATIENCE

expect.set_options(timeout=PATIENCE * 1000)


async def drawn(page: Page, path: str = "/charts?since=1h") -> None:
    """Goes there; returns when the script has drawn."""
    await page.goto(path)
    await expect(page.locator("[data-drawn]")).to_have_count(1)


async def test_charts_are_drawn_and_read_by_keyboard(browser: Browser, at: World) -> None:
    """Nothing that our policy forbids; arrow keys go from value to value, Escape gives the latest back."""
    async with opened(browser, at, "/login") as page:
        await drawn(page)
        figure = page.locator("figure[data-metric=attempts]")
        await expect(figure.locator("canvas")).to_have_count(1)
        await expect(figure.locator("svg")).to_have_count(0)
        when, failed = figure.locator("[data-when]"), figure.locator("output[data-line=failed]")
        await figure.locator("[data-plot]").focus()
        await page.keyboard.press("Home")
        first = await when.inner_text()
        assert re.search(r"\d", first)
        await page.keyboard.press("ArrowRight")
        await expect(when).not_to_have_text(first)
        await page.keyboard.press("End")
        # One delivery was given up, however many minutes ago that is on a slow machine.
        for _ in range(60):
            if await failed.inner_text() == "1":
                break
            await page.keyboard.press("ArrowLeft")
        await expect(failed).to_have_text("1")
        await page.keyboard.press("Escape")
        await expect(when).to_have_text("")
    assert at.complaints == []


async def test_charts_are_drawn_anew_in_the_dark(browser: Browser, at: World) -> None:
    """On a phone too, without anything that sticks out."""
    async with opened(browser, at, "/login", size=PHONE) as page:
        await drawn(page)
        await page.locator("canvas").first.evaluate("one => { one.dataset.light = '' }")
        await page.emulate_media(color_scheme="dark")
        await expect(page.locator("canvas[data-light]")).to_have_count(0)
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0
    assert at.complaints == []


async def test_the_same_figures_are_read_without_scripts(browser: Browser, at: World) -> None:
    """As a drawing with words, and as a table."""
    async with opened(browser, at, "/charts?since=1h", scripts=False) as page:
        figure = page.locator("figure[data-metric=attempts]")
        await expect(figure.locator("svg")).to_be_visible()
        await expect(figure.locator(".summary")).to_have_text("0 arrived, 0 put off, 1 given up.")
        await figure.locator("summary").click()
        await expect(figure.locator("tbody tr").first).to_be_visible()
        await expect(page.locator("[data-zone]").first).to_have_text("UTC")


async def test_what_was_drawn_stays_when_the_figures_cannot_be_had(browser: Browser, at: World) -> None:
    """The server's own drawing is there before any script, and without its answer too."""
    async with opened(browser, at, "/login") as page:
        await page.route("**/api/v1/series**", lambda route: route.fulfill(status=503, body="{}"))
        async with page.expect_response(re.compile("/api/v1/series")):
            await page.goto("/charts?since=1h")
        await expect(page.locator("figure[data-metric=attempts] svg")).to_be_visible()
        await expect(page.locator("canvas")).to_have_count(0)
