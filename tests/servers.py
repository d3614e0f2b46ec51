"""Small HTTP servers on loopback and a clock that passes when somebody waits, for tests of the runners."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from aiohttp import web

from monitor.clock import Clock

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Talk: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    """An aiohttp server that answers every path by `handler`; its root URL."""

    async def route(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    app = web.Application(client_max_size=100_000_000)
    app.router.add_route("*", "/{path:.*}", route)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[str]:
    """A bare TCP server that speaks as `talk` says, well or badly; its root URL."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """One request's head and, by its content-length, its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = [line.partition(b":")[2] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    return head + (await reader.readexactly(int(length[0])) if length else b"")


@dataclass(slots=True)
class PassingClock:
    """Time that passes only by waiting; `slept` holds every wait asked for."""

    at: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime(2026, 1, 5, 9, 30, tzinfo=UTC) + timedelta(seconds=self.at - 1000.0)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds
        await asyncio.sleep(0)

    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.at, now=self.now, sleep=self.sleep, random=lambda: 0.5)
