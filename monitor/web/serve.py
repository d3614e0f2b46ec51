"""Listening until told to stop."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http import HttpProcessingError

from monitor.bootstrap import Services
from monitor.errors import UsageError
from monitor.web.address import taken, where
from monitor.web.app import make_app

_LAST_ANSWERS_S = 5.0


class _Wire(logging.Logger):
    """Where aiohttp logs. What cannot be read as HTTP is somebody else's fault: one line, without what it says."""

    def __init__(self) -> None:
        super().__init__("aiohttp.server")
        self.parent = logging.getLogger(self.name)

    def exception(self, msg: object, *args: Any, exc_info: Any = True, **more: Any) -> None:
        """An error that aiohttp met."""
        if isinstance(exc_info, HttpProcessingError):
            # Its text quotes headers, which may hold a token.
            structlog.get_logger().info("web.unreadable_request", why=type(exc_info).__name__, remote=str(*args[:1]))
            return
        super().exception(msg, *args, exc_info=exc_info, **more)


@asynccontextmanager
async def listening(running: Services, monotonic: Callable[[], float] = time.monotonic) -> AsyncIterator[str]:
    """A wired installation answers over HTTP for the time of the block; its root URL. UsageError without the port.

    `monotonic` gives the seconds that limits go by.
    """
    settings = running.settings.web
    runner = web.AppRunner(
        make_app(running, monotonic), access_log=None, logger=_Wire(), shutdown_timeout=_LAST_ANSWERS_S
    )
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
