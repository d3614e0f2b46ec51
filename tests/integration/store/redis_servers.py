"""A real Redis for tests that need one configured in their own way: a password, users, a file of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.stores import PATIENCE, client


@asynccontextmanager
async def redis_server(program: Path, directory: Path, *options: str) -> AsyncIterator[str]:
    """A server program and its directory (a short path) in, the URL of its socket out; it ends with the block."""
    socket = directory / "s.sock"
    words: Sequence[str] = ("--port", "0", "--unixsocket", str(socket), "--dir", str(directory), *options)
    with (directory / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(str(program), *words, stdout=log, stderr=log)
    try:
        async with asyncio.timeout(PATIENCE):
            while not await _answers(f"unix://{socket}"):
                assert process.returncode is None, (directory / "log").read_text()
                await asyncio.sleep(0.02)
        yield f"unix://{socket}"
    finally:
        if process.returncode is None:
            # Killed: a server that writes its first append-only file refuses to end, and nothing is read from it again.
            process.kill()
        await process.wait()
        socket.unlink(missing_ok=True)


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
