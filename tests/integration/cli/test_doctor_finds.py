"""Each thing that `jobwire doctor` looks at, where it is wrong, on a real server: what it says, and what to do."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from monitor.cli.desk.diagnosing import found_here
from tests import stores
from tests.integration.cli.test_doctor import works
from tests.integration.store.redis_servers import redis_server

SECRET_OF_THE_FILE = "a-token-that-stands-in-the-file"


@asynccontextmanager
async def relayed(path: str, ahead_s: int) -> AsyncIterator[str]:
    """The store at a socket through a wire on which its clock is ahead by so many seconds; its URL.

    A server's reply to TIME is `*2`, the seconds and the microseconds, as two short texts.
    """
    seconds = re.compile(rb"(?<=\*2\r\n\$10\r\n)\d{10}(?=\r\n\$\d\r\n\d{1,6}\r\n)")

    def later(found: re.Match[bytes]) -> bytes:
        return b"%d" % (int(found[0]) + ahead_s)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, back: bool) -> None:
        while data := await reader.read(65_536):
            writer.write(seconds.sub(later, data) if back else data)
            await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, to_them = await asyncio.open_unix_connection(path)
        both = (pass_on(reader, to_them, back=False), pass_on(theirs, writer, back=True))
        await asyncio.gather(*both, return_exceptions=True)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    finally:
        server.close()


@asynccontextmanager
async def old_server() -> AsyncIterator[str]:
    """What says OK to everything and that it is Redis 6.2; its URL."""
    info = b"# Server\r\nredis_version:6.2.14\r\n"
    replies = {b"INFO": b"$%d\r\n%s\r\n" % (len(info), info), b"PING": b"+PONG\r\n"}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            for command in re.findall(rb"\*\d+\r\n\$\d+\r\n(\w+)", data):
                writer.write(replies.get(command, b"+OK\r\n"))
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    finally:
        server.close()


async def doctor(directory: Path, url: str, *, mode: int = 0o600) -> dict[str, Any]:
    """What is not well with a config file of this mode and the store behind it, by what it is about."""
    path = directory / "jobwire.yaml"
    path.write_text(
        f'store: {{url: "{url}"}}\n'
        f'sources: {{tax: {{provider: worklayer, base_url: "http://127.0.0.1:1", token: {SECRET_OF_THE_FILE}}}}}\n'
        "targets: {}\nroutes: []\n"
    )
    path.chmod(mode)
    found = [json.loads(line) for line in await found_here(path)]
    return {one["about"]: one for one in found if one["level"] != "ok" and one["about"] != "source tax"}


@dataclass(frozen=True, slots=True)
class Wrong:
    """A setting of a server that is wrong, and what must be said of it."""

    name: str
    value: str
    level: str
    about: str
    advice: str


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong("maxmemory-policy", "volatile-ttl", "problem", "eviction", "CONFIG SET maxmemory-policy noeviction"),
        Wrong("appendonly", "no", "problem", "durability", "CONFIG SET appendonly yes"),
        Wrong("appendfsync", "no", "warning", "durability", "CONFIG SET appendfsync everysec"),
        Wrong("maxmemory", "1mb", "problem", "memory", "raise maxmemory"),
    ],
    ids=lambda wrong: wrong.name,
)
async def test_settings_that_lose_state_are_named_with_what_mends_them(
    redis: Redis, store_url: str, tmp_path: Path, wrong: Wrong
) -> None:
    """As a real server tells them; nothing else is said to be wrong."""
    assert "workers" in await doctor(tmp_path, store_url), "the state has its version now"
    await works(redis)
    before = (await redis.config_get(wrong.name))[wrong.name]
    await redis.config_set(wrong.name, wrong.value)
    try:
        found = await doctor(tmp_path, store_url)
    finally:
        await redis.config_set(wrong.name, before)
    assert {about: one["level"] for about, one in found.items()} == {wrong.about: wrong.level}
    assert wrong.advice in found[wrong.about]["advice"]


async def test_a_server_that_is_too_old_is_a_problem(tmp_path: Path) -> None:
    """By its own word, with the version that is needed."""
    async with old_server() as url:
        found = await doctor(tmp_path, url)
    assert found["store"]["level"] == "problem"
    assert "version 6.2; jobwire needs 7.0 or newer" in found["store"]["text"]


async def test_a_replica_is_a_problem(redis: Redis, store_url: str, tmp_path: Path) -> None:
    """It takes no writes, and can be looked at all the same."""
    program = (await stores.programs())[0]
    with stores.short_directory() as directory:
        async with redis_server(program, directory, "--appendonly", "yes") as url, stores.client(url) as server:
            assert "workers" in await doctor(tmp_path, url)
            await server.execute_command("REPLICAOF", "127.0.0.1", "1")  # type: ignore[no-untyped-call]  # redis-py is
            found = await doctor(tmp_path, url)
    assert (found["store"]["level"], found["store"]["advice"]) == ("problem", "name its master instead")


async def test_a_clock_that_is_off_is_named(redis: Redis, store_url: str, tmp_path: Path) -> None:
    """By how much, and in which direction, as the server's own clock tells it."""
    async with relayed(str(redis.connection_pool.connection_kwargs["path"]), ahead_s=90) as url:
        found = await doctor(tmp_path, url)
    assert found["clock"]["level"] == "problem"
    assert "behind the store's clock" in found["clock"]["text"]
    assert "NTP" in found["clock"]["advice"]


async def test_a_secret_that_others_may_read_is_named(redis: Redis, store_url: str, tmp_path: Path) -> None:
    """The line of each, and two ways out; a file for its owner alone may hold them."""
    await works(redis)
    assert await doctor(tmp_path, store_url) == {}
    found = await doctor(tmp_path, store_url, mode=0o644)
    assert found["config"]["level"] == "warning"
    assert "line 2" in found["config"]["text"]
    assert "chmod 600" in found["config"]["advice"]
    assert SECRET_OF_THE_FILE not in str(found)


async def test_nobody_who_works_and_workers_of_another_version_are_named(
    redis: Redis, store_url: str, tmp_path: Path
) -> None:
    """Nothing is due yet, and nothing will be done when it is."""
    found = await doctor(tmp_path, store_url)
    assert (found["workers"]["level"], "jobwire up" in found["workers"]["advice"]) == ("warning", True)
    await works(redis, "0.0.1")
    found = await doctor(tmp_path, store_url)
    assert "0.0.1" in found["workers"]["text"]
