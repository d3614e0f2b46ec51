"""What is measured in a process of its own: `python -m bench.child WHAT STORE_URL CONFIG`.

sweep     scan the first source once, print the peak of resident memory in MB
consume   the product's resident consumer, until standard input closes; prints `ready`
follow    the limit of the same, to the URL given as CONFIG
"""

from __future__ import annotations

import asyncio
import resource
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import aiohttp

from bench.limits import sending
from bench.place import config_file, opened, quiet
from monitor.bootstrap import services
from monitor.garbage import collect_seldom
from monitor.settings import load

FLIGHTS = 64


async def sweep(store_url: str, config: str) -> None:
    """One scan."""
    with config_file(config) as path:
        settings = load(path, {})
    async with services(settings, store_url) as running:
        (source,) = running.sources.values()
        report = await running.scanner.scan(source, 1, force=True)
        if report.refused or report.reason or report.tally.changed:
            raise RuntimeError(f"the sweep was no sweep: {report}")
    print(peak_megabytes(), flush=True)


def peak_megabytes() -> float:
    """The most memory that this program has had resident, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux counts to a process's own peak what its parent had when it started it, but not here.
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


async def consume(store_url: str, config: str) -> None:
    """The resident consumer of a worker."""
    with config_file(config) as path:
        settings = load(path, {})
    async with services(settings, store_url) as running:
        consuming = asyncio.create_task(running.consumer.run())
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        running.stopping.set()
        await consuming


async def follow(store_url: str, url: str) -> None:
    """A consumer of the barest kind."""
    connector = aiohttp.TCPConnector(limit=FLIGHTS)
    async with aiohttp.ClientSession(connector=connector) as session, opened(store_url) as redis:
        following = asyncio.create_task(sending.follow(session, redis, url, FLIGHTS))
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


ROLES: Mapping[str, Callable[[str, str], Awaitable[None]]] = {"sweep": sweep, "consume": consume, "follow": follow}


async def main(role: str, store_url: str, argument: str) -> None:
    """Play one role."""
    await ROLES[role](store_url, argument)


if __name__ == "__main__":
    collect_seldom()
    with quiet():
        asyncio.run(main(*sys.argv[1:4]))
