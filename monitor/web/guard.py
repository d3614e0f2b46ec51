"""Who may come in, and how often: pages of other sites are kept out by Host and Origin, people and programs by token.

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
from monitor.store.signedout import SignedOut
from monitor.web.limits import Limits, address_of
from monitor.web.problems import Problem
from monitor.web.session import COOKIE, Role, Session, Sessions

UNCOUNTED = frozenset({"/healthz", "/readyz"})
"""Paths that whoever restarts us asks: they need no token and may be asked as often as one likes."""

SIGN_IN = "/login"

ASSETS = "/static/"
SIGN_OUT = "/logout"
"""The one change that everybody may make."""

MARK = "mark"
"""The field of a form, or the header X-Mark, that shows that a page of ours asks for a change."""

SESSION = web.RequestKey("session", Session)
ROLE = web.RequestKey("role", str)
CALLER = web.RequestKey("caller", str)
"""Whose bucket a request is taken from, where somebody brought a token or is signed in."""

_SAFE = frozenset({"GET", "HEAD"})

SIGNED = ("/hooks/", "/slack/")
"""Paths that are verified by a secret of their own."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The rules of one installation. Without tokens it listens on loopback alone, and lets everybody there in."""

    settings: WebSettings
    limits: Limits
    signed_out: SignedOut

    @property
    def sessions(self) -> Sessions:
        """The sessions of signed-in people."""
        return Sessions(self.settings.tokens, self.settings.read_tokens)

    @property
    def open_to_all(self) -> bool:
        """Whether nobody needs a token."""
        return not self.settings.tokens and not self.settings.read_tokens

    def knows(self, request: web.Request) -> bool:
        """Whether a request brings one of the tokens; true when there are none. False after too many wrong ones."""
        try:
            return self.open_to_all or self._role(request) is not None
        except Problem:
            return False

    def _role(self, request: web.Request) -> Role | None:
        """What a request may do by the token that it brings, which is noted; Problem 429 after too many wrong ones."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        place = self.sessions.place(given.strip())
        if place is None or not self.limits.trusts(request, place):
            self.limits.may_guess(request)
        if place is None:
            self.limits.wrong(request)
            return None
        self.limits.right(request, place)
        request[CALLER] = f"token {place}"
        return self.sessions.role_at(place)

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
            if request.path.startswith(SIGNED):
                return await self._knocked(request, handler)
            if request.path == SIGN_IN:
                return await self._signing_in(request, handler)
            if request.path not in UNCOUNTED and not request.path.startswith(ASSETS):
                await self._let_in(request)
            return await handler(request)

        return guarded

    async def _knocked(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Whoever proves who it is by a signature; what proves nothing counts as a guess."""
        self.limits.knock(request)
        try:
            return await handler(request)
        except Problem as problem:
            if problem.status == 401:
                self.limits.bad_knock(request)
            raise

    async def _signing_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.limits.call(request, address_of(request))
        if request.method in _SAFE:
            return await handler(request)
        self.limits.may_guess(request)
        response = await handler(request)
        if response.status == 401:
            self.limits.wrong(request)
        return response

    async def _let_in(self, request: web.Request) -> None:
        """Note who asks and what they may do; a Problem, or the way to sign in, for whoever may not."""
        if self.open_to_all:
            self.limits.call(request, address_of(request))
            request[ROLE] = "operator"
            return
        role = self._role(request)
        session = await self._session(request) if role is None else None
        if session is not None:
            request[SESSION], role = session, session.role
            request[CALLER] = f"session {session.name}"
        self.limits.call(request, request.get(CALLER) or address_of(request))
        if role is None:
            if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
                raise web.HTTPSeeOther(f"/login?next={quote(request.path_qs, safe='')}")
            raise Problem(401, "a token of web.tokens is needed as a bearer token", WWW_Authenticate="Bearer")
        request[ROLE] = role
        if request.method not in _SAFE:
            await self._may_change(request, role, session)

    async def _session(self, request: web.Request) -> Session | None:
        """The session of a request's cookie, unless it was signed out here or at another web process."""
        session = self.sessions.of(request.cookies.get(COOKIE), time.time())
        if session is None or await self.signed_out.ended(session.name):
            return None
        return session

    async def _may_change(self, request: web.Request, role: Role, session: Session | None) -> None:
        if role != "operator" and request.path != SIGN_OUT:
            raise Problem(403, "this token may only read")
        if session is None:
            return
        given = request.headers.get("X-Mark") or str((await request.post()).get(MARK, ""))
        if given != self.sessions.mark(session):
            raise Problem(403, "this change was not asked for by a page of this session: load the page again")
        if request.path == SIGN_OUT:
            await self.signed_out.end(session.name, session.until - time.time())


def _readable(address: str) -> bool:
    try:
        urlsplit(address if "//" in address else f"//{address}")
    except ValueError:
        return False
    return True
