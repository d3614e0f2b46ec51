"""The page over HTTP: what it shows, who may see it, and who may change something."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import ClientSession
from redis.asyncio import Redis

from monitor.clock import utc_now
from monitor.moments import stamp
from monitor.store.fleet import ALIVE_MS, WorkerFacts
from monitor.web.guard import MARK
from monitor.web.session import COOKIE
from tests.integration.web.serving import Served, jobs, served

TOKENS = ', tokens: ["operator-token-1"], read_tokens: ["reader-token-1"]'
STATIC = Path("monitor/web/pages/static")


@asynccontextmanager
async def changed(store_url: str, web: str = "", title: str = "Job b") -> AsyncIterator[tuple[Served, dict[str, Any]]]:
    """An installation in which one job was claimed; the event."""
    async with served(store_url, web=web) as at:
        await at.watch.scan("tax")
        at.listing.body = {"data": [*jobs("a", "c")["data"], {"id": "b", "status": "CLAIMED", "name": title}]}
        at.listing.body["next_page_token"] = ""
        await at.watch.scan("tax")
        (event,) = [one for one in await at.watch.news() if one["subject"] == "job/b"]
        yield at, event


async def html(at: Served, path: str, http: ClientSession | None = None) -> str:
    """A page that must be there, checked for what every page has."""
    async with (http or at.http).get(at.url + path) as answer:
        text = await answer.text()
        assert answer.status == 200, text
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert " style=" not in text
    assert not re.findall(r"<script(?![^>]*src=)", text)
    return text


async def test_every_page_shows_what_is_so(redis: Redis, store_url: str) -> None:
    """Now, events, one event, resources, one resource, deliveries, a source: all from the store."""
    async with changed(store_url) as (at, event):
        await at.watch.services.consumer.relay.relay()
        now = await html(at, "/")
        assert "Job b" in now
        assert "worklayer.job.claimed" in await html(at, "/events")
        assert "No event fits" in await html(at, "/events?type=*.*.removed")
        one = await html(at, f"/events/{event['id']}")
        assert "UNCLAIMED" in one
        assert "CLAIMED" in one
        assert "ops" in one
        assert "Job a" in await html(at, "/resources?state=UNCLAIMED")
        assert "Job b" not in await html(at, "/resources?state=UNCLAIMED")
        assert "revision 2" in await html(at, "/resources/tax/job/b")
        assert "not tried yet" in await html(at, "/deliveries?target=ops&status=pending")
        assert "Scan now" in await html(at, "/sources/tax")


async def beats(at: Served, ago_ms: int = 0) -> None:
    """A worker said so long ago that it lives."""
    now_ms = await at.watch.services.store.db.now_ms()
    facts = WorkerFacts("1", config_ok=True, config_at=now_ms, seen_at=now_ms - ago_ms)
    await at.watch.services.store.fleet.beat("w1", facts)


async def test_the_headline_says_when_nobody_watches(redis: Redis, store_url: str) -> None:
    """No worker was started, one works, it died: sources are not called well while nobody looks at them."""
    async with served(store_url) as at:
        running = at.watch.services
        await running.scanner.scan(running.sources["tax"], await running.timetable.current_slot("tax"))
        text = await html(at, "/")
        assert "<h1>Nobody is watching: no worker runs" in text
        assert "jobwire doctor" in text
        assert "not watched</span>" in text
        await beats(at)
        text = await html(at, "/")
        assert "<h1>All is watched, and everybody is told</h1>" in text
        assert "not watched" not in text
        await beats(at, ago_ms=ALIVE_MS + 1)
        assert "<h1>Nobody is watching" in await html(at, "/")


async def test_the_headline_says_what_is_late(redis: Redis, store_url: str) -> None:
    """A worker lives, but does not take up the scan that has been due for long."""
    async with served(store_url) as at:
        await at.watch.scan("tax")  # for a slot of long ago
        await beats(at)
        text = await html(at, "/")
        assert "<h1>Scans are late: tax" in text
        assert "late</span>" in text


async def test_a_source_fails_when_that_is_told_and_not_before(redis: Redis, store_url: str) -> None:
    """Two failed scans are said beside the source, of three that make it a failing one."""
    async with served(store_url) as at:
        await beats(at)
        at.listing.status = 500
        for number, failing in ((1, False), (2, False), (3, True)):
            await at.watch.scan("tax")
            text = await html(at, "/")
            assert (f"last scan failed ({number} of 3)" in text) is not failing
            assert ("<h1>tax: in trouble" in text) is failing
            assert ((await at.get("/api/v1/sources"))["items"][0]["state"] == "failing") is failing


async def test_an_empty_installation_says_what_to_do(redis: Redis, store_url: str) -> None:
    """Nothing was scanned yet: pages say what comes next."""
    async with served(store_url) as at:
        assert "Nothing has happened yet" in await html(at, "/")
        assert "read at its first scan" in await html(at, "/resources")
        assert "is one running?" in await html(at, "/sources/tax")


async def test_what_a_provider_writes_is_text(redis: Redis, store_url: str) -> None:
    """A title full of markup shows as it was written, and runs nowhere."""
    nasty = '<script>alert(1)</script><img src=x onerror="x">'
    async with changed(store_url, title=nasty) as (at, event):
        for path in ("/", "/events", f"/events/{event['id']}", "/resources", "/resources/tax/job/b"):
            text = await html(at, path)
            assert "<script>alert" not in text
            assert "<img" not in text
        assert "&lt;script&gt;alert(1)" in await html(at, "/resources/tax/job/b")


async def test_nothing_hides_or_turns_in_what_a_provider_writes(redis: Redis, store_url: str) -> None:
    """A name that reads backwards, or seems to be another one, is written as it is meant."""
    async with changed(store_url, title="\u202egnp.exe\u200b\ufeff invoice") as (at, event):
        for path in ("/", "/events", f"/events/{event['id']}", "/resources", "/resources/tax/job/b"):
            shown = re.sub(r"<pre.*?</pre>", "", await html(at, path), flags=re.DOTALL)
            assert "gnp.exe invoice" in shown
            assert not set(shown) & set("\u202e\u200b\ufeff")


async def test_what_is_not_there_is_said(redis: Redis, store_url: str) -> None:
    """Pages of things that do not exist, and places that are none."""
    async with served(store_url) as at:
        for path in ("/events/evt_none", "/resources/tax/job/none", "/resources/nobody/x", "/sources/nobody"):
            assert (await at.ask("GET", path)).status == 404
        nowhere = f"{2**64}-0"
        for path in (
            "/events?before=x",
            f"/events?before={nowhere}",
            "/deliveries?after=x",
            "/events/stream?after=x",
            f"/api/v1/stream?after={nowhere}",
            "/deliveries?status=x",
        ):
            assert (await at.ask("GET", path)).status == 400


BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


async def test_a_browser_is_told_what_is_wrong_as_a_page(redis: Redis, store_url: str) -> None:
    """With the way back and what to do; programs, and the addresses that are theirs, get problem+json."""
    async with served(store_url) as at:
        for path in ("/events/evt_gone", "/sources/nope", "/deliveries/x", "/resources/a/b/c", "/nowhere"):
            answer = await at.ask("GET", path, headers=BROWSER)
            assert (answer.status, answer.content_type) == (404, "text/html")
            text = await answer.text()
            assert '<html lang="en">' in text
            assert "<h1>Not found</h1>" in text
            assert '<a href="/">Go to Now</a>' in text
            assert (await at.ask("GET", path)).content_type == "application/problem+json"
        for path in ("/api/v1/events/evt_gone", "/api/nowhere"):
            assert (await at.ask("GET", path, headers=BROWSER)).content_type == "application/problem+json"
        refused = await at.ask("POST", "/do/targets/ops/disable", headers={**BROWSER, "Origin": "https://evil.example"})
        assert (refused.status, refused.content_type) == (403, "text/html")
        json_first = {"Accept": "application/json, text/html;q=0.5"}
        assert (await at.ask("GET", "/nowhere", headers=json_first)).content_type == "application/problem+json"


async def test_a_store_that_is_gone_is_told_as_a_page(redis: Redis, store_url: str) -> None:
    """The page itself needs nothing of it."""
    async with served(store_url) as at:
        db = at.watch.services.store.db
        await db.close()
        db.client.connection_pool.connection_kwargs["path"] = "/nowhere"
        db.client.connection_pool.reset()  # type: ignore[no-untyped-call]  # redis-py is untyped here
        answer = await at.ask("GET", "/", headers=BROWSER)
        assert (answer.status, answer.content_type) == (503, "text/html")
        assert answer.headers["Retry-After"]
        assert "jobwire doctor" in await answer.text()


async def test_buttons_do_what_they_say(redis: Redis, store_url: str) -> None:
    """A scan asked for, a target off and on, a delivery again; then back where one was, told what was done."""
    async with changed(store_url) as (at, _):
        await at.watch.services.consumer.relay.relay()
        back = {"Referer": f"{at.url}/deliveries?target=ops", "Origin": at.url}
        done = await at.ask("POST", "/do/targets/ops/disable", headers=back, allow_redirects=False)
        assert done.status == 303
        assert done.headers["Location"].startswith("/deliveries?target=ops&done=ops%20is%20disabled&seal=")
        assert 'role="status">ops is disabled<' in await html(at, done.headers["Location"])
        assert "disabled" in await html(at, "/")
        await at.ask("POST", "/do/targets/ops/enable", headers=back)
        assert (await at.get("/api/v1/targets"))["items"][0]["state"] == "ok"
        (delivery, *_) = (await at.get("/api/v1/deliveries"))["items"]
        again = await at.ask("POST", f"/do/deliveries/{delivery['id']}/replay", headers=back, allow_redirects=False)
        assert again.status == 303
        assert (await at.ask("POST", "/do/sources/tax/poll", headers=back, allow_redirects=False)).status == 303
        assert (await at.ask("POST", "/do/sources/nobody/poll", headers=back)).status == 404
        foreign = {"Origin": "https://evil.example"}
        assert (await at.ask("POST", "/do/targets/ops/disable", headers=foreign)).status == 403


async def test_a_page_says_only_what_we_said(redis: Redis, store_url: str) -> None:
    """An address with words of somebody else, with a seal of other words, or of another session, says nothing."""
    async with served(store_url, web=TOKENS) as at, signed_in(at, "operator-token-1") as browser:
        form = {MARK: marked(await html(at, "/", browser))}
        async with browser.post(f"{at.url}/do/targets/ops/disable", data=form, allow_redirects=False) as answer:
            told = answer.headers["Location"]
        assert "ops is disabled" in await html(at, told, browser)
        seal = told.partition("&seal=")[2]
        for path in ("/?done=Call+us", f"/?done=Call+us&seal={seal}", "/?done=Call+us&seal=\u00fc"):
            assert "Call us" not in await html(at, path, browser)
        async with signed_in(at, "operator-token-1") as other:
            assert "ops is disabled" not in await html(at, told, other)


async def test_what_is_open_can_be_taken(redis: Redis, store_url: str) -> None:
    """A condition stands on the page until it is over; a button says that somebody has it, another puts it off."""
    async with served(store_url) as at:
        await at.watch.scan("tax")
        at.listing.body = jobs("a", "b", "c") | {
            "data": [{**one, "deadline_time": soon()} for one in jobs("a")["data"]]
        }
        await at.watch.scan("tax")
        assert await at.watch.services.consumer.ringer.ring() >= 0
        await at.watch.services.consumer.relay.relay()
        conditions = (await at.get("/api/v1/conditions"))["items"]
        assert [one["type"] for one in conditions] == ["worklayer.job.deadline_approaching"]
        text = await html(at, "/")
        assert "1 open" in text
        address, back = f"/do/conditions/{conditions[0]['id']}", {"Referer": f"{at.url}/"}
        done = await at.ask("POST", address, data={"word": "acknowledge"}, headers=back, allow_redirects=False)
        assert done.status == 303
        assert "somebody on the page" in await html(at, "/")
        await at.ask("POST", address, data={"word": "1h"}, headers=back)
        assert (await at.get("/api/v1/conditions"))["items"][0]["state"] == "snoozed"
        assert (await at.ask("POST", address, data={"word": "x"})).status == 400
        assert (await at.ask("POST", "/do/conditions/cnd_none", data={"word": "1h"})).status == 404


def soon() -> str:
    """Two hours from now."""
    return stamp(utc_now() + timedelta(hours=2))


async def test_people_sign_in_with_a_token(redis: Redis, store_url: str) -> None:
    """Nobody sees a page without; the cookie is for this site and for no script, and ends with a sign-out."""
    async with changed(store_url, TOKENS) as (at, _), ClientSession() as http:
        page = {"Accept": "text/html"}
        async with http.get(f"{at.url}/events?type=x", headers=page, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/login?next=/events?type%3Dx")
        async with http.post(f"{at.url}/login", data={"token": "wrong", "next": "/"}) as answer:
            assert answer.status == 401
            assert "none of the tokens" in await answer.text()
        form = {"token": "operator-token-1", "next": "/events"}
        async with http.post(f"{at.url}/login", data=form, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/events")
            cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert "operator-token" not in cookie
        value = {COOKIE: cookie.partition("=")[2].partition(";")[0]}
        async with ClientSession(cookies=value) as signed_in:
            text = await html(at, "/", signed_in)
            assert "Sign out" in text
            async with signed_in.post(f"{at.url}/logout", data={MARK: marked(text)}, allow_redirects=False) as answer:
                assert answer.status == 303
                assert 'jobwire=""' in answer.headers["Set-Cookie"]


def marked(text: str) -> str:
    """The mark that the forms of a page carry."""
    found = re.search(r'name="mark" value="([0-9a-f]+)"', text)
    assert found is not None
    return found[1]


@asynccontextmanager
async def signed_in(at: Served, token: str) -> AsyncIterator[ClientSession]:
    """A browser that has signed in with this token."""
    async with ClientSession() as http:
        async with http.post(f"{at.url}/login", data={"token": token}, allow_redirects=False) as answer:
            value = answer.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
        async with ClientSession(cookies={COOKIE: value}) as browser:
            yield browser


async def test_a_change_needs_the_mark_of_the_session(redis: Redis, store_url: str) -> None:
    """A form of another site, even with the cookie, changes nothing; neither does somebody else's mark."""
    async with changed(store_url, TOKENS) as (at, _), signed_in(at, "operator-token-1") as browser:
        address = f"{at.url}/do/targets/ops/disable"
        for data in ({}, {MARK: "0" * 64}):
            async with browser.post(address, data=data) as answer:
                assert answer.status == 403
        async with signed_in(at, "operator-token-1") as other:
            mark = marked(await html(at, "/", other))
        async with browser.post(address, data={MARK: mark}) as answer:
            assert answer.status == 403
        async with browser.post(address, data={MARK: marked(await html(at, "/", browser))}) as answer:
            assert answer.status == 200
            assert "ops is disabled" in await answer.text()


async def test_who_may_only_read_changes_nothing(redis: Redis, store_url: str) -> None:
    """No buttons, and no change by the API either; reading works."""
    async with changed(store_url, TOKENS) as (at, _), signed_in(at, "reader-token-1") as browser:
        text = await html(at, "/", browser)
        assert "/do/" not in text
        async with browser.post(f"{at.url}/do/targets/ops/disable", data={MARK: marked(text)}) as answer:
            assert answer.status == 403
        reader = {"Authorization": "Bearer reader-token-1"}
        assert (await at.ask("GET", "/api/v1/sources", headers=reader)).status == 200
        assert (await at.ask("POST", "/api/v1/sources/tax/poll", headers=reader)).status == 403


async def test_cookies_that_are_not_ours_open_nothing(redis: Redis, store_url: str) -> None:
    """Garbage, and a session signed with other tokens."""
    async with changed(store_url, TOKENS) as (at, _):
        for value in ("x", "x.y", ".", "W10.x", "\u00ff"):
            assert (await at.ask("GET", "/api/v1/sources", cookies={COOKIE: value})).status == 401


async def test_signing_in_leads_nowhere_else(redis: Redis, store_url: str) -> None:
    """`next` and Referer are addresses of this site or nothing."""
    async with served(store_url, web=TOKENS) as at:
        for path in ("https://evil.example/", "//evil.example", "/\\evil.example", "evil"):
            form = {"token": "operator-token-1", "next": path}
            answer = await at.ask("POST", "/login", data=form, allow_redirects=False)
            assert answer.headers["Location"] == "/"


async def test_events_stream_as_they_happen_and_after_a_cut(redis: Redis, store_url: str) -> None:
    """As JSON for programs; who comes back with the last id it saw gets what it missed, once."""
    async with changed(store_url) as (at, event), asyncio.timeout(60):
        async with at.http.get(f"{at.url}/api/v1/stream?after=0-0&type=worklayer.**") as answer:
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            first = await message(answer.content)
        assert msgspec.json.decode(first["data"])["id"] == event["id"]
        async with at.http.get(f"{at.url}/events/stream", headers={"Last-Event-ID": first["id"]}) as answer:
            at.listing.body = jobs("a", "b", "c", status="CLOSED")
            await at.watch.scan("tax")
            row = await message(answer.content)
        assert row["id"] != first["id"]
        assert row["data"].startswith("<tr")
        assert re.search(r'data-counts="past">(now|\S+( \S+)? ago)</time>', row["data"]), "it has happened"


async def message(content: Any) -> dict[str, str]:
    """The next message of a stream that has data."""
    found: dict[str, str] = {}
    while True:
        line = (await content.readline()).decode().rstrip("\n")
        name, _, value = line.partition(": ")
        if not line and "data" in found:
            return found
        found[name] = f"{found[name]}\n{value}" if name in found and name == "data" else value


def test_vendored_scripts_are_what_they_say() -> None:
    """Checksums of VENDOR, and the licence beside them."""
    folder = STATIC / "vendor"
    lines = [line.split() for line in (folder / "VENDOR").read_text().splitlines()[1:]]
    assert {name for name, *_ in lines} == {path.name for path in folder.iterdir() if path.suffix in {".js", ".css"}}
    for name, version, licence, digest in lines:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        assert version
        assert licence
    assert {path.name for path in folder.glob("LICENSE.*") if path.read_text()} == {"LICENSE.htmx", "LICENSE.uplot"}
