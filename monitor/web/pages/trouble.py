"""What goes wrong, as a page for people in a browser; programs get what `monitor.web.problems` says.

It needs nothing of the store, which may be what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from monitor import __version__
from monitor.web.guard import SESSION, Guard
from monitor.web.pages.render import environment, page

_PROGRAMS = re.compile(r"/(api|hooks|slack|static)/|/(metrics|healthz|readyz|events/stream)$")
_OWN = frozenset({"Content-Type", "Content-Length"})
_ADVICE = {
    400: "Go back, correct what is named here, and try again.",
    401: "Sign in with one of the tokens under web.tokens, then open the page again.",
    403: "Sign in with a token that may do this; a page that was open for long is loaded again first.",
    404: "It may be over or forgotten, or the address is not quite right. Now shows what is so at this moment; Events,"
    " Resources and Deliveries list what is kept.",
    429: "Wait a little, then load the page again.",
    500: "The log of jobwire web has the details; the other pages may still work.",
    503: "Load the page again in a moment. If it stays so, jobwire doctor says what is wrong with the store; nobody"
    " watches while it is away.",
}


def as_pages(guard: Guard, now: Callable[[], datetime]) -> Middleware:
    """The rules of signing in and the time in; what makes pages of problems out."""
    templates = environment()

    @web.middleware
    async def shown(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        if not isinstance(answer, web.Response) or answer.content_type != "application/problem+json":
            return answer
        if _PROGRAMS.match(request.path) or not prefers_html(request.headers.get("Accept", "")):
            return answer
        assert isinstance(answer.body, bytes)  # noqa: S101 - a problem is JSON that was written at once
        problem, session = msgspec.json.decode(answer.body), request.get(SESSION)
        title = "Not found" if answer.status == 404 else HTTPStatus(answer.status).phrase
        values = {
            "now": now(),
            "path": request.path,
            "version": __version__,
            "session": session,
            "mark": guard.sessions.mark(session),
            "done": "",
            "title": title,
            "detail": problem["detail"],
            "advice": _ADVICE.get(answer.status, "Go back, or begin at Now."),
            "sign_in": answer.status in {401, 403} and not guard.open_to_all,
        }
        made = page(templates, "trouble.html", values, answer.status)
        made.headers.update({name: value for name, value in answer.headers.items() if name not in _OWN})
        return made

    return shown


def prefers_html(accept: str) -> bool:
    """An Accept header in, whether it names HTML and wants it no less than JSON out (RFC 9110, 12.5.1)."""
    wanted: dict[str, float] = {}
    for part in accept.lower().split(","):
        kind, *words = (word.strip() for word in part.split(";"))
        weight = next((word[2:] for word in words if word.startswith("q=")), "1")
        wanted[kind] = float(weight) if re.fullmatch(r"[01](\.\d{0,3})?", weight) else 0.0
    json = max(wanted.get("application/json", 0.0), wanted.get("application/problem+json", 0.0))
    return wanted.get("text/html", 0.0) > 0 and wanted["text/html"] >= json
