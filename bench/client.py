"""Starting the stand-in and the other processes of a measurement, and talking to them."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

_ROOT = Path(__file__).resolve().parents[1]
_READY_SECONDS = 60.0
LONG_SECONDS = 1200.0
"""For a process that does its whole work before it speaks."""
_STOP_SECONDS = 15.0


@asynccontextmanager
async def process(*arguments: str, ready: float = _READY_SECONDS) -> AsyncIterator[tuple[Process, str]]:
    """`python -m ARGUMENTS` as a process, with the first line it said; it ends when its standard input closes.

    That line is waited for so many seconds.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, cwd=_ROOT, stdin=PIPE, stdout=PIPE, limit=2**20
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        said = await asyncio.wait_for(child.stdout.readline(), ready)
        if not said:
            raise RuntimeError(f"python -m {' '.join(arguments)} ended before it was ready")
        yield child, said.decode().strip()
    finally:
        child.stdin.close()
        try:
            await asyncio.wait_for(child.wait(), _STOP_SECONDS)
        except TimeoutError:
            child.kill()
            await child.wait()


@dataclass(frozen=True, slots=True)
class StandIn:
    """The stand-in's address and its controls."""

    url: str
    session: aiohttp.ClientSession

    async def prepare(self, pages: int, generation: int) -> None:
        """Have it serve so many pages of that generation."""
        await self._get(f"prepare/{pages}/{generation}")

    async def arrivals(self) -> list[tuple[str, float]]:
        """Which webhooks came since the last call, and when (time.monotonic, one clock for the whole machine)."""
        return [(str(id), float(at)) for id, at in await self._get("arrivals")]

    async def count(self) -> int:
        """How many webhooks came since the last call to this or to `arrivals`."""
        return int(await self._get("count"))

    async def _get(self, what: str) -> Any:
        async with self.session.get(f"{self.url}/{what}") as answer:
            return json.loads(await answer.read())


@asynccontextmanager
async def stand_in() -> AsyncIterator[StandIn]:
    """The stand-in in a process of its own."""
    async with process("bench.server") as (_, port), aiohttp.ClientSession() as session:
        yield StandIn(f"http://127.0.0.1:{port}", session)
