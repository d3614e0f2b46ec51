"""GET /api/openapi.json: the document of the API, made from the handlers themselves."""

from __future__ import annotations

import msgspec
from aiohttp import web

from monitor import __version__
from monitor.web.asking import Asking
from monitor.web.attending import Attending
from monitor.web.diagnosis import Diagnosis
from monitor.web.eventlog import Events
from monitor.web.health import Health
from monitor.web.metrics import Metrics
from monitor.web.openapi import Schema, openapi_document
from monitor.web.operations import addresses_of, operation
from monitor.web.pages import Pages
from monitor.web.problems import answer
from monitor.web.reading import Readings
from monitor.web.removals import Removals
from monitor.web.replaying import Replays
from monitor.web.rotating import Rotating
from monitor.web.series import SeriesReading
from monitor.web.singles import Singles
from monitor.web.slack import SlackClicks
from monitor.web.switching import Switching
from monitor.web.trials import Trials


class ApiDocument:
    """The handler of the document."""

    def __init__(self) -> None:
        self._made: bytes | None = None

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return addresses_of(self)

    @operation("GET", "/api/openapi.json", dict)
    async def document(self, _: web.Request) -> web.Response:
        """This document."""
        if self._made is None:
            self._made = msgspec.json.encode(api_document())
        return answer(self._made)


def api_document() -> Schema:
    """The OpenAPI 3.1 document of everything that is served, but the pages for people."""
    reading = (ApiDocument, Readings, Events, Attending, SeriesReading, Pages, Metrics, Health)
    changing = (Asking, Replays, Rotating, Switching, Removals, SlackClicks)
    return openapi_document((*reading, Singles, Trials, Diagnosis, *changing), __version__)
