"""Whether the hosts of sources and targets can be connected to from here. Nothing is sent."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit

from monitor.egress import Egress
from monitor.settings import Settings
from monitor.status.diagnosis import Finding

SECONDS = 5.0
_PORTS = {"http": 80, "https": 443}


def ways(settings: Settings) -> list[tuple[str, str, Egress | None]]:
    """Settings in, where sources and targets are out, as `reach` takes it: targets behind the guard of `egress`."""
    guard = Egress(settings.egress.allow)
    found: list[tuple[str, str, Egress | None]] = [
        (f"source {name}", str(one.options.base_url), None) for name, one in settings.sources.items()
    ]
    return found + [
        (f"target {name}", url, guard)
        for name, one in settings.targets.items()
        for url in one.options.destinations().values()
    ]


async def reach(places: Iterable[tuple[str, str, Egress | None]]) -> list[Finding]:
    """What it is about, its URL, and who guards the way there (None: nobody) in; a finding each out."""
    return list(await asyncio.gather(*(_reach(*place) for place in places)))


async def _reach(about: str, url: str, guard: Egress | None) -> Finding:
    parts = urlsplit(url)
    host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme)
    if host is None or port is None:
        return Finding("problem", about, "its address names no host", "correct its address in the config file")
    try:
        async with asyncio.timeout(SECONDS):
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = [str(info[4][0]) for info in found]
            blocked = [guard.problem(one) for one in addresses] if guard else [None] * len(addresses)
            open_ones = [one for one, problem in zip(addresses, blocked, strict=True) if problem is None]
            if not open_ones:
                return Finding("problem", about, blocked[0] or "no address", "add its network to egress.allow")
            return await _connect(about, host, port, open_ones)
    except TimeoutError:
        return Finding("problem", about, f"{host}:{port} does not answer within {SECONDS:g} s", _ADVICE)
    except OSError as error:
        return Finding("problem", about, f"{host}:{port}: {error.strerror or error}", _ADVICE)


async def _connect(about: str, host: str, port: int, addresses: list[str]) -> Finding:
    last: OSError | None = None
    for address in addresses:
        try:
            _, writer = await asyncio.open_connection(address, port)
        except OSError as error:
            last = error
            continue
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return Finding("ok", about, f"{host}:{port} takes connections at {address}")
    assert last is not None  # noqa: S101 - there is at least one address, and none took a connection
    raise last


_ADVICE = "is the address right, is it up, does a firewall stand between?"
