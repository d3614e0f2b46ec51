"""The routes, and what stands before all of them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from monitor.bootstrap import Services
from monitor.looplag import LoopLag
from monitor.store.signedout import SignedOut
from monitor.web.asking import LARGEST_BODY, Asking
from monitor.web.attending import Attending
from monitor.web.diagnosis import Diagnosis
from monitor.web.documents import ApiDocument
from monitor.web.eventlog import Events
from monitor.web.guard import ASSETS, Guard
from monitor.web.health import Health
from monitor.web.limits import LEVEL, Limits, told
from monitor.web.metrics import LAG, Metrics
from monitor.web.pages import Pages
from monitor.web.pages.acts import Acts
from monitor.web.pages.sayings import Sayings
from monitor.web.pages.trouble import as_pages
from monitor.web.problems import as_problems
from monitor.web.reading import Readings
from monitor.web.removals import Removals
from monitor.web.replaying import Replays
from monitor.web.rotating import Rotating
from monitor.web.series import SeriesReading
from monitor.web.singles import Singles
from monitor.web.slack import SlackClicks
from monitor.web.switching import Switching
from monitor.web.trials import Trials


def make_app(running: Services, monotonic: Callable[[], float] = time.monotonic) -> web.Application:
    """A wired installation in, its web application out; `monotonic` gives the seconds that limits go by."""
    guard = Guard(running.settings.web, Limits.of(running.settings.web, monotonic), SignedOut(running.store.db))
    middlewares = [as_pages(guard, running.clock.now), as_problems, guard.middleware()]
    app = web.Application(middlewares=middlewares, client_max_size=LARGEST_BODY)
    parts = (ApiDocument(), Health(running, guard), Metrics(running), Readings(running), Events(running))
    tried = (Singles(running), Trials(running), Removals(running), Diagnosis(running), SeriesReading(running))
    asked = (Asking(running), Replays(running), Rotating(running), Switching(running), Attending(running))
    sayings = Sayings(guard)
    pages = Pages(running, guard, sayings)
    for part in (*parts, *tried, *asked, pages, Acts(running, sayings), SlackClicks(running)):
        app.add_routes(part.routes())
    app[LAG] = LoopLag(monotonic)
    app.cleanup_ctx.append(_lag)
    app.on_response_prepare.append(_headers)
    app.on_shutdown.append(pages.streams.close)
    return app


async def _lag(app: web.Application) -> AsyncIterator[None]:
    async with app[LAG].measured():
        yield


POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


async def _headers(request: web.Request, response: web.StreamResponse) -> None:
    """Answers are of this moment, run nothing but our own scripts, and need not say what made them."""
    response.headers["Server"] = "jobwire"
    response.headers["Cache-Control"] = "max-age=3600" if request.path.startswith(ASSETS) else "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "same-origin"
    if LEVEL in request:
        response.headers.update(told(request[LEVEL]))
