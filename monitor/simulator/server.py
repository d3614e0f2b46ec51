"""Requests in, answers out: what the four stand-ins share, from the socket to the documents they hold.

A provider module turns a ``Call`` into an ``Answer`` and knows nothing of sockets; this module listens, plans
trouble, keeps the log and serves the answer.
"""

from __future__ import annotations

import json
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, ClassVar, NamedTuple

from aiohttp import web
from multidict import CIMultiDict, MultiDict

from monitor.simulator import faults, stamps
from monitor.simulator.documents import Documents
from monitor.simulator.faults import Fault, Trouble
from monitor.simulator.spoil import spoil
from monitor.simulator.wire import Listener, send

Clock = Callable[[], datetime]

_LOGGED_HEADERS = (
    "accept",
    "content-type",
    "if-none-match",
    "user-agent",
    "x-devrev-scope",
    "x-devrev-version",
)
_LOG_LENGTH = 4000


class Seen(NamedTuple):
    """One request as it was answered: no secret in it. ``status`` 0 means the connection was reset."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    status: int
    ms: float


@dataclass(frozen=True, slots=True)
class Call:
    """A request as a provider module sees it."""

    method: str
    path: str
    query: MultiDict[str]
    headers: CIMultiDict[str]
    body: bytes = b""
    trouble: Trouble = field(default_factory=Trouble)


@dataclass(slots=True)
class Answer:
    """What a provider module says: a status, headers, and a JSON document or ready bytes.

    ``rows`` names the list in the document, for the faults that spoil rows.
    """

    status: int = 200
    document: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    rows: str | None = None
    raw: bytes | None = None

    def encoded(self) -> bytes:
        """Give the body: the ready bytes, or the document as compact JSON, or nothing."""
        if self.raw is not None:
            return self.raw
        if self.document is None:
            return b""
        return json.dumps(self.document, ensure_ascii=False, separators=(",", ":")).encode()


class Page(NamedTuple):
    """A window of keys; ``more`` tells whether keys follow the last."""

    keys: list[Any]
    more: bool


class ProviderServer(Documents):
    """One provider stand-in: documents it holds, trouble it plans, requests it saw.

    ``on_call`` is called with each request and the page of the walk it asks for, before it is answered: the place to
    change something between two pages. ``requests`` are the last few thousand.
    """

    logs_body: ClassVar[bool] = False

    def __init__(self, *, rng: Random, now: Clock, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__()
        self.rng = rng
        self.now = now
        self.requests: list[Seen] = []
        self.verbatim: Answer | None = None
        self.on_call: Callable[[Call, int], object] | None = None
        self._faults: list[Fault] = []
        self._listener = Listener(self._serve, host, port)
        self._pages: dict[str, int] = {}

    # Life of the server

    @property
    def base_url(self) -> str:
        """The root of this server, as it goes into ``base_url`` of a source."""
        return self._listener.url

    async def start(self) -> None:
        """Listen; after ``stop`` on the same port again, with everything still known."""
        await self._listener.start()

    async def stop(self) -> None:
        """Stop listening: to clients the provider is down."""
        await self._listener.stop()

    # Trouble

    def fault(self, **options: Any) -> Fault:
        """Plan trouble (fields of ``faults.Fault``) and give it back, to read its ``hits`` or to change
        it.
        """
        fault = faults.fault_from(options)
        self._faults.append(fault)
        return fault

    def serve_verbatim(self, body: bytes | None, headers: Mapping[str, str] | None = None, status: int = 200) -> None:
        """Answer the first page of the list call with exactly these bytes, later pages as empty; None ends
        it.
        """
        self.verbatim = None if body is None else Answer(status=status, raw=body, headers=dict(headers or {}))

    def clear_faults(self) -> None:
        """Forget all planned trouble and the verbatim answer."""
        self._faults.clear()
        self.verbatim = None

    # Answering

    @abstractmethod
    def answer(self, call: Call) -> Answer:
        """Take a request and give what the real service would say."""

    @abstractmethod
    def error(self, status: int) -> Answer:
        """Give the error body the real service would send with this status."""

    def finish(self, answer: Answer) -> None:
        """Add what every answer of the service carries; called once, last, also for error bodies."""
        answer.headers.setdefault("content-type", "application/json")
        answer.headers.setdefault("date", stamps.http_date(self.now()))

    @abstractmethod
    def cursor_of(self, call: Call) -> str:
        """Give the cursor a list call came with, empty for the first page: for counting pages."""

    def page_number(self, call: Call) -> int:
        """Tell which page of a walk is asked for, 1 for the first."""
        return self._pages.get(self.cursor_of(call), 1)

    def issue_cursor(self, call: Call, cursor: str) -> str:
        """Remember that ``cursor`` leads to the page after this call's, and give the one to send."""
        if call.trouble.stuck and self.cursor_of(call):
            return self.cursor_of(call)
        if len(self._pages) > 10_000:
            self._pages.clear()
        self._pages[cursor] = self.page_number(call) + 1
        return cursor

    def window(self, keys: list[Any], start: int, size: int, trouble: Trouble) -> Page:
        """Give one page of ``keys``; planned row faults move its start, so that rows repeat or go missing."""
        if trouble.empty:
            return Page([], False)
        first = max(0, start + trouble.shift)
        chosen = keys[first : first + size]
        if start + trouble.shift < 0:
            chosen = [*chosen[:1], *chosen]
        return Page(chosen, first + size < len(keys) or (trouble.stuck and bool(chosen)))

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        began = time.perf_counter()
        body = await request.read()
        call = Call(request.method, request.path, MultiDict(request.query), CIMultiDict(request.headers), body)
        page = self.page_number(call)
        if self.on_call is not None:
            self.on_call(call, page)
        trouble = faults.strike(self._faults, call.method, call.path, call.query, page)
        call = Call(call.method, call.path, call.query, call.headers, body, trouble)
        answer = conditional(call.headers.get("If-None-Match", ""), self._respond(call))
        manners = call.trouble.manners
        try:
            return await send(request, answer.status, answer.headers, answer.encoded(), manners)
        finally:
            self._log(call, 0 if manners.reset else answer.status, (time.perf_counter() - began) * 1000)

    def _respond(self, call: Call) -> Answer:
        fault = call.trouble.replacement
        if fault is not None:
            return self._replaced(fault)
        answer = self.answer(call)
        for spoiler in call.trouble.faults:
            if isinstance(answer.document, dict) and answer.status == 200:
                answer.document = spoil(answer.document, answer.rows, spoiler)
            answer.headers.update(spoiler.headers)
        self.finish(answer)
        return answer

    def _replaced(self, fault: Fault) -> Answer:
        status = fault.status or (500 if fault.html else 200)
        if fault.html or fault.not_json:
            text = faults.HTML_PAGE if fault.html else "OK, but this is not JSON"
            answer = Answer(status, raw=text.encode(), headers={"content-type": "text/html; charset=utf-8"})
        elif isinstance(fault.body, str | bytes):
            answer = Answer(status, raw=fault.body.encode() if isinstance(fault.body, str) else fault.body)
        elif fault.body is not None:
            answer = Answer(status, document=fault.body)
        else:
            answer = self.error(status)
        if wait := faults.retry_after_header(fault, self.now()):
            answer.headers["Retry-After"] = wait
        answer.headers.update(fault.headers)
        self.finish(answer)
        return answer

    def _log(self, call: Call, status: int, ms: float) -> None:
        headers = {name: call.headers[name] for name in _LOGGED_HEADERS if name in call.headers}
        if len(self.requests) >= _LOG_LENGTH:
            del self.requests[: _LOG_LENGTH // 2]
        query = dict(call.query)
        body = _json_or_none(call.body) if self.logs_body else None
        self.requests.append(Seen(call.method, call.path, query, headers, body, status, round(ms, 1)))


def conditional(header: str, answer: Answer) -> Answer:
    """Take If-None-Match and an answer and give an empty 304 instead when its ETag is named (weak
    comparison).

    https://www.rfc-editor.org/rfc/rfc9110#name-if-none-match
    """
    tag = answer.headers.get("etag", "").removeprefix("W/")
    named = {part.strip().removeprefix("W/") for part in header.split(",")}
    if not (header and tag and answer.status == 200 and ("*" in named or tag in named)):
        return answer
    kept = {name: value for name, value in answer.headers.items() if name != "content-type"}
    return Answer(304, headers=kept)


def _json_or_none(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
