"""A whole installation for tests, wired by the product's own bootstrap: settings from YAML, scans by hand."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiohttp import web

from monitor.bootstrap import Door, Services, services
from monitor.clock import Clock
from monitor.pipeline.scan import ScanReport
from monitor.settings import load
from monitor.store.connect import connect
from tests.servers import served

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
SAMPLES = Path(__file__).parent / "samples"


@dataclass(slots=True)
class Hands:
    """A clock that is turned by hand."""

    at: datetime = datetime(2025, 11, 20, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def pass_(self, **span: float) -> None:
        self.at += timedelta(**span)

    def clock(self) -> Clock:
        return Clock(now=self.now)


@dataclass(slots=True)
class Installation:
    """A running installation without workers: tests say when a scan, the relay or a delivery happens."""

    services: Services
    hands: Hands
    slots: int = 0
    place: str = "0-0"

    async def scan(self, name: str | None = None) -> ScanReport:
        """Scan one source (the only one if not named) for the next slot."""
        self.slots += 1
        source = self.services.sources[name or next(iter(self.services.sources))]
        return await self.services.scanner.scan(source, self.slots)

    async def news(self) -> list[dict[str, Any]]:
        """The events committed since the last call, as JSON values."""
        stored = await self.services.store.log.after(self.place, 10_000)
        self.place = stored[-1].place if stored else self.place
        return [json.loads(one.body) for one in stored]

    async def told(self) -> list[str]:
        """The types of the events committed since the last call."""
        return [str(event["type"]) for event in await self.news()]


@asynccontextmanager
async def installed(
    store_url: str, config: str, hands: Hands | None = None, door: Door = connect
) -> AsyncIterator[Installation]:
    """A config as YAML text in, an installation on that store out."""
    hands = hands or Hands()
    with TemporaryDirectory() as directory:
        path = Path(directory) / "jobwire.yaml"
        path.write_text(config)
        settings = load(path, {})
    async with services(settings, store_url, hands.clock(), door) as running:
        yield Installation(running, hands)


@dataclass(slots=True)
class Listing:
    """A provider of one list call that answers what the test has put into `body`, as JSON or as given."""

    body: Any
    status: int = 200
    headers: Callable[[], dict[str, str]] = field(default=dict)
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path_qs}")
        body = self.body(request) if callable(self.body) else self.body
        if isinstance(body, web.Response):
            return body
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return web.Response(body=data, status=self.status, headers=self.headers(), content_type="application/json")


@asynccontextmanager
async def listing(body: Any) -> AsyncIterator[tuple[str, Listing]]:
    """A server with one list; its root URL and the listing to change."""
    one = Listing(body)
    async with served(one.answer) as url:
        yield url, one


def sample(provider: str) -> Any:
    """The seed document's sample answer of a provider."""
    return json.loads((SAMPLES / provider / "list.json").read_text())
