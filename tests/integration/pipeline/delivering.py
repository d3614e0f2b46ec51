"""An installation with webhook targets behind real sockets, and jobs whose every change is an event for them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from monitor.bootstrap import Services
from monitor.clock import Clock
from monitor.simulator import Receiver
from monitor.status import TargetView, target_view
from monitor.store.reading import StoredDelivery, Wanted
from tests.installation import SECRET, Hands, Installation, installed, listing


class Now(Hands):
    """The true time, so that receivers accept signatures."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def clock(self) -> Clock:
        return Clock()


@dataclass(slots=True)
class Work:
    """Jobs at a stand-in, an installation that has seen them, and its receivers by target."""

    watch: Installation
    jobs: dict[str, dict[str, Any]]
    receivers: Mapping[str, Receiver]

    @property
    def services(self) -> Services:
        return self.watch.services

    async def change(self, *names: str, **fields: Any) -> None:
        """Change these jobs (their amount if nothing is said), and let the installation see it."""
        for name in names:
            self.jobs[name].update(fields or {"total_amount": self.jobs[name]["total_amount"] + 1})
        await self.watch.scan()

    async def deliver(self, target: str = "hook") -> int:
        """Relay what is committed and deliver what is due now; how many attempts were made."""
        await self.services.consumer.relay.relay()
        return await self.services.consumer.deliverer.deliver(self.services.targets[target])

    async def deliveries(self, target: str = "hook") -> list[StoredDelivery]:
        """What is recorded of a target's deliveries, the oldest first."""
        found = self.services.store.reading.deliveries([target], Wanted(), newest_first=False)
        return [one async for _, one in found if one]

    async def view(self, target: str = "hook") -> TargetView:
        """The target as commands and API show it."""
        store = self.services.store
        return await target_view(store.reading, target, "webhook", await store.db.now_ms())

    async def due(self, *, probe: bool = False, target: str = "hook") -> None:
        """As if time had passed: every lane is due, and with `probe` so is the next look at a dead receiver."""
        db = self.services.store.db
        lanes = await db.run("ZRANGE", db.keys.lanes(target), 0, -1)
        for lane in lanes:
            await db.run("ZADD", db.keys.lanes(target), "XX", 1, lane)
        if lanes:
            await db.run("ZADD", db.keys.due, 1, target)
        if probe:
            await db.run("HSET", db.keys.target(target), "probe_at", 1)

    async def state(self, target: str = "hook") -> dict[str, str]:
        """The stored state of a target."""
        return await self.services.store.reading.target(target)


@asynccontextmanager
async def working(
    store_url: str,
    targets: Mapping[str, str],
    *,
    jobs: Sequence[str] = ("a", "b", "c"),
    routes: str = "[{match: {type: 'worklayer.**'}, to: [hook]}]",
) -> AsyncIterator[Work]:
    """Targets by name, each with further options as YAML (`retry: [1s], timeout: 2s`), and a receiver behind each."""
    known = {name: {"id": name, "status": "UNCLAIMED", "total_amount": 1} for name in jobs}

    def body(_: web.Request) -> dict[str, Any]:
        return {"data": list(known.values()), "next_page_token": ""}

    async with AsyncExitStack() as stack:
        url, _ = await stack.enter_async_context(listing(body))
        receivers = {name: await stack.enter_async_context(Receiver([SECRET])) for name in targets}
        hooks = "".join(
            f'  {name}: {{type: webhook, url: "{receivers[name].url}", secret: "{SECRET}", {options}}}\n'
            for name, options in targets.items()
        )
        config = (
            f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t}}}}\n'
            f"targets:\n{hooks}"
            "egress: {allow: [127.0.0.0/8]}\n"
            f"routes: {routes}\n"
        )
        watch = await stack.enter_async_context(installed(store_url, config, Now()))
        await watch.scan()
        await watch.services.consumer.relay.relay()
        yield Work(watch, known, receivers)


def told(receiver: Receiver) -> list[tuple[str, str]]:
    """Which job and which type each delivery of a receiver was about."""
    events = [json.loads(one.body) for one in receiver.deliveries]
    return [(event["data"]["resource"]["id"], event["type"].rpartition(".")[2]) for event in events]
