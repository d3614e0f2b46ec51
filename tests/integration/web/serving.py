"""A served installation for tests: real store, real HTTP, a Worklayer list that the test holds in its hand."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse, ClientSession

from monitor.clock import utc_now
from monitor.web import listening
from tests.installation import Hands, Installation, Listing, installed, listing

HOOK_SECRET = "hook-secret-4711"


@dataclass(slots=True)
class Served:
    """An installation that answers at `url`."""

    watch: Installation
    url: str
    http: ClientSession
    listing: Listing

    async def get(self, path: str, **headers: str) -> Any:
        """The JSON of an answer that must be a success."""
        async with self.http.get(self.url + path, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def ask(self, method: str, path: str, **words: Any) -> ClientResponse:
        """Any answer, read to its end."""
        async with self.http.request(method, self.url + path, **words) as answer:
            await answer.read()
            return answer

    def hook(self, name: str = "tax", secret: str = HOOK_SECRET) -> dict[str, str]:
        """The headers of a webhook that brings its secret."""
        return {"X-Hook-Secret": secret}


def jobs(*ids: str, status: str = "UNCLAIMED") -> dict[str, Any]:
    """A page of Worklayer jobs."""
    return {"data": [{"id": id, "status": status, "name": f"Job {id}"} for id in ids], "next_page_token": ""}


@asynccontextmanager
async def served(
    store_url: str,
    *,
    web: str = "",
    listen: str = "127.0.0.1:0",
    every: str = "1h",
    more: str = "",
    targets: str = "",
    to: str = "ops",
    rate: str = "0",
    monotonic: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Served]:
    """One source `tax`, a target `hook` that nobody answers, and whatever `more` and `targets` add, over HTTP."""
    async with listing(jobs("a", "b", "c")) as (provider, one):
        config = f"""
web: {{listen: "{listen}", rate: {rate}{web}}}
egress: {{allow: [127.0.0.0/8]}}
sources:
  tax: {{provider: worklayer, base_url: "{provider}", token: provider-token-1, every: {every},
        hook_secret: {HOOK_SECRET}}}
{more}
targets:
  ops: {{type: webhook, url: "http://127.0.0.1:9/x", secret: "whsec_cmVwbGFjZS10aGlzLWJ5LXlvdXItb3duLXNlY3JldCE="}}
{targets}
routes: [{{to: [{to}]}}]
"""
        hands = Hands(utc_now())
        async with (
            installed(store_url, config, hands) as watch,
            listening(watch.services, monotonic) as url,
            ClientSession() as http,
        ):
            yield Served(watch, url, http, one)
