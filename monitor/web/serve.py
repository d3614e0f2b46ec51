"""Listening until told to stop."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from monitor.bootstrap import Services
from monitor.errors import UsageError
from monitor.settings import WebSettings
from monitor.web.app import make_app

_LAST_ANSWERS_S = 5.0


@asynccontextmanager
async def listening(running: Services) -> AsyncIterator[str]:
    """A wired installation answers over HTTP for the time of the block; its root URL. UsageError without the port."""
    settings = running.settings.web
    runner = web.AppRunner(make_app(running), access_log=None, shutdown_timeout=_LAST_ANSWERS_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host or None, settings.port).start()
        except OSError as error:
            raise UsageError(_taken(settings, error)) from None
        url = f"http://{where(settings, runner.addresses[0][1])}"
        structlog.get_logger().info("web.started", url=url, guarded=bool(settings.tokens))
        yield url
    finally:
        await runner.cleanup()


def free_to_listen(settings: WebSettings) -> str | None:
    """Why the address cannot be listened on, for people; None when it can."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            settings.host or None, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return _taken(settings, error)
    return None


def where(settings: WebSettings, port: int | None = None) -> str:
    """HOST:PORT as a URL has it; every interface is called by this machine's own name."""
    host = settings.host or "localhost"
    return f"{f'[{host}]' if ':' in host else host}:{settings.port if port is None else port}"


def _taken(settings: WebSettings, error: OSError) -> str:
    return f"web.listen: {settings.listen} cannot be listened on ({error.strerror or error})"
