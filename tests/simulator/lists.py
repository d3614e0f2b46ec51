"""The four lists as one: fill any provider, ask for its first page, walk it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from monitor.simulator import Simulator
from monitor.simulator.server import ProviderServer
from tests.simulator.calls import Client, Got, ats_job, driver, long_job, tax_job

PROVIDERS = ("driver_jobs", "worklayer", "bindbee", "devrev")
ROWS = {"driver_jobs": "job_drivers", "worklayer": "data", "bindbee": "items", "devrev": "jobs"}
MAKE: dict[str, Callable[[int], dict[str, Any]]] = {
    "driver_jobs": driver,
    "worklayer": tax_job,
    "bindbee": ats_job,
    "devrev": long_job,
}


def fill(sim: Simulator, provider: str, count: int) -> ProviderServer:
    """Store rows 1 to count at one provider and give its server."""
    server = sim.servers[provider]
    for number in range(1, count + 1):
        server.put(MAKE[provider](number))
    return server


async def ask(client: Client, provider: str, size: int = 50, **more: Any) -> Got:
    """Ask a provider for the first page of its list."""
    if provider == "driver_jobs":
        return await client.drivers(per_page=size, **more)
    if provider == "worklayer":
        return await client.worklayer(page_size=size, **more)
    if provider == "bindbee":
        return await client.bindbee(page_size=size, **more)
    return await client.devrev(limit=size, **more)


async def walk(client: Client, provider: str, size: int) -> list[Any]:
    """Walk a list as far as 12 pages and give the ids in the order they came."""
    found: list[Any] = []
    more: dict[str, Any] = {}
    for number in range(1, 13):
        page = (await ask(client, provider, size, **more)).json
        found += [row["id"] for row in page[ROWS[provider]]]
        if provider == "driver_jobs":
            more = {"page": number + 1}
            if not page["job_drivers"]:
                break
            continue
        token = page.get("next_page_token") or page.get("cursor") or page.get("next_cursor")
        if not token:
            break
        more = {"page_token" if provider == "worklayer" else "cursor": token}
    return found
