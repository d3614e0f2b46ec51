"""Writes that are under way while the next page is fetched: one at a time, in order, and none left behind."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from monitor.errors import Fenced
from monitor.pipeline.writes import Writes


class Store:
    """A store that finishes a write when it is allowed to."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.written: list[str] = []
        self.gate = asyncio.Event()

    async def write(self, page: str, error: Exception | None = None) -> None:
        self.begun.append(page)
        await self.gate.wait()
        if error is not None:
            raise error
        self.written.append(page)


async def turns() -> None:
    """Let everything that can go on go on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_next_write_begins_when_the_one_before_is_done() -> None:
    """A write is begun without being waited for; the next one waits for it, so pages are written in order."""
    store, writes = Store(), Writes()
    await writes.begin(partial(store.write, "first"))
    second = asyncio.create_task(writes.begin(partial(store.write, "second")))
    await turns()
    assert store.begun == ["first"]
    store.gate.set()
    await second
    await writes.done()
    assert store.written == ["first", "second"]


async def test_what_a_write_raises_keeps_the_next_one_from_beginning() -> None:
    """A lost lease ends the walk before anything of a later page is written."""
    store, writes = Store(), Writes()
    store.gate.set()
    await writes.begin(partial(store.write, "first", Fenced("another worker took over")))
    with pytest.raises(Fenced):
        await writes.begin(partial(store.write, "second"))
    await writes.done()
    assert store.begun == ["first"]


async def test_the_last_write_is_done_when_the_block_ends() -> None:
    """Whatever the walk ends with, its last write is done by then."""
    store, writes = Store(), Writes()

    async def walk() -> None:
        async with writes.ended():
            await writes.begin(partial(store.write, "last"))
            raise ValueError("a page that cannot be read")

    walking = asyncio.create_task(walk())
    await turns()
    assert not walking.done()
    store.gate.set()
    with pytest.raises(ValueError, match="cannot be read"):
        await walking
    assert store.written == ["last"]


async def test_a_lost_lease_counts_more_than_what_ended_the_walk() -> None:
    """The write's own error comes out of the block, because nothing after it may be written."""
    store, writes = Store(), Writes()
    store.gate.set()

    async def walk() -> None:
        async with writes.ended():
            await writes.begin(partial(store.write, "last", Fenced("another worker took over")))
            raise ValueError("a page that cannot be read")

    with pytest.raises(Fenced):
        await walk()


async def test_a_cancelled_walk_cancels_its_write() -> None:
    """A worker that is told to stop does not wait for a store that hangs."""
    store, writes = Store(), Writes()

    async def walk() -> None:
        async with writes.ended():
            await writes.begin(partial(store.write, "last"))
            await asyncio.Event().wait()

    walking = asyncio.create_task(walk())
    await turns()
    assert store.begun == ["last"]
    walking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await walking
    assert store.written == []


async def test_a_cancelled_walk_is_cancelled_though_its_write_failed() -> None:
    """What the write raised meanwhile must not hide from the worker that it was told to stop."""
    store, writes = Store(), Writes()
    store.gate.set()

    async def walk() -> None:
        async with writes.ended():
            await writes.begin(partial(store.write, "last", Fenced("another worker took over")))
            await asyncio.Event().wait()

    walking = asyncio.create_task(walk())
    await turns()
    walking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await walking
