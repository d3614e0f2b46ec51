"""The driver-jobs API as a small server: three lists, page numbers, a total in the headers, weak ETags.

Facts: public docs of the service at drvn-test.click/api/docs; what is not public (error bodies, the largest
page) is chosen as a Rails service with devise-jwt and the api-pagination gem would have it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime
from random import Random
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from monitor.simulator import stamps, tokens
from monitor.simulator.documents import Doc
from monitor.simulator.server import Answer, Call, Clock, ProviderServer

LIST_PATH = "/api/v1/job_drivers"
ZONE = ZoneInfo("Europe/London")
REJECTED = ("rejected", "rejected_verified")
STATES = ("accepted", "application", "all_rejected")

_HEADERS = {
    "x-frame-options": "SAMEORIGIN",
    "x-xss-protection": "0",
    "x-content-type-options": "nosniff",
    "x-permitted-cross-domain-policies": "none",
    "referrer-policy": "strict-origin-when-cross-origin",
    "vary": "Accept, Origin",
}


def list_of(doc: Doc) -> str:
    """Take a job driver and give the ``by_state`` list it is in, by its kind."""
    kind = doc.get("kind")
    if kind == "accepted":
        return "accepted"
    return "all_rejected" if kind in REJECTED else "application"


class DriverJobs(ProviderServer):
    """The driver-jobs stand-in. ``token`` is the bearer token; ids of items are integers.

    ``default_per_page`` and ``max_per_page`` may be changed; a larger ``per_page`` is cut to the maximum. The
    order of a list is undefined as in the original: it holds while nothing changes, and a changed row goes
    elsewhere.
    """

    name = "driver_jobs"

    def __init__(self, *, rng: Random, now: Clock, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(rng=rng, now=now, host=host, port=port)
        self.default_per_page = 20
        self.max_per_page = 100
        self._key = rng.randbytes(32)
        self._revoked: set[str] = set()
        self._answers = 0
        self.token = self.issue_token()

    def issue_token(self, days: float = 30) -> str:
        """Make one more valid token that lives ``days`` from now, and give it."""
        claims: dict[str, Any] = {"sub": "1235", "scp": "user", "aud": None}
        claims |= tokens.lifetime(self.now(), days=days)
        claims["jti"] = str(UUID(bytes=self.rng.randbytes(16), version=4))
        return tokens.hs256(claims, self._key)

    def revoke(self, token: str) -> None:
        """Make the server refuse this token from now on."""
        self._revoked.add(token)

    def key(self, item_id: Any) -> Any:
        """Give the integer id."""
        return int(item_id)

    def touch(self, doc: Doc) -> None:
        """Move ``updated_at``."""
        doc["updated_at"] = stamps.iso(self.now())

    def cursor_of(self, call: Call) -> str:
        """Give the page number as text."""
        return call.query.get("page", "")

    def page_number(self, call: Call) -> int:
        """Give the page asked for; anything but a whole number above 0 means the first, as in Kaminari."""
        text = call.query.get("page", "")
        return max(1, int(text)) if text.isdigit() else 1

    def answer(self, call: Call) -> Answer:
        """Answer the list call, or refuse it."""
        refusal = self._refusal(call)
        if refusal is not None:
            return refusal
        if call.path != LIST_PATH:
            return Answer(404, {"status": 404, "error": "Not Found"})
        if call.method != "GET":
            return Answer(405, {"status": 405, "error": "Method Not Allowed"})
        state = call.query.get("by_state")
        if state is None:
            return Answer(400, {"error": "by_state is missing"})
        if state not in STATES:
            return Answer(400, {"error": "by_state does not have a valid value"})
        return self._list(call, state)

    def error(self, status: int) -> Answer:
        """Give a small JSON error, as devise and Rails do."""
        texts = {401: "Signature has expired", 403: "Forbidden", 429: "Too Many Requests"}
        return Answer(status, {"error": texts.get(status, "Internal Server Error")})

    def finish(self, answer: Answer) -> None:
        """Add the usual headers and a weak ETag, a digest of the body, as Rails does."""
        self._answers += 1
        for name, value in _HEADERS.items():
            answer.headers.setdefault(name, value)
        answer.headers.setdefault("x-request-id", str(UUID(int=self._answers)))
        answer.headers.setdefault("content-type", "application/json; charset=utf-8")
        if answer.status != 200:
            return
        body = answer.encoded()
        tag = f'W/"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        answer.headers.setdefault("etag", tag)
        answer.headers.setdefault("cache-control", "max-age=0, private, must-revalidate")

    def _refusal(self, call: Call) -> Answer | None:
        token = tokens.bearer(call.headers.get("Authorization"))
        if token is None:
            return Answer(401, {"error": "You need to sign in or sign up before continuing."})
        claims = tokens.claims_of(token)
        if not claims or tokens.hs256(claims, self._key) != token:
            return Answer(401, {"error": "Signature verification failed"})
        if tokens.expired(token, self.now()):
            return Answer(401, {"error": "Signature has expired"})
        return Answer(401, {"error": "revoked token"}) if token in self._revoked else None

    def _list(self, call: Call, state: str) -> Answer:
        page = 1 if call.trouble.stuck else self.page_number(call)
        text = call.query.get("per_page", "")
        size = min(int(text), self.max_per_page) if text.isdigit() and int(text) else self.default_per_page
        if self.verbatim is not None:
            return self._verbatim(state, page, size)
        keys = self.view(state, lambda: self._order(state))
        rows = self.window(keys, (page - 1) * size, size, call.trouble)
        total = (0 if call.trouble.empty else len(keys)) + call.trouble.total_add
        today = self.now().astimezone(ZONE).date()
        documents = [rendered(self.shown(key, stale=call.trouble.stale), today) for key in rows.keys]
        headers = {"per-page": str(size), "total": str(total)}
        if links := self._links(call, page, size, total):
            headers["Link"] = ", ".join(links)
        return Answer(document={"job_drivers": documents}, headers=headers, rows="job_drivers")

    def _order(self, state: str) -> list[Any]:
        def place(key: Any) -> bytes:
            return hashlib.md5(f"{key}/{self.items[key].get('updated_at')}".encode(), usedforsecurity=False).digest()

        return sorted((key for key, doc in self.items.items() if list_of(doc) == state), key=place)

    def _links(self, call: Call, page: int, size: int, total: int) -> Sequence[str]:
        """RFC 8288 links as the api-pagination gem writes them:
        https://github.com/davidcelis/api-pagination
        """
        last = max(1, -(-total // size))
        wanted = {"first": 1, "prev": page - 1} if page > 1 else {}
        if page < last:
            wanted |= {"last": last, "next": page + 1}
        host = call.headers.get("Host", "127.0.0.1")
        query: dict[str, str | int] = {key: value for key, value in call.query.items() if key != "page"}
        base = f"http://{host}{LIST_PATH}"
        return [f'<{base}?{urlencode(query | {"page": n})}>; rel="{rel}"' for rel, n in wanted.items()]

    def _verbatim(self, state: str, page: int, size: int) -> Answer:
        """The prepared bytes are the first page of the accepted list; everything else is empty."""
        if self.verbatim is None or state != "accepted" or page > 1:
            return Answer(document={"job_drivers": []}, headers={"per-page": str(size), "total": "0"})
        headers = {
            "per-page": str(size),
            "total": str(_count(self.verbatim.raw or b"")),
        } | self.verbatim.headers
        return Answer(self.verbatim.status, raw=self.verbatim.raw, headers=headers)


def rendered(doc: Doc, today: date) -> Doc:
    """Take a stored job driver and a day and give it as sent: ``days_to_expire`` counted from that day.

    It is left as it is where the end is no date: a document can be given one that nobody can read.
    """
    sent = dict(doc)
    for name in ("last_contract", "pending_contract"):
        contract = sent.get(name)
        end = _day(contract.get("end_date")) if isinstance(contract, dict) else None
        if isinstance(contract, dict) and end is not None:
            sent[name] = {**contract, "days_to_expire": (end - today).days}
    if sent.get("pending_contract") is None:
        sent.pop("pending_contract", None)
    return sent


def _day(value: Any) -> date | None:
    try:
        return datetime.fromisoformat(value).date() if isinstance(value, str) else None
    except ValueError:
        return None


def _count(body: bytes) -> int:
    try:
        return len(json.loads(body)["job_drivers"])
    except (ValueError, KeyError, TypeError):
        return 0
