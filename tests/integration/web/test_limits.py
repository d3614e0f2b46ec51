"""How often one caller may ask, over real HTTP; time is moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse, DummyCookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis

from monitor.web.app import make_app
from monitor.web.pages.stream import MOST_EACH
from monitor.web.session import COOKIE
from tests.integration.web.serving import HOOK_SECRET, Served, served

GOOD, READER = {"Authorization": "Bearer operator-1"}, {"Authorization": "Bearer reader-1"}
TOKENS = ", tokens: [operator-1], read_tokens: [reader-1]"
BAD = {"Authorization": "Bearer guess"}


@dataclass(slots=True)
class Caller:
    """A client of one application, and the hand of its clock."""

    client: TestClient[web.Request, web.Application]
    at: Served
    _hand: list[float]

    def pass_(self, seconds: float) -> None:
        """Time goes on."""
        self._hand[0] += seconds

    async def statuses(self, times: int, path: str = "/api/v1/silences", **headers: str) -> list[int]:
        """The status of each of so many GETs."""
        return [(await self.get(path, **headers)).status for _ in range(times)]

    async def get(self, path: str = "/api/v1/silences", **headers: str) -> ClientResponse:
        """One GET, read to its end."""
        async with self.client.get(path, headers=headers, allow_redirects=False) as answer:
            await answer.read()
            return answer

    async def post(self, path: str, **words: Any) -> int:
        """The status of one POST."""
        async with self.client.post(path, allow_redirects=False, **words) as answer:
            return answer.status


@asynccontextmanager
async def limited(store_url: str, rate: str = "1/s", burst: int = 3, more: str = "") -> AsyncIterator[Caller]:
    """An application that allows so much."""
    async with served(store_url, rate=rate, web=f", burst: {burst}{more}") as at:
        hand = [1000.0]
        app = make_app(at.watch.services, lambda: hand[0])
        async with TestClient(TestServer(app), cookie_jar=DummyCookieJar()) as client:
            yield Caller(client, at, hand)


async def test_too_many_calls_are_told_when_to_come_back(redis: Redis, store_url: str) -> None:
    """429 as a problem with Retry-After, every answer says what is left; health and assets are never counted."""
    async with limited(store_url) as caller:
        first = await caller.get()
        assert (first.headers["RateLimit-Policy"], first.headers["RateLimit"]) == ('"calls";q=3;w=3', '"calls";r=2;t=1')
        assert await caller.statuses(2) == [200, 200]
        refused = await caller.get()
        assert (refused.status, refused.content_type) == (429, "application/problem+json")
        assert (refused.headers["Retry-After"], refused.headers["RateLimit"]) == ("1", '"calls";r=0;t=1')
        for path in ("/healthz", "/readyz", "/static/style.css", "/metrics"):
            answer = await caller.get(path)
            assert answer.status in {200, 503}
            assert ("RateLimit" in answer.headers) is (path == "/metrics")
        assert await caller.statuses(1, "/") == [429], "pages are of the same bucket"
        caller.pass_(1.0)
        assert await caller.statuses(2) == [200, 429]


async def test_each_token_has_a_bucket_of_its_own(redis: Redis, store_url: str) -> None:
    """Who brings none has one by address, so that a flood of refusals is bounded too."""
    async with limited(store_url, more=TOKENS) as caller:
        assert await caller.statuses(4, **GOOD) == [200, 200, 200, 429]
        assert await caller.statuses(4, **READER) == [200, 200, 200, 429]
        assert await caller.statuses(4) == [401, 401, 401, 429]


async def test_guessing_tokens_is_slow(redis: Redis, store_url: str) -> None:
    """Ten wrong ones, then one each six seconds; not even a good one is looked at meanwhile, unless it was good before.

    That holds for bearer tokens, for the form of the page and for what /readyz tells, and does not end sessions.
    """
    async with limited(store_url, rate="0", more=TOKENS) as caller:
        form: dict[str, Any] = {"data": {"token": "operator-1"}, "allow_redirects": False}
        async with caller.client.post("/login", **form) as answer:
            session = {"Cookie": f"{COOKIE}={answer.cookies[COOKIE].value}"}
        assert await caller.statuses(1, **GOOD) == [200]
        assert await caller.statuses(5, **BAD) == [401] * 5
        assert [await caller.post("/login", data={"token": "guess"}) for _ in range(5)] == [401] * 5
        assert await caller.statuses(1, **BAD) == [429]
        assert await caller.post("/login", data={"token": "operator-1"}) == 429
        assert await caller.statuses(1, **READER) == [429], "was not there before"
        assert "late" not in await (await caller.client.get("/readyz", headers=READER)).json()
        assert await caller.statuses(1, **GOOD) == [200], "was good lately"
        assert await caller.statuses(1, **session) == [200], "the session goes on"
        caller.pass_(6.0)
        assert await caller.statuses(2, **READER) == [200, 200]


async def test_webhooks_that_prove_nothing_are_told_to_wait(redis: Redis, store_url: str) -> None:
    """And nobody is kept out by them: behind a proxy strangers have the address of those who sign."""
    async with limited(store_url, rate="0") as caller:
        bad, good = {"X-Hook-Secret": "guess"}, {"X-Hook-Secret": HOOK_SECRET}
        assert [await caller.post("/hooks/tax", headers=bad) for _ in range(11)] == [401] * 10 + [429]
        assert await caller.post("/hooks/tax", headers=good) == 202
        assert [await caller.post("/slack/interactions") for _ in range(11)] == [401] * 10 + [429]
        caller.pass_(6.0)
        assert await caller.post("/hooks/tax", headers=bad) == 401


async def test_streams_are_bounded_for_each_caller_and_in_all(redis: Redis, store_url: str) -> None:
    """However many are opened at once: who has too many is refused in words, others are not, and places become free."""
    async with limited(store_url, rate="0", more=TOKENS) as caller, AsyncExitStack() as stack:

        async def opened(headers: dict[str, str]) -> ClientResponse:
            return await stack.enter_async_context(caller.client.get("/api/v1/stream", headers=headers))

        mine = await asyncio.gather(*(opened(GOOD) for _ in range(MOST_EACH + 3)))
        assert sorted(one.status for one in mine) == [200] * MOST_EACH + [503] * 3
        assert (await opened(READER)).status == 200
        for one in mine:
            one.close()
        async with asyncio.timeout(60):
            while (again := await opened(GOOD)).status == 503:
                await caller.at.watch.services.store.log.ring()
                await asyncio.sleep(0.05)
        assert again.status == 200
