"""Who may come in: pages of other sites are kept out by Host and Origin, people and programs by token.

A browser can be made to call a server on this machine under a foreign name (DNS rebinding) or from a foreign page:
https://owasp.org/www-community/attacks/csrf. Its Host or Origin header then says so.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from monitor.settings import WebSettings
from monitor.settings.model import is_loopback
from monitor.web.problems import Problem
from monitor.web.session import COOKIE, Role, Session, Sessions

ALWAYS_OPEN = frozenset({"/healthz", "/readyz", "/login"})
"""Paths that need no token; `/readyz` says less without one."""

ASSETS = "/static/"
SIGN_OUT = "/logout"
"""The one change that everybody may make."""

MARK = "mark"
"""The field of a form, or the header X-Mark, that shows that a page of ours asks for a change."""

SESSION = web.RequestKey("session", Session)
ROLE = web.RequestKey("role", str)

_SAFE = frozenset({"GET", "HEAD"})

SIGNED = ("/hooks/", "/slack/")
"""Paths that are verified by a secret of their own."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The rules of one installation. Without tokens it listens on loopback alone, and lets everybody there in."""

    settings: WebSettings

    @property
    def sessions(self) -> Sessions:
        """The sessions of signed-in people."""
        return Sessions(self.settings.tokens, self.settings.read_tokens)

    @property
    def open_to_all(self) -> bool:
        """Whether nobody needs a token."""
        return not self.settings.tokens and not self.settings.read_tokens

    def knows(self, authorization: str | None) -> bool:
        """Whether an Authorization header holds one of the tokens; true when there are none."""
        return self.open_to_all or self._role(authorization) is not None

    def _role(self, authorization: str | None) -> Role | None:
        scheme, _, given = (authorization or "").partition(" ")
        return self.sessions.role(given.strip()) if scheme.lower() == "bearer" else None

    def refuses_host(self, host: str) -> bool:
        """Whether a Host header is foreign: on loopback, any name but this machine's and the configured one."""
        if not is_loopback(self.settings.host):
            return False
        name = (urlsplit(f"//{host}").hostname or "") if _readable(host) else ""
        return not is_loopback(name) and name != self.settings.host

    def middleware(self) -> Middleware:
        """What stands before every handler."""

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
            if self.refuses_host(host):
                raise Problem(403, "this Host is not served here: use 127.0.0.1 or localhost")
            if origin is not None and (not _readable(origin) or urlsplit(origin).netloc.lower() != host.lower()):
                raise Problem(403, "pages of other sites are not served: the Origin differs from the Host")
            if not (request.path in ALWAYS_OPEN or request.path.startswith((*SIGNED, ASSETS))):
                await self._let_in(request)
            return await handler(request)

        return guarded

    async def _let_in(self, request: web.Request) -> None:
        """Note who asks and what they may do; a Problem, or the way to sign in, for whoever may not."""
        if self.open_to_all:
            request[ROLE] = "operator"
            return
        role = self._role(request.headers.get("Authorization"))
        session = self.sessions.of(request.cookies.get(COOKIE), time.time()) if role is None else None
        if session is not None:
            request[SESSION], role = session, session.role
        if role is None:
            if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
                raise web.HTTPSeeOther(f"/login?next={quote(request.path_qs, safe='')}")
            raise Problem(401, "a token of web.tokens is needed as a bearer token", WWW_Authenticate="Bearer")
        request[ROLE] = role
        if request.method not in _SAFE:
            await self._may_change(request, role, session)

    async def _may_change(self, request: web.Request, role: Role, session: Session | None) -> None:
        if role != "operator" and request.path != SIGN_OUT:
            raise Problem(403, "this token may only read")
        if session is None:
            return
        given = request.headers.get("X-Mark") or str((await request.post()).get(MARK, ""))
        if given != self.sessions.mark(session):
            raise Problem(403, "this change was not asked for by a page of this session: load the page again")


def _readable(address: str) -> bool:
    try:
        urlsplit(address if "//" in address else f"//{address}")
    except ValueError:
        return False
    return True
