"""The DevRev jobs API as a small server: POST or GET, cursors both ways, sorting, typed error bodies.

Facts: https://developer.devrev.ai (jobs.list, pagination, errors, rate limits). The sort fields and the
largest page are not public for jobs; those of the service's other lists are used, and sorting can be switched
off.
"""

from __future__ import annotations

import base64
import binascii
import json
from functools import cmp_to_key
from random import Random
from typing import Any

from monitor.simulator import devrev_request, stamps, tokens
from monitor.simulator.devrev_request import BadRequest, ListRequest
from monitor.simulator.documents import Doc
from monitor.simulator.limits import Allowance, Windows
from monitor.simulator.server import Answer, Call, Clock, ProviderServer

_TYPES = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    413: "request_entity_too_large",
    429: "too_many_requests",
    503: "service_unavailable",
}


class DevRev(ProviderServer):
    """The DevRev stand-in. ``token`` is a personal access token of ``token_days`` days.

    ``sortable`` are the fields ``sort_by`` knows (empty: 400 invalid_field, a client must fall back);
    ``max_limit`` the largest page; ``limits.limit`` the requests in 5 minutes per user (None: no limit);
    ``require_beta`` refuses calls without the beta header; ``moved`` maps old ids to new ones, answered with
    301.
    """

    name = "devrev"
    logs_body = True

    def __init__(self, *, rng: Random, now: Clock, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(rng=rng, now=now, host=host, port=port)
        self._key = rng.randbytes(32)
        self._refused: dict[str, str] = {}
        self.token = self.issue_token()
        self.sortable: tuple[str, ...] = ("created_date", "modified_date")
        self.max_limit = 100
        self.limits = Windows(3000, 300)
        self.require_beta = False
        self.moved: dict[str, str] = {}

    def issue_token(self, days: float = 90) -> str:
        """Make one more valid token that lives ``days`` from now, and give it."""
        claims: dict[str, Any] = {
            "iss": "https://auth-token.devrev.ai/",
            "sub": "don:identity:dvrv-us-1:devo/1:devu/7",
        }
        claims |= {"http://devrev.ai/tokentype": "urn:devrev:params:oauth:token-type:pat"}
        claims |= tokens.lifetime(self.now(), days=days)
        return tokens.rs256_lookalike(claims | {"jti": self.rng.randbytes(8).hex()}, self._key)

    def refuse(self, token: str, reason: str = "token_revoked") -> None:
        """Refuse this token from now on with one of the service's 401 types."""
        self._refused[token] = reason

    def touch(self, doc: Doc) -> None:
        """Move ``modified_date`` and count ``object_version`` up."""
        doc["modified_date"] = stamps.iso(self.now())
        doc["object_version"] = int(doc.get("object_version") or 0) + 1

    def cursor_of(self, call: Call) -> str:
        """Give the cursor, from the query or the body."""
        if call.method == "GET":
            return call.query.get("cursor", "")
        try:
            body = json.loads(call.body or b"{}")
        except ValueError:
            return ""
        cursor = body.get("cursor") if isinstance(body, dict) else None
        return cursor if isinstance(cursor, str) else ""

    def finish(self, answer: Answer) -> None:
        """Repeat Retry-After in the body of a 429, as whole seconds."""
        super().finish(answer)
        if answer.status == 429 and isinstance(answer.document, dict):
            wait = answer.headers.get("Retry-After", "")
            answer.document.setdefault("retry_after", int(wait) if wait.isdigit() else 30)

    def answer(self, call: Call) -> Answer:
        """Answer jobs.list and jobs.get, or refuse."""
        refusal = self._refusal(call)
        if refusal is not None:
            return refusal
        allowance = self.limits.take("user")
        answer = self._limited(allowance) or self._routed(call)
        if allowance is not None:
            answer.headers.update(allowance.headers("X-Ratelimit"))
        return answer

    def error(self, status: int) -> Answer:
        """Give the service's error envelope."""
        more = {"reference_id": self.rng.randbytes(8).hex()} if status == 500 else {}
        return refused(status, _TYPES.get(status, "internal_error"), "Simulated failure", **more)

    def _refusal(self, call: Call) -> Answer | None:
        header = call.headers.get("Authorization", "")
        token = tokens.bearer(header) or header  # the vendor's own SDK sends the token bare
        claims = tokens.claims_of(token)
        if not claims or tokens.rs256_lookalike(claims, self._key) != token:
            return refused(401, "unauthenticated", "Authentication information is missing or invalid")
        if token in self._refused:
            return refused(401, self._refused[token], "The token can no longer be used")
        if tokens.expired(token, self.now()):
            return refused(401, "token_expired", "The token has expired")
        if self.require_beta and call.headers.get("X-Devrev-Scope") != "beta":
            return refused(404, "not_found", f"Unknown endpoint {call.path}")
        return None

    def _limited(self, allowance: Allowance | None) -> Answer | None:
        if allowance is None or allowance.passes:
            return None
        answer = refused(429, "too_many_requests", "Too many requests")
        answer.headers["Retry-After"] = str(allowance.wait)
        return answer

    def _routed(self, call: Call) -> Answer:
        calls = {"/jobs.list": self._list, "/jobs.get": self._get}
        if call.path not in calls:
            return refused(404, "not_found", f"Unknown endpoint {call.path}")
        try:
            return calls[call.path](call)
        except BadRequest as problem:
            return refused(400, problem.kind, problem.message, **problem.more)

    def _get(self, call: Call) -> Answer:
        given = devrev_request.parameters(call)
        job_id = given.get("id")
        if not isinstance(job_id, str) or not job_id:
            raise BadRequest("missing_required_field", "id is required", field_name="id")
        if job_id in self.moved:
            return Answer(301, headers={"Location": f"/jobs.get?id={self.moved[job_id]}"})
        if not job_id.startswith("don:") and job_id not in self.items:
            raise BadRequest("invalid_id", f"{job_id!r} is not a valid id", field_name="id")
        if job_id not in self.items:
            return refused(404, "not_found", "No such job")
        return Answer(document={"job": self.shown(job_id, stale=call.trouble.stale)})

    def _list(self, call: Call) -> Answer:
        asked = devrev_request.list_request(call, self.sortable, self.max_limit)
        if self.verbatim is not None:
            return self._verbatim(asked)
        keys = self.view(asked.selection, lambda: self._order(asked))
        start, size = self._span(asked, keys)
        page = self.window(keys, start, size, call.trouble)
        document: dict[str, Any] = {"jobs": [self.shown(key, stale=call.trouble.stale) for key in page.keys]}
        if page.more and page.keys:
            document["next_cursor"] = self.issue_cursor(call, self._cursor(asked, page.keys[-1]))
        if start > 0 and page.keys:
            document["prev_cursor"] = self._cursor(asked, page.keys[0])
        return Answer(document=document, rows="jobs")

    def _verbatim(self, asked: ListRequest) -> Answer:
        if self.verbatim is None or asked.cursor:
            return Answer(document={"jobs": []})
        return Answer(self.verbatim.status, raw=self.verbatim.raw, headers=dict(self.verbatim.headers))

    # A cursor is a place in the sort order: the sort values of a row, then its id

    def _order(self, asked: ListRequest) -> list[Any]:
        chosen = [key for key, doc in self.items.items() if asked.takes(doc)]
        return sorted(chosen, key=cmp_to_key(lambda a, b: asked.compare(self._rank(asked, a), self._rank(asked, b))))

    def _rank(self, asked: ListRequest, key: Any) -> list[str]:
        doc = self.items[key]
        return [*(str(doc.get(field) or "") for field, _ in asked.sort), str(key)]

    def _cursor(self, asked: ListRequest, key: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(self._rank(asked, key)).encode()).decode()

    def _span(self, asked: ListRequest, keys: list[Any]) -> tuple[int, int]:
        """Give where the page starts and how long it is, walking forward or backward from the cursor."""
        if asked.mode == "after":
            return (self._place(asked, keys) if asked.cursor else 0), asked.limit
        end = self._place(asked, keys) if asked.cursor else len(keys)
        start = max(0, end - asked.limit)
        return start, end - start

    def _place(self, asked: ListRequest, keys: list[Any]) -> int:
        try:
            place = json.loads(base64.urlsafe_b64decode(asked.cursor))
        except (binascii.Error, ValueError) as error:
            raise BadRequest("bad_request", "invalid cursor") from error
        if not isinstance(place, list) or len(place) != len(asked.sort) + 1:
            raise BadRequest("bad_request", "the cursor belongs to another sort order")
        after = asked.mode == "after"
        low, high = 0, len(keys)
        while low < high:
            middle = (low + high) // 2
            order = asked.compare(self._rank(asked, keys[middle]), [str(part) for part in place])
            low, high = (middle + 1, high) if order < 0 or (after and order == 0) else (low, middle)
        return low


def refused(status: int, kind: str, message: str, **more: Any) -> Answer:
    """Give an error envelope: type, message, detail and what belongs to the type."""
    return Answer(status, {"type": kind, "message": message, "detail": f"{message}."} | more)
