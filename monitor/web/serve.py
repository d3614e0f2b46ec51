"""Listening until told to stop."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from monitor.bootstrap import Services
from monitor.errors import UsageError
from monitor.web.address import taken, where
from monitor.web.app import make_app

_LAST_ANSWERS_S = 5.0


@asynccontextmanager
async def listening(running: Services, monotonic: Callable[[], float] = time.monotonic) -> AsyncIterator[str]:
    """A wired installation answers over HTTP for the time of the block; its root URL. UsageError without the port.

    `monotonic` gives the seconds that limits go by.
    """
    settings = running.settings.web
    runner = web.AppRunner(make_app(running, monotonic), access_log=None, shutdown_timeout=_LAST_ANSWERS_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host or None, settings.port).start()
        except OSError as error:
            raise UsageError(taken(settings, error)) from None
        url = f"http://{where(settings, runner.addresses[0][1])}"
        structlog.get_logger().info("web.started", url=url, guarded=bool(settings.tokens))
        yield url
    finally:
        await runner.cleanup()
