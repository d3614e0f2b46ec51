"""What a walk needs of the store: to read what is known, and to write what has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from monitor.resources import Document
from monitor.store.items import ItemCommit
from monitor.store.pages import PageCommit


class Commit(Protocol):
    """Writes items, and with them what is remembered of their page."""

    async def __call__(self, commits: Sequence[ItemCommit], page: PageCommit | None = None) -> list[str]:
        """The ids of items that somebody else changed meanwhile: nothing was written of them, nor of the page."""
        ...


class Reads(Protocol):
    """What a walk reads from the store (`monitor.store.items.Items`)."""

    async def stored(self, source: str, ids: Sequence[str]) -> list[bytes | None]:
        """Stored values by id."""
        ...

    async def documents(
        self, source: str, ids: Sequence[str], stored: Sequence[bytes | None] | None = None
    ) -> list[Document | None]:
        """Documents by id, out of the values that `stored` gave for these ids where it was asked before."""
        ...
