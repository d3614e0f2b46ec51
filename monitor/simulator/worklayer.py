"""The Worklayer API as a small server: OAuth2 client credentials, a filter grammar, keyset page tokens.

Facts: https://docs.taxfyle.com (authentication, listing workspace jobs, job resource). Error bodies and the
largest page are not public and are chosen here.
"""

from __future__ import annotations

import base64
import binascii
import json
from random import Random
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from monitor.simulator import stamps, tokens
from monitor.simulator.documents import Doc
from monitor.simulator.server import Answer, Call, Clock, ProviderServer
from monitor.simulator.worklayer_filter import BadFilter, compile_filter

LIST_PATH = "/v1.0/jobs"
TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path, not a secret
STATUSES = ("UNDER_CONSTRUCTION", "INFO_GATHERING", "UNCLAIMED", "CLAIMED", "CLOSED")

_NAMES = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 429: "TooManyRequests"}


class Worklayer(ProviderServer):
    """The Worklayer stand-in, its token endpoint included.

    Credentials: ``client_id``, ``client_secret``, ``token_url``, ``audience``; or ``static_token``.
    ``token_lifetime`` (seconds) and ``max_page_size`` may be changed; ``tokens_issued`` counts. With
    ``tie_break`` off, page tokens carry a bare millisecond, so rows that share it across a page edge are
    lost, as the published tokens suggest.
    """

    name = "worklayer"

    def __init__(self, *, rng: Random, now: Clock, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(rng=rng, now=now, host=host, port=port)
        self._key = rng.randbytes(32)
        self._issued: dict[str, int] = {}
        self.client_id = rng.randbytes(16).hex()
        self.client_secret = rng.randbytes(32).hex()
        self.audience = "https://api.worklayer.com/public/"
        self.static_token = self._make_token(days=365)
        self.token_lifetime = 3600
        self.tokens_issued = 0
        self.max_page_size = 100
        self.tie_break = True
        self.update_digits = 3

    @property
    def token_url(self) -> str:
        """Where access tokens are asked for."""
        return self.base_url + TOKEN_PATH

    def revoke_tokens(self) -> None:
        """Make the server refuse every token given out so far, the static one included."""
        self._issued.clear()

    def touch(self, doc: Doc) -> None:
        """Move ``update_time``."""
        doc["update_time"] = stamps.iso(self.now(), self.update_digits)

    def cursor_of(self, call: Call) -> str:
        """Give the page token."""
        return call.query.get("page_token", "")

    def answer(self, call: Call) -> Answer:
        """Answer the token call, the list call and the two calls for one job."""
        if call.path == TOKEN_PATH:
            return self._token(call)
        token = tokens.bearer(call.headers.get("Authorization"))
        if token is None or self._issued.get(token, 0) <= self.now().timestamp():
            return refusal(401, "API Client does not have valid credentials.")
        if call.method != "GET":
            return refusal(400, f"{call.method} is not supported on {call.path}.")
        if call.path == LIST_PATH:
            return self._list(call)
        return self._one(unquote(call.path))

    def error(self, status: int) -> Answer:
        """Give the service's error body."""
        return refusal(status, "Simulated failure.")

    # Tokens: https://auth0.com/docs/api/authentication/client-credential-flow/get-token

    def _make_token(self, *, days: float = 0, seconds: float = 0) -> str:
        claims: dict[str, Any] = {"iss": "https://taxfyle.auth0.com/", "sub": f"{self.client_id}@clients"}
        claims |= {"aud": self.audience, "scope": "api:access", "gty": "client-credentials"}
        claims |= tokens.lifetime(self.now(), days=days, seconds=seconds)
        claims["jti"] = self.rng.randbytes(8).hex()
        token = tokens.rs256_lookalike(claims, self._key)
        alive = self.now().timestamp()
        self._issued = {kept: exp for kept, exp in self._issued.items() if exp > alive} | {token: claims["exp"]}
        return token

    def _token(self, call: Call) -> Answer:
        if call.method != "POST":
            return Answer(404, {"error": "not_found"})
        asked = _form_or_json(call)
        if asked is None:
            return Answer(400, {"error": "invalid_request", "error_description": "The body is not JSON."})
        if asked.get("grant_type") != "client_credentials":
            return _denied(403, "unsupported_grant_type", f"Unsupported grant type: {asked.get('grant_type')}")
        if (asked.get("client_id"), asked.get("client_secret")) != (self.client_id, self.client_secret):
            return _denied(401, "access_denied", "Unauthorized")
        if asked.get("audience") != self.audience:
            return _denied(403, "access_denied", f"Service not enabled within domain: {asked.get('audience')}")
        self.tokens_issued += 1
        token = self._make_token(seconds=self.token_lifetime)
        given = {"access_token": token, "scope": "api:access", "expires_in": self.token_lifetime}
        return Answer(document=given | {"token_type": "Bearer"}, headers={"cache-control": "no-store"})

    # Jobs

    def _list(self, call: Call) -> Answer:
        text = call.query.get("filter", "")
        try:
            test = compile_filter(text, self.view(None, self._statuses))
            size = self._page_size(call.query.get("page_size", ""))
            after = None if self.verbatim else _decoded(self.cursor_of(call))
        except BadFilter as error:
            return refusal(400, f"The filter is in an incorrect format: {error}.")
        except ValueError as error:
            return refusal(400, f"Malformed request: {error}.")
        if self.verbatim is not None:
            return self._verbatim(call)
        keys = self.view(text, lambda: self._order(lambda key: test(self.items[key])))
        start = 0 if after is None else self._place(keys, after)
        page = self.window(keys, start, size, call.trouble)
        token = self.issue_cursor(call, self._encoded(page.keys[-1])) if page.more and page.keys else ""
        rows = [self.shown(key, stale=call.trouble.stale) for key in page.keys]
        return Answer(document={"data": rows, "next_page_token": token}, rows="data")

    def _one(self, path: str) -> Answer:
        found: Doc | None = None
        if path.startswith(f"{LIST_PATH}/getByShortId:"):
            short = path.partition("getByShortId:")[2]
            found = next((doc for doc in self.items.values() if doc.get("short_id") == short), None)
        elif path.startswith(f"{LIST_PATH}/"):
            found = self.items.get(path.removeprefix(f"{LIST_PATH}/"))
        return refusal(404, "One or more jobs weren't found.") if found is None else Answer(document=found)

    def _verbatim(self, call: Call) -> Answer:
        if self.verbatim is None or self.cursor_of(call):
            return Answer(document={"data": [], "next_page_token": ""})
        return Answer(self.verbatim.status, raw=self.verbatim.raw, headers=dict(self.verbatim.headers))

    def _page_size(self, text: str) -> int:
        size = int(text) if text else 0
        if size < 0:
            raise ValueError("page_size must not be negative")
        return min(size or 50, self.max_page_size)

    # Newest first, one column in the token, as the published samples decode

    def _statuses(self) -> list[str]:
        return sorted({*STATUSES, *(str(doc.get("status")) for doc in self.items.values())})

    def _order(self, wanted: Any) -> list[Any]:
        return sorted(filter(wanted, self.items), key=lambda key: (-self._millis(key), str(key)))

    def _millis(self, key: Any) -> int:
        return round(stamps.parse(self.items[key]["create_time"]).timestamp() * 1000)

    def _encoded(self, key: Any) -> str:
        value = f"{self._millis(key)}|{key}" if self.tie_break else str(self._millis(key))
        return base64.b64encode(f"date/date_created/desc/{quote(value, safe='')}".encode()).decode()

    def _place(self, keys: list[Any], after: tuple[int, str]) -> int:
        low, high = 0, len(keys)
        while low < high:
            middle = (low + high) // 2
            held = (-self._millis(keys[middle]), str(keys[middle]) if self.tie_break else "")
            low, high = (middle + 1, high) if held <= (-after[0], after[1]) else (low, middle)
        return low


def refusal(status: int, message: str) -> Answer:
    """Give an error answer in the words the service documents: Forbidden, Unauthorized, NotFound,
    BadRequest.
    """
    return Answer(status, {"error": _NAMES.get(status, "InternalServerError"), "message": message})


def _denied(status: int, code: str, description: str) -> Answer:
    return Answer(status, {"error": code, "error_description": description})


def _decoded(token: str) -> tuple[int, str] | None:
    if not token:
        return None
    try:
        value = base64.b64decode(token, validate=True).decode().removeprefix("date/date_created/desc/")
        millis, _, key = unquote(value).partition("|")
        return int(millis), key
    except (binascii.Error, ValueError) as error:
        raise ValueError("the page token is invalid") from error


def _form_or_json(call: Call) -> dict[str, Any] | None:
    if call.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(call.body.decode(errors="replace")))
    try:
        asked = json.loads(call.body)
    except ValueError:
        return None
    return asked if isinstance(asked, dict) else None
