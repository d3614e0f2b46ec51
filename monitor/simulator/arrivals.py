"""Things that arrive in, a bounded list and a way to wait for them out: shared by the two receivers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Arrivals(Generic[T]):
    """What has arrived, oldest first; of more than ``keep`` the oldest are forgotten."""

    def __init__(self, what: str, keep: int = 10_000) -> None:
        self.items: list[T] = []
        self._what = what
        self._keep = keep
        self._news = asyncio.Event()

    def add(self, item: T) -> None:
        """Take one more and wake whoever waits."""
        self.items.append(item)
        del self.items[: -self._keep]
        self.stir()

    def stir(self) -> None:
        """Wake whoever waits: something in an item has changed."""
        self._news.set()

    async def wait_for(
        self,
        predicate: Callable[[list[T]], bool],
        timeout: float,  # noqa: ASYNC109 - the error must tell what had arrived
    ) -> list[T]:
        """Wait until ``predicate`` holds for the list of all items, and give a copy of the list.

        Raises ``TimeoutError`` that tells what had arrived, after ``timeout`` seconds.
        """
        deadline = asyncio.get_running_loop().time() + timeout
        while not predicate(self.items):
            self._news.clear()
            left = deadline - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(self._news.wait(), max(0.0, left))
            except TimeoutError:
                last = "".join(f"\n  {item!r}" for item in self.items[-5:])
                what = f"{len(self.items)} {self._what} so far"
                raise TimeoutError(f"waited {timeout} s in vain, {what}{last}") from None
        return list(self.items)
