"""The ARQ tasks. Each is short, safe to run twice at once, and asks the store what there is to do."""

from __future__ import annotations

from typing import Any

from monitor.bootstrap import Services


async def scan(ctx: dict[str, Any], source: str, slot: int) -> None:
    """Scan one source for one slot; refused when the slot is done or somebody scans it now."""
    services: Services = ctx["services"]
    if source in services.sources:
        await services.scanner.scan(services.sources[source], slot)


async def relay(ctx: dict[str, Any]) -> None:
    """Put committed events into lanes: the net below the resident consumer."""
    services: Services = ctx["services"]
    await services.consumer.relay.relay()


async def deliver(ctx: dict[str, Any], target: str) -> None:
    """Deliver what is due for one target: the net below the resident consumer."""
    services: Services = ctx["services"]
    if target in services.targets:
        await services.consumer.deliverer.deliver(services.targets[target])


async def ring(ctx: dict[str, Any]) -> None:
    """Tell deadlines that are due: the net below the resident consumer."""
    services: Services = ctx["services"]
    await services.consumer.ringer.ring()


async def upkeep(ctx: dict[str, Any]) -> None:
    """Forget what has outlived its retention."""
    services: Services = ctx["services"]
    await services.store.upkeep.run(services.sources, services.targets)
