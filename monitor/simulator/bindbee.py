"""The Bindbee ATS API as a small server: connector tokens, cursors, short pages, a write clock, a rate limit.

Facts: https://docs.bindbee.dev (get jobs, pagination, rate limits, errors, connectors). Jobs are ``items``;
the other lists of the same connector are in ``others``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from monitor.simulator import stamps, tokens
from monitor.simulator.bindbee_connector import Connector
from monitor.simulator.documents import Doc
from monitor.simulator.limits import Allowance, Windows
from monitor.simulator.server import Answer, Call, Clock, ProviderServer

ROOT = "/api/ats/v1/"
KINDS = ("scheduled-interviews", "offers", "applications")

_JOB_FILTERS = ("ids", "remote_id", "code", "status", "offices")


class Bindbee(ProviderServer):
    """The Bindbee stand-in, with the credentials ``token`` and ``connector_token``.

    ``hris_connector_token`` is one of the wrong category. ``limits.limit`` is the number of requests a minute
    (None: no limit), ``max_page_size`` the largest page, and with ``short_pages`` two of three pages are shorter
    than asked for or empty although more rows follow. ``related`` holds what ``expand`` shows, by id.
    ``connector`` is the health record of the connection.
    """

    name = "bindbee"

    def __init__(self, *, rng: Random, now: Clock, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(rng=rng, now=now, host=host, port=port)
        self.token = f"bb_live_{rng.randbytes(24).hex()}"
        self.connector_token = base64.urlsafe_b64encode(rng.randbytes(48)).decode()
        self.hris_connector_token = base64.urlsafe_b64encode(rng.randbytes(48)).decode()
        self.limits = Windows(200, 60)
        self.max_page_size = 200
        self.short_pages = False
        self.others: dict[str, dict[str, Doc]] = {kind: {} for kind in KINDS}
        self.related: dict[str, Doc] = {}
        self.connector = Connector(rng, now(), self.connector_token)

    def touch(self, doc: Doc) -> None:
        """Move ``modified_at``, Bindbee's own write clock, and the upstream change stamp."""
        now = self.now()
        doc["modified_at"] = stamps.iso(now, 6)
        if "remote_updated_at" in doc:
            doc["remote_updated_at"] = stamps.iso(now, 0)

    def changed(self) -> None:
        """Count a change as a sync of a healthy connector: data only ever comes by one."""
        super().changed()
        self.connector.changed(self.now())

    def cursor_of(self, call: Call) -> str:
        """Give the cursor."""
        return call.query.get("cursor", "")

    def answer(self, call: Call) -> Answer:
        """Answer the list calls, the calls for one record and the connector health."""
        if tokens.bearer(call.headers.get("Authorization")) != self.token:
            return Answer(401, {"detail": "Invalid API key"})
        if call.method != "GET":
            return Answer(405, {"detail": "Method Not Allowed"})
        parts = call.path.strip("/").split("/")
        if parts[:1] == ["api"] and parts[2:] == ["v1", "connectors"]:
            return Answer(document=self.connector.listing(parts[1], self.now()), rows="items")
        if not call.path.startswith(ROOT) or parts[3] not in ("jobs", *KINDS) or len(parts) > 5:
            return Answer(404, {"detail": "Not Found"})
        refusal, allowance = self._admit(call)
        answer = refusal or self._read(call, parts[3], parts[4] if len(parts) == 5 else None)
        if allowance is not None:
            answer.headers.update(allowance.headers("X-RateLimit"))
        return answer

    def error(self, status: int) -> Answer:
        """Give the service's error body: a text, on 422 a list."""
        if status == 422:
            return _invalid("page_size", "Input should be valid", "value_error")
        texts = {401: "Invalid API key", 403: "Forbidden", 429: "Rate limit exceeded"}
        return Answer(status, {"detail": texts.get(status, "Internal Server Error")})

    def _admit(self, call: Call) -> tuple[Answer | None, Allowance | None]:
        token = call.headers.get("x-connector-token")
        if token is None:
            return _invalid("x-connector-token", "Field required", "missing", where="header"), None
        if token == self.hris_connector_token:
            return Answer(403, {"detail": "Connector does not belong to category ATS"}), None
        if token != self.connector_token:
            return Answer(401, {"detail": "Invalid connector token"}), None
        allowance = self.limits.take(token)
        if allowance is None or allowance.passes:
            return None, allowance
        wait = {"Retry-After": str(allowance.wait)}
        return Answer(429, {"detail": "Rate limit exceeded"}, headers=wait), allowance

    def _read(self, call: Call, kind: str, item_id: str | None) -> Answer:
        try:
            if item_id is not None:
                return self._one(call, kind, item_id)
            return self._list(call, kind)
        except _Invalid as problem:
            return problem.answer

    def _one(self, call: Call, kind: str, item_id: str) -> Answer:
        doc = self._records(kind).get(item_id)
        if doc is None:
            return Answer(404, {"detail": f"{kind} {item_id} not found"})
        return Answer(document=self._rendered(doc, call))

    def _list(self, call: Call, kind: str) -> Answer:
        records = self._records(kind)
        size = self._page_size(call)
        tests = _tests(call, kind)
        if self.verbatim is not None and kind == "jobs":
            return self._verbatim(call)
        after = _decoded(self.cursor_of(call))
        name = (kind, tuple(call.query.get(key) for key in (*_JOB_FILTERS, "modified_after")))
        keys = self.view(name, lambda: sorted(k for k, doc in records.items() if all(test(doc) for test in tests)))
        start = 0 if after is None else _after(keys, after)
        page = self.window(keys, start, self._short(call, size), call.trouble)
        stale = call.trouble.stale and kind == "jobs"
        rows = [self.shown(key, stale=stale) if stale else records[key] for key in page.keys]
        shown = [self._rendered(row, call) for row in rows]
        cursor = self.issue_cursor(call, _encoded(page.keys, keys[start:])) if page.more else None
        return Answer(document={"cursor": cursor, "page_size": len(shown), "items": shown}, rows="items")

    def _records(self, kind: str) -> dict[Any, Doc]:
        return self.items if kind == "jobs" else self.others[kind]

    def _verbatim(self, call: Call) -> Answer:
        if self.verbatim is None or self.cursor_of(call):
            return Answer(document={"cursor": None, "page_size": 0, "items": []})
        return Answer(self.verbatim.status, raw=self.verbatim.raw, headers=dict(self.verbatim.headers))

    def _short(self, call: Call, size: int) -> int:
        """A page that is not the last may be short or empty: nothing but the cursor says where the end is."""
        if not self.short_pages:
            return size
        return (size, max(1, size // 2), 0)[self.page_number(call) % 3]

    def _page_size(self, call: Call) -> int:
        text = call.query.get("page_size", "50")
        if not text.lstrip("-").isdigit():
            raise _Invalid(_invalid("page_size", "Input should be a valid integer", "int_parsing"))
        if int(text) > self.max_page_size:
            limit = f"Input should be less than or equal to {self.max_page_size}"
            raise _Invalid(_invalid("page_size", limit, "less_than_equal"))
        if int(text) < 1:
            raise _Invalid(_invalid("page_size", "Input should be greater than or equal to 1", "greater_than_equal"))
        return int(text)

    def _rendered(self, doc: Doc, call: Call) -> Doc:
        shown = dict(doc)
        for field, parameter in (
            ("raw_data", "include_raw_data"),
            ("custom_fields", "include_custom_fields"),
        ):
            if field in shown and call.query.get(parameter, "false").lower() not in ("true", "1"):
                shown[field] = None
        for relation, fields in _expansions(call.query.get("expand", "")).items():
            if relation in shown:
                shown[relation] = self._expanded(shown[relation], fields)
        return shown

    def _expanded(self, value: Any, fields: list[str]) -> Any:
        if isinstance(value, list):
            return [self._expanded(item, fields) for item in value]
        if not isinstance(value, str):
            return value
        known = self.related.get(value, {"id": value, "name": None})
        return {field: known.get(field) for field in fields} if fields else known


class _Invalid(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.document)
        self.answer = answer


def _invalid(name: str, message: str, kind: str, where: str = "query") -> Answer:
    """Give a 422 as FastAPI does: https://fastapi.tiangolo.com/tutorial/handling-errors/"""
    return Answer(422, {"detail": [{"loc": [where, name], "msg": message, "type": kind}]})


def _encoded(sent: list[Any], left: list[Any]) -> str:
    """Give the cursor behind the last row sent, or just before the next one when none was sent."""
    place = str(sent[-1]) if sent else str(UUID(int=UUID(left[0]).int - 1))
    return base64.b64encode(place.encode()).decode()


def _decoded(cursor: str) -> str | None:
    if not cursor:
        return None
    try:
        return str(UUID(base64.b64decode(cursor, validate=True).decode()))
    except (binascii.Error, ValueError) as error:
        raise _Invalid(Answer(400, {"detail": "Invalid cursor"})) from error


def _after(keys: list[Any], last: str) -> int:
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if keys[middle] <= last else (low, middle)
    return low


def _tests(call: Call, kind: str) -> list[Callable[[Doc], bool]]:
    tests: list[Callable[[Doc], bool]] = []
    if text := call.query.get("modified_after"):
        tests.append(_modified_after(text))
    if ids := call.query.get("ids"):
        wanted = set(ids.split(","))
        tests.append(lambda doc: doc["id"] in wanted)
    equal = ("remote_id", "code", "status") if kind == "jobs" else ("remote_id",)
    tests += [_equals(name, call.query[name]) for name in equal if name in call.query]
    if (offices := call.query.get("offices")) and kind == "jobs":
        places = set(offices.split(","))
        tests.append(lambda doc: bool(places.intersection(_ids(doc.get("offices")))))
    return tests


def _equals(name: str, value: str) -> Callable[[Doc], bool]:
    return lambda doc: doc.get(name) == value


def _modified_after(text: str) -> Callable[[Doc], bool]:
    try:
        limit = stamps.parse(text.replace(" ", "+"))
    except ValueError as error:
        answer = _invalid("modified_after", "Input should be a valid datetime", "datetime_from_date_parsing")
        raise _Invalid(answer) from error
    return lambda doc: (moment := _moment(doc.get("modified_at"))) is not None and moment > limit


def _moment(value: object) -> datetime | None:
    try:
        return stamps.parse(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _ids(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(item.get("id")) if isinstance(item, dict) else str(item) for item in value]
    return [value] if isinstance(value, str) else []


def _expansions(text: str) -> dict[str, list[str]]:
    """Take ``departments[id,name],offices`` and give the fields wanted of each relation, an empty list for
    all.
    """
    wanted: dict[str, list[str]] = {}
    while text:
        name, bracket, rest = text.partition("[")
        comma = name.find(",")
        if not bracket or comma >= 0:
            name, _, text = text.partition(",")
            wanted[name] = []
            continue
        fields, _, text = rest.partition("]")
        wanted[name] = [field for field in fields.split(",") if field]
        text = text.lstrip(",")
    return wanted
