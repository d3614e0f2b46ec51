"""The four provider stand-ins on the ports they had, in the state they were left in."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from monitor.demo import home
from monitor.simulator import Simulator, keep
from monitor.simulator.life import Change

_AT_MOST_EVERY = 0.25  # seconds between two writes of the world


@dataclass(slots=True)
class World:
    """The living providers. What happens is written down before anybody can ask for it, or a moment later."""

    sim: Simulator
    files: home.Home
    left_at: float | None
    told: Callable[[Change], object]
    _written: float = 0.0
    _due: asyncio.TimerHandle | None = field(default=None)

    @property
    def ports(self) -> list[int]:
        """The ports of the providers and of the control."""
        urls = [*(server.base_url for server in self.sim.servers.values()), self.sim.control_url]
        return [int(url.rpartition(":")[2]) for url in urls]

    def changed(self, change: Change) -> None:
        """Hears of each change, when it has happened."""
        self.told(change)
        wait = self._written + _AT_MOST_EVERY - time.monotonic()
        if wait <= 0:
            self.write()
        elif self._due is None:
            self._due = asyncio.get_running_loop().call_later(wait, self.write)

    def write(self) -> None:
        """Writes the world down now."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        try:
            self.files.keep_world(home.World(time.time(), keep.dump(self.sim)))
        except OSError as error:
            # The disk may be full; the life goes on, and the next change writes it all again.
            structlog.get_logger().error("demo.world_not_kept", error=str(error))
        self._written = time.monotonic()

    def freeze(self) -> None:
        """Lets nothing more happen by itself."""
        self.sim.life.set_rate(0)


@asynccontextmanager
async def living(
    files: home.Home, seed: int, ports: Sequence[int], told: Callable[[Change], object]
) -> AsyncIterator[World]:
    """The world of a data directory, in which nothing happens yet; written down at the end of the block."""
    left, sim = restored(files, seed, ports)
    if left is None:
        # What is stored belongs to a world that is gone: in a new one all of it would look changed.
        files.clear_store()
    world = World(sim, files, left.at if left else None, told)
    sim.life.on_change = world.changed
    async with sim:
        world.write()
        try:
            yield world
        finally:
            world.freeze()
            world.write()


def restored(files: home.Home, seed: int, ports: Sequence[int]) -> tuple[home.World | None, Simulator]:
    """What was left, None if nothing that can be used, and a simulator that goes on from there."""
    left = files.world()
    if left is not None:
        sim = Simulator(seed=seed, ports=ports)
        try:
            keep.restore(sim, left.kept)
        except ValueError:
            left = None
        else:
            return left, sim
    return None, Simulator(seed=seed, ports=ports)


def free_port(port: int, host: str = "127.0.0.1") -> int:
    """The port if nobody has it, else one that nobody has now."""
    with socket.socket() as probe:
        probe.bind((host, free_or_any(port, host) if port else 0))
        return int(probe.getsockname()[1])


def free_or_any(port: int, host: str = "127.0.0.1") -> int:
    """The port if nobody has it, else 0: any other."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return 0
    return port
