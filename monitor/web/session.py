"""Signing in with a token: what the cookie says, and the mark that every change of a signed-in page must carry.

The cookie holds a role and its end, signed with a key made of the tokens: no session is stored, and all end when the
tokens change. Only what was signed out is (`monitor.store.signedout`), for a copy of the cookie would live on. https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec
from aiohttp import web
from pydantic import SecretStr

from monitor.web.tokens import place_of

COOKIE = "jobwire"
LASTS_SECONDS = 12 * 3600

Role: TypeAlias = Literal["operator", "reader"]


class Session(msgspec.Struct, frozen=True, array_like=True):
    """Who is signed in: what they may do, until when (seconds since 1970), and a name of its own for this session."""

    role: Role
    until: int
    name: str


@dataclass(frozen=True, slots=True)
class Sessions:
    """Makes and checks sessions of one installation."""

    operators: Sequence[SecretStr]
    readers: Sequence[SecretStr]

    def role(self, token: str) -> Role | None:
        """What somebody with this token may do; None for a token that is none of ours."""
        place = self.place(token)
        return None if place is None else self.role_at(place)

    def place(self, token: str) -> int | None:
        """Where a token stands among all of ours; None for one that is none of them."""
        return place_of(token, [*self.operators, *self.readers])

    def role_at(self, place: int) -> Role:
        """What somebody with the token at this place may do."""
        return "operator" if place < len(self.operators) else "reader"

    def begin(self, role: Role, now: float) -> str:
        """A role in, the value of a cookie out."""
        session = Session(role, int(now) + LASTS_SECONDS, secrets.token_hex(8))
        payload = base64.urlsafe_b64encode(msgspec.json.encode(session)).decode().rstrip("=")
        return f"{payload}.{self._sign(payload)}"

    def of(self, cookie: str | None, now: float) -> Session | None:
        """The session that a cookie stands for; None when it is not ours, or over."""
        payload, _, signature = (cookie or "").partition(".")
        if not payload or not hmac.compare_digest(signature.encode(), self._sign(payload).encode()):
            return None
        try:
            decoded = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
            session = msgspec.json.decode(decoded, type=Session)
        except (binascii.Error, msgspec.DecodeError):
            return None
        return session if now < session.until else None

    def mark(self, session: Session | None) -> str:
        """What a form of this session's pages carries; another site cannot know it."""
        return self._sign(f"form {session.name if session else ''}")

    def _sign(self, text: str) -> str:
        tokens = [one.get_secret_value() for one in (*self.operators, *self.readers)]
        key = hashlib.blake2b("\0".join(tokens).encode(), digest_size=32, person=b"jobwire session").digest()
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def reached_by_tls(request: web.Request) -> bool:
    """Whether a browser came by https, also where a proxy speaks it: then its cookie may never travel without.

    The browser says so itself in the Origin of the form that signs in, most proxies in X-Forwarded-Proto. Whoever makes
    either up gets a cookie that is kept more strictly.
    """
    forwarded = request.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
    return request.secure or forwarded == "https" or request.headers.get("Origin", "").lower().startswith("https://")
