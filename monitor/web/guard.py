"""Who may come in: pages of other sites are kept out by Host and Origin, people and programs by token.

A browser can be made to call a server on this machine under a foreign name (DNS rebinding) or from a foreign page:
https://owasp.org/www-community/attacks/csrf. Its Host or Origin header then says so.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import SecretStr

from monitor.settings import WebSettings
from monitor.settings.model import is_loopback
from monitor.web.problems import Problem

ALWAYS_OPEN = frozenset({"/healthz", "/readyz"})
"""Paths that need no token; `/readyz` says less without one."""

SIGNED = "/hooks/"
"""Paths that are verified by a secret of their own."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The rules of one installation. Without tokens it listens on loopback alone, and lets everybody there in."""

    settings: WebSettings

    def knows(self, authorization: str | None) -> bool:
        """Whether an Authorization header holds one of the tokens; true when there are none."""
        scheme, _, given = (authorization or "").partition(" ")
        wanted = self.settings.tokens
        return not wanted or (scheme.lower() == "bearer" and same_as_one(given.strip(), wanted))

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
            opened = request.path in ALWAYS_OPEN or request.path.startswith(SIGNED)
            if not opened and not self.knows(request.headers.get("Authorization")):
                raise Problem(401, "a token of web.tokens is needed as a bearer token", WWW_Authenticate="Bearer")
            return await handler(request)

        return guarded


def same_as_one(given: str, wanted: Sequence[SecretStr]) -> bool:
    """Whether a text is one of the secrets; takes the same time whichever it is, and however much of it fits."""
    said = given.encode("utf-8", "surrogateescape")
    fits = [hmac.compare_digest(said, one.get_secret_value().encode()) for one in wanted]
    return any(fits)


def _readable(address: str) -> bool:
    try:
        urlsplit(address if "//" in address else f"//{address}")
    except ValueError:
        return False
    return True
