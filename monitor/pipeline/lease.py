"""Keeping a scan's lease while it runs: renewed at a third of its life, left to lapse when the worker dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from monitor.errors import StoreUnavailable
from monitor.store.sources import Lease, Sources


@asynccontextmanager
async def handed_back(sources: Sources, lease: Lease) -> AsyncIterator[None]:
    """Give the lease back when the block is cancelled: whoever scans next need not wait until it lapses."""
    try:
        yield
    except asyncio.CancelledError:
        await asyncio.shield(sources.release(lease))
        raise


@asynccontextmanager
async def kept(sources: Sources, lease: Lease, ttl_ms: int) -> AsyncIterator[None]:
    """Renew the lease while the block runs.

    A lease that is lost is not fought for: the fence refuses this worker's next write, and the scan ends there.
    """
    task = asyncio.create_task(_renew(sources, lease, ttl_ms))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _renew(sources: Sources, lease: Lease, ttl_ms: int) -> None:
    while True:
        await asyncio.sleep(ttl_ms / 3000)
        try:
            if not await sources.renew(lease, ttl_ms):
                structlog.get_logger().warning("scan.lease_lost", source=lease.source, epoch=lease.epoch)
                return
        except StoreUnavailable as error:
            structlog.get_logger().warning(
                "scan.lease_not_renewed", source=lease.source, epoch=lease.epoch, error=str(error)
            )
