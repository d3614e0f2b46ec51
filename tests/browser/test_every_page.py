"""Every page, in light and dark, on a desk and on a phone: no complaint, nothing sticks out, nobody is left out."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Literal

import pytest
from playwright.async_api import Browser, Page

from tests.browser.worlds import DESKTOP, PHONE, World, opened

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
SIZES = {"desktop": DESKTOP, "phone": PHONE}


async def found_by_axe(page: Page, rules: list[str]) -> list[str]:
    """What axe-core (https://github.com/dequelabs/axe-core) finds wrong on a page, by all rules where none is named."""
    await page.evaluate(AXE)
    only = {"runOnly": rules} if rules else {}
    found = await page.evaluate("wanted => axe.run(wanted)", {"resultTypes": ["violations"], **only})
    return [f"{page.url} {one['id']}: {one['help']}: {one['nodes'][0]['html']}" for one in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
async def test_every_page_is_sound(browser: Browser, at: World, size: str, scheme: Literal["light", "dark"]) -> None:
    """No error, nothing that our own policy forbids, nothing wider than the window, nothing that axe finds."""
    found: list[str] = []
    # Sizes and colours are independent: two of the four show all of both, the others are looked at for colours alone.
    rules = [] if (size == "desktop") is (scheme == "light") else ["color-contrast"]
    async with opened(browser, at, size=SIZES[size], scheme=scheme) as page:
        for path in at.paths:
            await page.goto(path, wait_until="load")
            wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            found += [f"{path} is {wide} pixels too wide"] if wide > 0 else []
            found += await found_by_axe(page, rules)
            assert await page.locator("h1").count() == 1
            back = await page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (sum(json.loads(back.replace("rgb(", "[").replace(")", "]"))) < 384) is (scheme == "dark")

    assert found == []
    assert at.complaints == []


async def test_a_page_that_is_not_there_is_sound(browser: Browser, at: World) -> None:
    """It has a title and a way on, and axe finds nothing on it."""
    async with opened(browser, at, "/events/evt_gone") as page:
        assert await page.title() == "Not found · jobwire"
        assert await found_by_axe(page, []) == []
        await page.get_by_role("link", name="Go to Now").click()
        await page.wait_for_url("**/")


async def test_everything_is_read_without_scripts(browser: Browser, at: World) -> None:
    """The server writes whole pages; links and filters work."""
    async with opened(browser, at, scripts=False) as page:
        for path in at.paths:
            answer = await page.goto(path, wait_until="load")
            assert answer is not None
            assert answer.ok
            assert len(await page.locator("main").inner_text()) > 20
        await page.goto("/events")
        await page.get_by_label("Type").fill("*.job.claimed")
        await page.get_by_role("button", name="Filter").click()
        await page.locator("#rows a").first.click()
        await page.wait_for_url("**/events/evt_*")
        assert "CLAIMED" in await page.locator("h1").inner_text()


async def test_the_keyboard_goes_everywhere(browser: Browser, at: World) -> None:
    """First to the content, then in the order of reading, and where one is can be seen."""
    async with opened(browser, at, "/events") as page:
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "To the content"
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "main"
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.name") == "source"
        seen = []
        for _ in range(5):
            seen.append(await page.evaluate("document.activeElement.name || document.activeElement.textContent"))
            style = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert style != "none", f"{seen[-1]} shows no focus"
            await page.keyboard.press("Tab")
        assert seen == ["source", "type", "state", "text", "Filter"]
        tops = await page.evaluate(
            "[...document.querySelectorAll('a, button, input, select, summary')].map(one => one.tabIndex)"
        )
        assert max(tops) == 0, "nothing jumps the queue"
