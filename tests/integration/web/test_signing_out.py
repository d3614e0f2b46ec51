"""Signing out ends a session for good, wherever its cookie was copied to."""

from __future__ import annotations

import re

from redis.asyncio import Redis

from monitor.web.guard import MARK
from monitor.web.session import COOKIE
from tests import stores
from tests.integration.store.redis_servers import redis_server
from tests.integration.web.serving import Served, served

TOKENS = ", tokens: [operator-token-1]"


async def cookie_of(at: Served) -> dict[str, str]:
    """The cookie of somebody who signs in, as a header that anybody can send who has copied it."""
    answer = await at.ask("POST", "/login", data={"token": "operator-token-1"}, allow_redirects=False)
    value = answer.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
    return {"Cookie": f"{COOKIE}={value}"}


async def mark_of(at: Served, cookie: dict[str, str]) -> str:
    """The mark of the forms of a page of this session."""
    found = re.search(r'name="mark" value="([0-9a-f]+)"', await (await at.ask("GET", "/", headers=cookie)).text())
    assert found is not None
    return found[1]


async def test_a_copied_cookie_opens_nothing_after_signing_out(redis: Redis, store_url: str) -> None:
    """At no web process of the installation; other sessions of the same token go on, and so does the token."""
    async with served(store_url, web=TOKENS) as at, served(store_url, web=TOKENS) as other:
        mine, somebody = await cookie_of(at), await cookie_of(at)
        for one in (at, other):
            assert (await one.ask("GET", "/api/v1/sources", headers=mine)).status == 200
        refused = await at.ask("POST", "/logout", headers=mine, data={MARK: "0" * 64}, allow_redirects=False)
        assert refused.status == 403, "a page of another site signs nobody out"
        marked = {MARK: await mark_of(at, mine)}
        assert (await at.ask("POST", "/logout", headers=mine, data=marked, allow_redirects=False)).status == 303

        for one in (at, other):
            assert (await one.ask("GET", "/api/v1/sources", headers=mine)).status == 401
            assert (await one.ask("GET", "/api/v1/sources", headers=somebody)).status == 200
            token = {"Authorization": "Bearer operator-token-1"}
            assert (await one.ask("GET", "/api/v1/sources", headers=token)).status == 200


async def test_while_the_store_does_not_say_no_cookie_lets_anybody_in() -> None:
    """Whether a session was ended cannot be known then."""
    program = (await stores.programs())[0]
    with stores.short_directory() as directory:
        async with redis_server(program, directory) as url, served(url, web=TOKENS) as at:
            mine = await cookie_of(at)
            async with stores.client(url) as redis:
                await redis.execute_command("ACL", "SETUSER", "default", "-exists")  # type: ignore[no-untyped-call]  # redis-py is untyped here
            answer = await at.ask("GET", "/api/openapi.json", headers=mine)
            assert answer.status == 503, "the document itself needs no store"
            token = {"Authorization": "Bearer operator-token-1"}
            assert (await at.ask("GET", "/api/openapi.json", headers=token)).status == 200


async def test_a_cookie_that_was_given_by_https_never_travels_without(redis: Redis, store_url: str) -> None:
    """The browser says so in Origin, most proxies in X-Forwarded-Proto; on plain loopback it would not come back."""
    async with served(store_url, web=TOKENS) as at:
        host = at.url.partition("//")[2]
        for headers, secure in (
            ({}, False),
            ({"Origin": f"http://{host}"}, False),
            ({"Origin": f"https://{host}"}, True),
            ({"X-Forwarded-Proto": "https"}, True),
            ({"X-Forwarded-Proto": "HTTPS, http"}, True),
            ({"X-Forwarded-Proto": "http"}, False),
        ):
            form = {"token": "operator-token-1"}
            answer = await at.ask("POST", "/login", data=form, headers=headers, allow_redirects=False)
            assert answer.status == 303
            assert ("Secure" in answer.headers["Set-Cookie"]) is secure, headers
