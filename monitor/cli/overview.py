"""`jobwire sources`, `jobwire targets`: how well it goes; `jobwire target enable|disable`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from cyclopts import Parameter

from monitor.cli import session
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, say, shorter, table
from monitor.cli.phrases import ago, plural
from monitor.moments import from_millis
from monitor.status import (
    SourceView,
    TargetView,
    source_view,
    target_view,
)

Target = Annotated[str, Parameter(help="The target's name in the config file.")]


async def sources(*, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    """Show each source: how fresh it is, when it is due next, what is wrong."""
    async with session.installation(config) as running:
        now_ms = await running.store.db.now_ms()
        parts = running.store.sources, running.store.items
        found = [await source_view(*parts, one, now_ms) for one in running.sources.values()]
    if as_json:
        for one in found:
            json_line(one)
    else:
        now = from_millis(now_ms)
        head = ("source", "provider", "state", "fresh", "items", "next scan", "error")
        table(head, [_source_row(one, now) for one in found])
    return 0


async def targets(*, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    """Show each target: what waits for it, how much of what was sent arrived, whether it is held."""
    async with session.installation(config) as running:
        now_ms, reading = await running.store.db.now_ms(), running.store.reading
        settings = running.settings.targets.values()
        found = [await target_view(reading, one.name, one.type, now_ms) for one in settings]
        where = {name: one.target.address() for name, one in running.targets.items()}
    if as_json:
        for one in found:
            json_line(one)
    else:
        now = from_millis(now_ms)
        head = ("target", "type", "state", "backlog", "oldest", "success", "circuit", "address")
        table(head, [_target_row(one, now, where[one.name]) for one in found])
    return 0


async def enable(name: Target, /, *, config: ConfigFile = DEFAULT_CONFIG) -> int:
    """Send to a target again that was disabled, its backlog first."""
    return await _switch(name, config, on=True)


async def disable(name: Target, /, *, config: ConfigFile = DEFAULT_CONFIG) -> int:
    """Send a target nothing until it is enabled again; events go on waiting for it."""
    return await _switch(name, config, on=False)


async def _switch(name: str, config: ConfigFile, *, on: bool) -> int:
    settings = session.read(config)
    session.known("target", name, settings.targets)
    async with session.wired(settings) as running:
        switch = running.store.switch
        changed = await (switch.on(name) if on else switch.off(name))
        waiting = (await running.store.reading.backlog(name)).size
    what = "enabled" if on else "disabled"
    say(f"{name} is {what}{'' if changed else ' already'}; {plural(waiting, 'delivery', 'deliveries')} waiting")
    return 0


def _source_row(one: SourceView, now: datetime) -> tuple[str, ...]:
    return (
        one.name,
        one.provider,
        one.state,
        ago(one.fresh_at, now) if one.fresh_at else "never",
        f"{one.items:,}" + (f" ({one.held:,} missing, held)" if one.held else ""),
        ago(one.next_at, now) if one.state != "disabled" else "-",
        shorter(one.error or "-", 100),
    )


def _target_row(one: TargetView, now: datetime, address: str) -> tuple[str, ...]:
    rate = f"{one.success_rate:.0%}" if one.success_rate is not None else "-"
    return one.name, one.type, one.state, f"{one.backlog:,}", ago(one.oldest_at, now), rate, one.circuit, address
