"""Who may come in: tokens, hosts and origins."""

from __future__ import annotations

import re

import pytest
from redis.asyncio import Redis

from monitor.errors import ConfigError
from monitor.web.documents import api_document
from monitor.web.session import COOKIE
from tests.integration.web.serving import served

TOKENS = ", tokens: [first-token, second-token]"


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("Bearer second-token", 200),
        ("bearer first-token", 200),
        ("Bearer second-toke", 401),
        ("Bearer second-token1", 401),
        ("Basic second-token", 401),
        ("Bearer ", 401),
        ("Bearer ö", 401),
    ],
)
async def test_a_token_opens_api_and_metrics(
    redis: Redis, store_url: str, authorization: str | None, status: int
) -> None:
    """Any of web.tokens; health needs none."""
    headers = {"Authorization": authorization} if authorization is not None else {}
    async with served(store_url, web=TOKENS) as at:
        for path in ("/api/v1/sources", "/metrics", "/nothing"):
            answer = await at.ask("GET", path, headers=headers)
            assert answer.status == (404 if path == "/nothing" and status == 200 else status)
            assert ("WWW-Authenticate" in answer.headers) is (status == 401)
        poll = await at.ask("POST", "/api/v1/sources/tax/poll", headers=headers)
        assert poll.status == (202 if status == 200 else 401)
        assert (await at.ask("GET", "/healthz")).status == 200
        assert (await at.ask("POST", "/hooks/tax", headers=at.hook())).status == 202, "hooks have their own secret"


@pytest.mark.parametrize("host", ["evil.example.org", "127.0.0.1.evil.example.org", "", "[::1", "a@evil.org:1"])
async def test_a_foreign_host_is_refused(redis: Redis, store_url: str, host: str) -> None:
    """A page that had its own name resolved to this machine says that name."""
    async with served(store_url) as at:
        for path in ("/api/v1/sources", "/healthz"):
            assert (await at.ask("GET", path, headers={"Host": host})).status in {400, 403}
        port = at.url.rpartition(":")[2]
        for mine in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
            assert (await at.ask("GET", "/api/v1/sources", headers={"Host": mine})).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example.org", "null", "http://127.0.0.1:1", "http://[", "//"])
async def test_a_foreign_origin_is_refused(redis: Redis, store_url: str, origin: str) -> None:
    """A page of another site cannot have a scan made, nor read."""
    async with served(store_url) as at:
        for method, path in (("POST", "/api/v1/sources/tax/poll"), ("GET", "/api/v1/events")):
            assert (await at.ask(method, path, headers={"Origin": origin})).status == 403
        assert (await at.ask("POST", "/api/v1/sources/tax/poll", headers={"Origin": at.url})).status == 202


@pytest.mark.parametrize("listen", ["0.0.0.0:0", ":0", "10.0.0.1:0", "example.org:0"])
async def test_beyond_loopback_nothing_starts_without_a_token(redis: Redis, store_url: str, listen: str) -> None:
    """And the message says what to do."""
    with pytest.raises(ConfigError, match="add tokens, or listen on 127") as caught:
        async with served(store_url, listen=listen):
            pass

    assert "web" in str(caught.value)


async def test_beyond_loopback_any_host_is_served_with_a_token(redis: Redis, store_url: str) -> None:
    """Its names are not known here, and the token is the guard."""
    async with served(store_url, web=TOKENS, listen="0.0.0.0:0") as at:
        headers = {"Host": "jobs.example.org", "Authorization": "Bearer first-token"}

        assert (await at.ask("GET", "/api/v1/sources", headers=headers)).status == 200
        assert (await at.ask("GET", "/api/v1/sources", headers={"Host": "jobs.example.org"})).status == 401


CHANGES = [
    (method.upper(), re.sub(r"\{[^}]*\}", "tax", path))
    for path, item in api_document()["paths"].items()
    for method in item
    if method != "get" and path.startswith("/api/")
]


async def test_no_change_is_made_without_the_right_to(redis: Redis, store_url: str) -> None:
    """Every operation that changes or sends anything: not without a token, by a reader, from elsewhere, or unmarked."""
    tokens = ", tokens: [operator], read_tokens: [reader]"
    async with served(store_url, web=tokens) as at:
        async with at.http.post(f"{at.url}/login", data={"token": "operator"}, allow_redirects=False) as answer:
            session = {"Cookie": f"{COOKIE}={answer.cookies[COOKIE].value}"}
        at.http.cookie_jar.clear()
        before = await at.watch.services.store.log.end()
        for method, path in CHANGES:
            asked = [
                (401, {}),
                (403, {"Authorization": "Bearer reader"}),
                (403, {"Authorization": "Bearer operator", "Origin": "https://evil.example.org"}),
                (403, session),
                (403, {**session, "X-Mark": "guessed"}),
            ]
            for status, headers in asked:
                assert (await at.ask(method, path, headers=headers)).status == status, (method, path, headers)
        assert len(CHANGES) > 15
        assert await at.watch.services.store.log.end() == before
