"""What stands while a demo runs, started in order and ended in order: the world, the receivers, the store."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import monitor
from monitor.bootstrap import Store, store_of
from monitor.demo import config
from monitor.demo.happenings import Happenings
from monitor.demo.home import Home, Memory
from monitor.demo.plan import SEED, Plan
from monitor.demo.world import World, free_or_any, free_port, living
from monitor.embedded import EmbeddedStore
from monitor.errors import UsageError
from monitor.settings import Settings, load
from monitor.simulator import Delivery, Receiver, SlackLookalike, SlackMessage
from monitor.simulator.life import Change
from monitor.store.connect import connect

Arrivals: TypeAlias = asyncio.Queue[Delivery | SlackMessage | None]
"""What the receivers got, in order; None: nothing more will come."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What stands while a demo runs: the world, the receivers, the store, and the settings made of them."""

    home: Home
    world: World
    receiver: Receiver
    slack: SlackLookalike
    server: EmbeddedStore
    store: Store
    settings: Settings


@asynccontextmanager
async def built(plan: Plan, home: Home, arrivals: Arrivals, happenings: Happenings) -> AsyncIterator[Stage]:
    """Everything but the workers, running; what arrives at the receivers is put into `arrivals`."""
    memory = _memory(plan, home)
    ports = [free_or_any(port) if port else 0 for port in memory.ports]

    def noted(change: Change) -> None:
        happenings.note(change, time.time())

    receiver = Receiver([memory.secret], port=ports[5], on_delivery=arrivals.put_nowait)
    slack = SlackLookalike(port=ports[6], on_message=arrivals.put_nowait)
    async with living(home, memory.seed, ports[:5], noted) as world, receiver, slack:
        page = free_port(ports[7])
        memory.ports = [*world.ports, _port(receiver.url), _port(slack.webhook_url), page]
        home.remember(memory)
        text = config.config_text(plan.data_dir, world.sim, receiver, slack, memory.secret, plan.pace, page)
        home.write_config(text)
        async with EmbeddedStore(plan.data_dir) as server:
            db = await connect(server.url)
            try:
                settings = load(home.config, {})
                yield Stage(home, world, receiver, slack, server, store_of(db), settings)
            finally:
                await db.close()


def role_command(role: str, home: Home) -> list[str]:
    """The command of a worker or of the page, as it runs in production."""
    return [sys.executable, "-m", "monitor.cli", role, "--config", str(home.config.absolute())]


def role_environ(store_url: str) -> dict[str, str]:
    """Its environment: ours, with the store of the demo, and this checkout wherever it was started from."""
    checkout = str(Path(monitor.__file__).resolve().parents[1])
    paths = [checkout, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "JOBWIRE_STORE_URL": store_url, "PYTHONPATH": os.pathsep.join(paths)}


def _memory(plan: Plan, home: Home) -> Memory:
    memory = home.memory(SEED if plan.seed is None else plan.seed)
    if plan.seed is not None and plan.seed != memory.seed:
        raise UsageError(
            f"the demo in {home.path} began with seed {memory.seed}. "
            f"For --seed {plan.seed} add --fresh, or give another --data-dir."
        )
    return memory


def _port(url: str) -> int:
    return int(url.split("/")[2].rpartition(":")[2])
