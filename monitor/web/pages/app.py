"""The pages: which address shows what, who is signed in, and what every page has around it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from monitor import __version__
from monitor.bootstrap import Services
from monitor.status import Place, deliveries_page, resources_page
from monitor.status.series import METRICS, span_of
from monitor.store.eventlog import Stored, is_place
from monitor.store.reading import Wanted
from monitor.web.guard import ROLE, SESSION, Guard
from monitor.web.operations import addresses_of, operation
from monitor.web.pages import scale
from monitor.web.pages.charts import RANGES, chart
from monitor.web.pages.headline import headline
from monitor.web.pages.render import environment, page
from monitor.web.pages.sayings import Sayings
from monitor.web.pages.stream import Streams
from monitor.web.pages.timeline import HEIGHT, WIDTH, coming, dots, in_words, ticks, weekends
from monitor.web.pages.views import EVENTS, EventRow, Filters, Views
from monitor.web.problems import Problem
from monitor.web.questions import LAST, PLACE, SOURCE, STATE, STATUSES, TEXT, TYPE, after, cursor, one_of
from monitor.web.series import charts
from monitor.web.session import COOKIE, LASTS_SECONDS, reached_by_tls

ASSETS = Path(__file__).parent / "static"
_LISTED = 50
_GLANCE_MINUTES = 180


class Pages:
    """The handlers of pages."""

    def __init__(self, running: Services, guard: Guard, sayings: Sayings) -> None:
        self._running = running
        self._sayings = sayings
        self._guard = guard
        self._views = Views(running)
        self._templates = environment()
        self.streams = Streams(running)

    def routes(self) -> list[web.AbstractRouteDef]:
        """Which address is whose."""
        return [
            web.get("/", self.now),
            web.get("/events", self.events),
            web.get("/events/stream", self.rows),
            web.get("/events/{id}", self.event),
            web.get("/resources", self.resources),
            web.get("/resources/{key:.+}", self.resource),
            web.get("/deliveries", self.deliveries),
            web.get("/deliveries/{id}", self.delivery),
            web.get("/sources/{name}", self.source),
            web.get("/charts", self.charts),
            *addresses_of(self),
            web.get("/login", self.sign_in),
            web.post("/login", self.signed_in),
            web.post("/logout", self.sign_out),
            web.static("/static", ASSETS),
        ]

    async def now(self, request: web.Request) -> web.Response:
        """One glance: is everything watched, what needs me, was everybody told."""
        views, now = self._views, await self._views.now()
        due, late = coming(await views.deadlines(), now), await views.late()
        sources, targets, conditions = await views.sources(), await views.targets(), await views.conditions()
        span = span_of(await self._running.store.db.now_ms(), _GLANCE_MINUTES)
        values = {
            "headline": headline([one.view for one in sources], targets, late),
            "late": late,
            "sources": sources,
            "charts": [chart(one) for one in await charts(self._running, span, "latency", "attempts")],
            "chart_left": scale.LEFT,
            "chart_width": scale.WIDTH,
            "chart_height": scale.HEIGHT,
            "targets": targets,
            "conditions": conditions,
            "due": due,
            "dots": dots(due, now),
            "said": in_words(due, now),
            "ticks": ticks(now),
            "weekends": weekends(now),
            "width": WIDTH,
            "height": HEIGHT,
            "events": await views.events(Filters(), limit=8),
        }
        return await self._page(request, "now.html", values)

    async def events(self, request: web.Request) -> web.Response:
        """What happened, the newest first, and what happens."""
        filters, before = _filters(request), request.query.get("before")
        if before is not None and not is_place(before):
            raise Problem(400, "before: not a place of the event log")
        rows = await self._views.events(filters, before)
        older = rows[-1].place if len(rows) == EVENTS else None
        names = sorted(self._running.sources)
        values = {"rows": rows, "filters": filters, "older": older, "names": names, "live": before is None}
        return await self._page(request, "events.html", values)

    async def event(self, request: web.Request) -> web.Response:
        """One event: before and after, where it went, and why."""
        found = await self._views.event(request.match_info["id"])
        if found is None:
            raise Problem(404, "no such event is kept: they are kept for 14 days")
        why = await self._views.explained(request.match_info["id"])
        return await self._page(request, "event.html", {"row": found, "why": why})

    async def resources(self, request: web.Request) -> web.Response:
        """What is known now."""
        source = one_of(request, "source", self._running.sources) if request.query.get("source") else None
        kind, state = request.query.get("kind") or None, request.query.get("state") or None
        watched = [one for name, one in sorted(self._running.sources.items()) if source in {None, name}]
        store = self._running.store
        found = await resources_page(
            store.items, store.reading, watched, after(request, Place), kind=kind, state=state, limit=_LISTED
        )
        values = {
            "resources": found.items,
            "next": cursor(found.rest) if found.rest else None,
            "names": sorted(self._running.sources),
            "chosen": {"source": source or "", "kind": kind or "", "state": state or ""},
        }
        return await self._page(request, "resources.html", values)

    async def resource(self, request: web.Request) -> web.Response:
        """One resource: how it is, what is due, how it came to be so."""
        found = await self._views.resource(request.match_info["key"])
        if found is None:
            raise Problem(404, "no such resource is known")
        view, history, gone = found
        return await self._page(request, "resource.html", {"one": view, "history": history, "gone": gone})

    async def deliveries(self, request: web.Request) -> web.Response:
        """What was sent to whom, with every attempt."""
        names = self._running.settings.targets
        target = one_of(request, "target", names) if request.query.get("target") else None
        status = one_of(request, "status", STATUSES) if request.query.get("status") else None
        chosen = [target] if target else list(names)
        reading = self._running.store.reading
        found = await deliveries_page(reading, chosen, Wanted(status), after(request, tuple[int, str]), limit=_LISTED)
        values = {
            "rows": await self._views.rows(found.items),
            "next": cursor(found.rest) if found.rest else None,
            "names": sorted(names),
            "statuses": STATUSES,
            "chosen": {"target": target or "", "status": status or ""},
        }
        return await self._page(request, "deliveries.html", values)

    async def delivery(self, request: web.Request) -> web.Response:
        """One delivery: every attempt with its answer, and what was sent."""
        found = await self._views.delivery(request.match_info["id"])
        if found is None:
            raise Problem(404, "no such delivery is kept: they are kept for 14 days")
        return await self._page(request, "delivery.html", {"row": found[0], "sent": found[1]})

    async def source(self, request: web.Request) -> web.Response:
        """One source: its last scan, what it has, what is held."""
        found = await self._views.source(request.match_info["name"])
        if found is None:
            raise Problem(404, "no source has this name")
        return await self._page(request, "source.html", found)

    async def charts(self, request: web.Request) -> web.Response:
        """How latency, events, attempts and freshness went."""
        since = one_of(request, "since", RANGES) or RANGES[1]
        span = span_of(await self._running.store.db.now_ms(), int(since[:-1]) * 60)
        drawn = [chart(one) for one in await charts(self._running, span, *METRICS)]
        step = f"{span.minutes} min"
        values = {"charts": drawn, "since": since, "step": step, "ranges": RANGES}
        return await self._page(
            request, "charts.html", {**values, "width": scale.WIDTH, "height": scale.HEIGHT, "left": scale.LEFT}
        )

    @operation("GET", "/api/v1/stream", "text/event-stream", words=(SOURCE, TYPE, STATE, TEXT, PLACE, LAST))
    async def stream(self, request: web.Request) -> web.StreamResponse:
        """The CloudEvents as they happen, for programs."""
        return await self.streams.answer(request, _filters(request), lambda stored, _: stored.body.decode())

    async def rows(self, request: web.Request) -> web.StreamResponse:
        """The same as rows of the events page."""
        row = self._templates.get_template("_event_row.html")

        def written(stored: Stored, now: datetime) -> str:
            return row.render(row=EventRow(stored.place, msgspec.json.decode(stored.body)), now=now)

        return await self.streams.answer(request, _filters(request), written)

    async def sign_in(self, request: web.Request) -> web.Response:
        """The form that takes a token."""
        return await self._page(request, "login.html", {"next": _inside(request.query.get("next")), "wrong": False})

    async def signed_in(self, request: web.Request) -> web.Response:
        """A token in, a session out."""
        form = await request.post()
        role = self._guard.sessions.role(str(form.get("token", "")).strip())
        following = _inside(str(form.get("next", "/")))
        if role is None:
            values = {"next": following, "wrong": True}
            return await self._page(request, "login.html", values, status=401)
        response = web.HTTPSeeOther(following)
        secure = reached_by_tls(request)
        value = self._guard.sessions.begin(role, time.time())
        response.set_cookie(
            COOKIE, value, max_age=LASTS_SECONDS, httponly=True, samesite="Strict", secure=secure, path="/"
        )
        raise response

    async def sign_out(self, _: web.Request) -> web.Response:
        """The session ends in this browser."""
        response = web.HTTPSeeOther("/login")
        response.del_cookie(COOKIE, path="/")
        raise response

    async def _page(
        self, request: web.Request, name: str, values: Mapping[str, Any], status: int = 200
    ) -> web.Response:
        session = request.get(SESSION)
        around = {
            "now": await self._views.now(),
            "path": request.path,
            "version": __version__,
            "session": session,
            "mark": self._guard.sessions.mark(session),
            "may_change": request.get(ROLE) == "operator",
            "done": self._sayings.said(request),
        }
        return page(self._templates, name, {**around, **values}, status)


def _filters(request: web.Request) -> Filters:
    given = {name: request.query.get(name, "").strip()[:200] for name in ("source", "type", "state", "text")}
    return Filters(**given)


def _inside(path: str | None) -> str:
    """Where to go after signing in: only ever within this site."""
    given = path or "/"
    return given if given.startswith("/") and not given.startswith(("//", "/\\")) else "/"
