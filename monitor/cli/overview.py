"""`jobwire sources`, `jobwire targets`: how well it goes; `jobwire target enable|disable`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from monitor.cli.desk.asked import values
from monitor.cli.desk.opening import desk
from monitor.cli.options import HERE, AsJson, Target, Where
from monitor.cli.output import json_line, say, shorter, table
from monitor.cli.phrases import ago, plural


async def sources(*, where: Where = HERE, as_json: AsJson = False) -> int:
    """Show each source: how fresh it is, when it is due next, what is wrong."""
    async with desk(where) as at:
        found, now = await at.sources(), await at.now()
    if as_json:
        for one in found:
            json_line(one)
    else:
        head = ("source", "provider", "state", "fresh", "items", "next scan", "error")
        table(head, [_source_row(values(one), now) for one in found])
    return 0


async def targets(*, where: Where = HERE, as_json: AsJson = False) -> int:
    """Show each target: what waits for it, how much of what was sent arrived, whether it is held."""
    async with desk(where) as at:
        found, now = await at.targets(detail=not as_json), await at.now()
    if as_json:
        for one in found:
            json_line(one)
    else:
        head = ("target", "type", "state", "backlog", "oldest", "success", "circuit", "address")
        table(head, [_target_row(values(one), now) for one in found])
    return 0


async def enable(name: Target, /, *, where: Where = HERE) -> int:
    """Send to a target again that was disabled, its backlog first."""
    return await _switch(name, where, on=True)


async def disable(name: Target, /, *, where: Where = HERE) -> int:
    """Send a target nothing until it is enabled again; events go on waiting for it."""
    return await _switch(name, where, on=False)


async def _switch(name: str, where: Where, *, on: bool) -> int:
    async with desk(where) as at:
        await at.known("target", name)
        done = values(await at.switch(name, on=on))
    already = "" if done["changed"] else " already"
    say(f"{name} is {done['state']}{already}; {plural(done['backlog'], 'delivery', 'deliveries')} waiting")
    return 0


def _source_row(one: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    held = one.get("held", 0)
    return (
        one["name"],
        one["provider"],
        one["state"],
        ago(one["fresh_at"], now) if one["fresh_at"] else "never",
        f"{one['items']:,}" + (f" ({held:,} missing, held)" if held else ""),
        ago(one["next_at"], now) if one["state"] != "disabled" else "-",
        shorter(one["error"] or "-", 100),
    )


def _target_row(one: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    rate = f"{one['success_rate']:.0%}" if one["success_rate"] is not None else "-"
    waits, oldest = f"{one['backlog']:,}", ago(one["oldest_at"], now)
    if one.get("given_up"):
        waits += f" ({one['given_up']:,} given up)"
    return one["name"], one["type"], one["state"], waits, oldest, rate, one["circuit"], one["address"]
