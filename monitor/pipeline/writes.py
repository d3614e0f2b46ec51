"""What a walk has under way to the store: one write at the most, in the order of the pages.

While a page is written the next one is fetched, and so neither the provider nor the store waits for the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any


class Writes:
    """Begins writes one after the other. What a write raises is raised by whoever comes next, and then none begins."""

    def __init__(self) -> None:
        self._under_way: asyncio.Task[None] | None = None

    async def begin(self, write: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin a write as soon as the one before is done."""
        await self.done()
        self._under_way = asyncio.create_task(write())

    async def done(self) -> None:
        """Come back when nothing is under way."""
        write, self._under_way = self._under_way, None
        if write is not None:
            await write

    async def _give_up(self) -> None:
        write, self._under_way = self._under_way, None
        if write is not None:
            write.cancel()
            await asyncio.gather(write, return_exceptions=True)

    @asynccontextmanager
    async def ended(self) -> AsyncIterator[None]:
        """Nothing is under way after the block, however it ends; when it is cancelled, so is the write."""
        try:
            yield
        except asyncio.CancelledError:
            await self._give_up()
            raise
        finally:
            await self.done()
