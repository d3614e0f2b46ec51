"""Requests that are no HTTP, or too large to be read: answered, and no error of ours."""

from __future__ import annotations

import asyncio
import logging

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from tests.integration.web.serving import Served, served


async def sent(at: Served, head: str) -> bytes:
    """The first line of what is answered to these bytes."""
    host, _, port = at.url.partition("//")[2].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(head.encode())
    await writer.drain()
    try:
        return await reader.readline()
    finally:
        writer.close()


@pytest.mark.parametrize(
    "head",
    [
        f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {'secret' * 4000}\r\n\r\n",
        "POST /api/v1/sources/tax/poll HTTP/1.1\r\nHost: x\r\nContent-Length: secret\r\n\r\n",
    ],
    ids=["long header", "bad length"],
)
async def test_what_cannot_be_read_is_one_quiet_line(
    redis: Redis, store_url: str, head: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever sends it is told 400; the log says what it was without quoting it, and not as an error."""
    async with served(store_url) as at:
        with capture_logs() as logs, caplog.at_level(logging.INFO):
            assert b" 400 " in await sent(at, head)
        assert [(one["event"], one["log_level"]) for one in logs] == [("web.unreadable_request", "info")]
        assert "secret" not in str(logs)
        assert not caplog.records
        assert await at.get("/api/v1/sources")
