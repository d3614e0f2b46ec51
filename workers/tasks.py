"""The ARQ tasks. Each is short, safe to run twice at once, and asks the store what there is to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from monitor.bootstrap import Services
from monitor.errors import StoreUnavailable


@contextmanager
def _through_outages(task: str) -> Iterator[None]:
    """A store that goes away ends the task with a word: what it has not done is still due, and found by the next."""
    try:
        yield
    except StoreUnavailable as error:
        structlog.get_logger().warning("task.interrupted", task=task, error=str(error))


async def scan(ctx: dict[str, Any], source: str, slot: int) -> None:
    """Scan one source for one slot; refused when the slot is done or somebody scans it now."""
    services: Services = ctx["services"]
    if source in services.sources:
        with _through_outages("scan"):
            await services.scanner.scan(services.sources[source], slot)


async def relay(ctx: dict[str, Any]) -> None:
    """Put committed events into lanes: the net below the resident consumer."""
    services: Services = ctx["services"]
    with _through_outages("relay"):
        await services.consumer.relay.relay()


async def deliver(ctx: dict[str, Any], target: str) -> None:
    """Deliver what is due for one target: the net below the resident consumer."""
    services: Services = ctx["services"]
    if target in services.targets:
        with _through_outages("deliver"):
            await services.consumer.deliverer.deliver(services.targets[target])


async def ring(ctx: dict[str, Any]) -> None:
    """Tell deadlines that are due: the net below the resident consumer."""
    services: Services = ctx["services"]
    with _through_outages("ring"):
        await services.consumer.ringer.ring()


async def upkeep(ctx: dict[str, Any]) -> None:
    """Forget what has outlived its retention."""
    services: Services = ctx["services"]
    with _through_outages("upkeep"):
        await services.store.upkeep.run(services.sources, services.targets)
