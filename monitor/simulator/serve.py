"""An address, a seed and a rate in, the stand-ins running for a person at a terminal out: ``jobwire simulate``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress

from monitor.simulator.life import Change
from monitor.simulator.simulator import Simulator

_GUIDE = """\
Four provider stand-ins are running and change by themselves ({rate:g} changes a second, seed {seed}).

  driver_jobs  {sim.driver_jobs.base_url}
  worklayer    {sim.worklayer.base_url}
  bindbee      {sim.bindbee.base_url}
  devrev       {sim.devrev.base_url}
  control      {sim.control_url}

To watch them, put this into the config file of jobwire (the credentials are made up and valid only here):

{config}
Make one particular thing happen, or let a provider fail; {sim.control_url} explains all of it:

  curl -X POST {sim.control_url}/step
  curl -X PATCH {sim.control_url}/worklayer/items/{job} -d '{{"status": "CLOSED"}}'
  curl {sim.control_url}/devrev/faults -d '{{"status": 503, "times": 5}}'

Ctrl-C ends it. What happens:

"""

_CONFIG = """\
sources:
  drivers:
    provider: driver_jobs
    base_url: "{sim.driver_jobs.base_url}"
    token: "{sim.driver_jobs.token}"
    every: 2s
    timezone: Europe/London
  tax:
    provider: worklayer
    base_url: "{sim.worklayer.base_url}"
    client_id: "{sim.worklayer.client_id}"
    client_secret: "{sim.worklayer.client_secret}"
    token_url: "{sim.worklayer.token_url}"
    audience: "{sim.worklayer.audience}"
    every: 2s
  ats:
    provider: bindbee
    base_url: "{sim.bindbee.base_url}"
    token: "{sim.bindbee.token}"
    connector_token: "{sim.bindbee.connector_token}"
    every: 2s
  devrev:
    provider: devrev
    base_url: "{sim.devrev.base_url}"
    token: "{sim.devrev.token}"
    every: 2s
"""


def config_of(sim: Simulator) -> str:
    """Take a running simulator and give the ``sources`` part of a config file that watches it, as YAML."""
    return _CONFIG.format(sim=sim)


def address(listen: str) -> tuple[str, tuple[int, int, int, int, int]]:
    """Take ``host:port``, ``host`` or ``:port`` and give the host and five ports: from ``port`` on, or any free ones.

    Raises ``ValueError`` when the port is no number or leaves no room for four more.
    """
    host, colon, text = listen.rpartition(":")
    if not colon or listen.endswith("]"):
        host, text = listen, "0"
    port = int(text) if text.isdigit() else -1
    if not 0 <= port <= 65_531:
        raise ValueError(f"{listen!r}: expected HOST:PORT with a port of 0 to 65531")
    first, second, third, fourth, fifth = (port + n if port else 0 for n in range(5))
    return host.strip("[]") or "127.0.0.1", (first, second, third, fourth, fifth)


async def serve(listen: str, seed: int, rate: float, write: Callable[[str], object] | None = None) -> None:
    """Run the stand-ins until cancelled; tell where they are, how to watch them, and everything that happens.

    ``listen`` is as in ``address``; ``write`` takes the text (standard output when it is not given).
    """
    tell = write or _tell
    host, ports = address(listen)
    async with Simulator(seed=seed, rate=rate, host=host, ports=ports) as sim:
        config = "".join(f"    {line}\n" for line in config_of(sim).splitlines())
        job = next(iter(sim.worklayer.items))
        tell(_GUIDE.format(sim=sim, rate=rate, seed=seed, config=config, job=job))
        sim.life.on_change = lambda change: tell(_line(sim, change))
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


def _line(sim: Simulator, change: Change) -> str:
    return f"{sim.driver_jobs.now():%H:%M:%S} {change.provider:<12} {change.text}\n"


def _tell(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
