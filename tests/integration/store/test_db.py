"""The door to Redis: which versions open it, and what its errors say."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from monitor.errors import Fenced, StoreUnavailable
from monitor.store.connect import MINIMUM
from monitor.store.db import Db, counted, text, texts
from monitor.store.keys import Keys
from tests.integration.store.conftest import OLDEST, oldest_program


async def test_the_oldest_supported_redis_is_among_the_servers(server_url: str, db: Db) -> None:
    """Redis 7.0 itself runs every script and command, wherever it is installed."""
    if oldest_program() is None:
        pytest.skip(
            f"no redis-server {OLDEST}x on PATH to prove it on (Debian 12 has it: apt-get install redis-server)"
        )
    assert await db.version() >= MINIMUM


async def test_errors_are_ours_and_name_no_password() -> None:
    """A store that is not there, or refuses, is StoreUnavailable."""
    db = Db(Redis.from_url("redis://user:hunter2@127.0.0.1:1/0"), Keys("t"))
    for attempt in (db.run("PING"), db.run_all([("PING",)]), db.script("relay", ["a", "b"], [])):
        with pytest.raises(StoreUnavailable) as caught:
            await attempt
        assert "hunter2" not in str(caught.value)
    await db.close()


async def test_a_wrong_command_is_an_error_and_not_a_value(db: Db) -> None:
    """Alone, among others, and inside a script."""
    await db.run("SET", "t:lanes", "text")
    with pytest.raises(StoreUnavailable, match="WRONGTYPE"):
        await db.run("ZADD", "t:lanes", 1, "a")
    with pytest.raises(StoreUnavailable, match="WRONGTYPE"):
        await db.run_all([("PING",), ("ZADD", "t:lanes", 1, "a")])
    with pytest.raises(StoreUnavailable):
        await db.script("claim_lanes", ["t:lanes", "t:due", "t:hold", "t:target", "t:events"], ["a", "t", 1, 1, 1])


async def test_only_a_refused_lease_is_fenced(db: Db) -> None:
    """Callers stop on it, so nothing else may look like it."""
    with pytest.raises(Fenced):
        await db.script(
            "finish_scan", ["t:lease", "t:source", "t:missing", "t:events"], ["1:w", "t", 1, 0, 0, 0, 0, 0, 0]
        )


async def test_the_clock_is_the_stores(db: Db) -> None:
    """Milliseconds, never going back between two looks."""
    one = await db.now_ms()
    assert 1_600_000_000_000 < one <= await db.now_ms()


def test_replies_become_text_in_every_shape() -> None:
    """Bytes, none, and hashes as scripts and commands return them."""
    assert (text(b"a"), text(None), text("b"), text(3)) == ("a", "", "b", "3")
    assert texts([b"a", b"1", b"b", b"2"]) == texts({b"a": b"1", b"b": b"2"}) == {"a": "1", "b": "2"}
    assert texts(None) == {}
    assert counted(["a", 2]) == [2, "a", 2]
