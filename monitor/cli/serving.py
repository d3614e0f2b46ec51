"""`jobwire web`: the API, metrics and health over HTTP, and the doors for providers' webhooks."""

from __future__ import annotations

import asyncio
import os

from monitor.bootstrap import services
from monitor.cli import session
from monitor.cli.options import DEFAULT_CONFIG, ConfigFile, LogLevel
from monitor.cli.output import say
from monitor.cli.running import start_logging
from monitor.settings import ConfigWatch, Settings
from monitor.supervise import Stop, follow_parent
from monitor.web import listening


async def web(*, config: ConfigFile = DEFAULT_CONFIG, log_level: LogLevel = "info") -> int:
    """Answer at `web.listen` until SIGTERM or Ctrl-C: /healthz, /readyz, /metrics, /api/v1 and /hooks.

    It reads the store that workers write, and takes up each valid new config file by itself. docs/api.md has
    every address.
    """
    start_logging(log_level)
    parent = follow_parent(os.environ)
    settings: Settings | None = session.read(config)
    watch, stop = ConfigWatch(config, os.environ), Stop()
    stop.on_signals()
    while settings is not None:
        settings = await _serve(settings, watch, stop)
    if parent is not None:
        parent.cancel()
    return 0


async def _serve(settings: Settings, watch: ConfigWatch, stop: Stop) -> Settings | None:
    """Answer by these settings until there are others, which come back, or until told to stop."""
    news = asyncio.create_task(watch.news(settings))
    stopped = asyncio.create_task(stop.now.wait())
    try:
        async with session.store(settings) as url, services(settings, url) as running, listening(running) as address:
            say(f"jobwire answers at {address}")
            await asyncio.wait({news, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return None if stopped.done() else news.result()
    finally:
        news.cancel()
        stopped.cancel()
