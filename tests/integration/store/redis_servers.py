"""A real Redis for tests that need one configured in their own way: a password, users, a file of its own."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.stores import PATIENCE, client

_TRIES = 20


@asynccontextmanager
async def redis_server(program: Path, directory: Path, *options: str) -> AsyncIterator[str]:
    """A server program and its directory (a short path) in, the URL of its socket out; it ends with the block."""
    place = directory / "s.sock"
    words: Sequence[str] = ("--port", "0", "--unixsocket", str(place), "--dir", str(directory), *options)
    with (directory / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(str(program), *words, stdout=log, stderr=log)
    try:
        async with asyncio.timeout(PATIENCE):
            while not await _answers(f"unix://{place}"):
                assert process.returncode is None, (directory / "log").read_text()
                await asyncio.sleep(0.02)
        yield f"unix://{place}"
    finally:
        if process.returncode is None:
            # Killed: a server that writes its first append-only file refuses to end, and nothing is read from it again.
            process.kill()
        await process.wait()
        place.unlink(missing_ok=True)


@asynccontextmanager
async def tcp_server(program: Path, directory: Path, *options: str, tls: Sequence[str] = ()) -> AsyncIterator[int]:
    """A server on 127.0.0.1 (of TLS alone where files of certificates are given as options) in, its port out."""
    async with started(program, directory, *options, tls=tls) as server:
        yield server.port


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens on a port of 127.0.0.1, and its process."""

    port: int
    process: asyncio.subprocess.Process


@asynccontextmanager
async def started(program: Path, directory: Path, *options: str, tls: Sequence[str] = ()) -> AsyncIterator[Server]:
    """The same, with its process; it ends with the block.

    The port is picked here, because a server cannot pick one; another is tried when somebody else was quicker.
    """
    for _ in range(_TRIES):
        server = await _start(program, directory, options, tls)
        if server is not None:
            break
    else:
        pytest.fail((directory / "log").read_text())
    try:
        yield server
    finally:
        if server.process.returncode is None:
            server.process.kill()
        await server.process.wait()


async def _start(program: Path, directory: Path, options: Sequence[str], tls: Sequence[str]) -> Server | None:
    """A server that listens; None when it did not start, as when its port was taken meanwhile."""
    port = free_port()
    listening = ("--port", "0", "--tls-port", str(port), *tls) if tls else ("--port", str(port))
    words = (*options, *listening, "--bind", "127.0.0.1", "--dir", str(directory))
    with (directory / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(str(program), *words, stdout=log, stderr=log)
    async with asyncio.timeout(PATIENCE):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            return Server(port, process)
    return None


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens now."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


async def _answers(url: str) -> bool:
    async with client(url) as redis:
        try:
            await redis.ping()
        except RedisError as error:
            # Without a user it says so, and that is an answer; a server that loads its file is not there yet.
            return "auth" in str(error).lower()
        return True


async def run(redis: Redis, *words: str) -> object:
    """One command, its reply out."""
    return await redis.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py is untyped here
