"""What was done, told by the page that one comes back to: only words of our own, which a seal beside them proves.

Without it an address that somebody sends round could make a page of ours say anything.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from aiohttp import web

from monitor.web.guard import SESSION, Guard

SAID, SEAL = "done", "seal"
"""The words of an address that carry what was done, and its seal."""


@dataclass(frozen=True, slots=True)
class Sayings:
    """Seals words for who is signed in; where nobody has to be, for as long as this process runs."""

    guard: Guard
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def sealed(self, request: web.Request, text: str) -> list[tuple[str, str]]:
        """What was done in, the words of an address that say so to whoever asked out."""
        return [(SAID, text), (SEAL, self._seal(request, text))]

    def said(self, request: web.Request) -> str:
        """What an address says was done; nothing where it was not us who said so to this person."""
        text, seal = request.query.get(SAID, ""), request.query.get(SEAL, "")
        return text if text and hmac.compare_digest(seal.encode(), self._seal(request, text).encode()) else ""

    def _seal(self, request: web.Request, text: str) -> str:
        session = request.get(SESSION)
        key = self.guard.sessions.mark(session).encode() if session else self._secret
        return hmac.new(key, f"done {text}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]
