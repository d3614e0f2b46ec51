"""The routes, and what stands before all of them."""

from __future__ import annotations

from aiohttp import web

from monitor.bootstrap import Services
from monitor.web.asking import LARGEST_BODY, Asking
from monitor.web.guard import Guard
from monitor.web.health import Health
from monitor.web.metrics import Metrics
from monitor.web.problems import as_problems
from monitor.web.reading import Readings
from monitor.web.replaying import Replays
from monitor.web.rotating import Rotating
from monitor.web.switching import Switching


def make_app(running: Services) -> web.Application:
    """A wired installation in, its web application out."""
    guard = Guard(running.settings.web)
    app = web.Application(middlewares=[as_problems, guard.middleware()], client_max_size=LARGEST_BODY)
    parts = (Health(running, guard), Metrics(running), Readings(running))
    asked = (Asking(running), Replays(running), Rotating(running), Switching(running))
    for part in (*parts, *asked):
        app.add_routes(part.routes())
    app.on_response_prepare.append(_headers)
    return app


async def _headers(_: web.Request, response: web.StreamResponse) -> None:
    """Answers are of this moment, are no pages, and need not say what made them."""
    response.headers["Server"] = "jobwire"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
