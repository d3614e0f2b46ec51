"""A list of prepared answers in, one after another out: how a receiver misbehaves on demand."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from monitor.simulator.wire import Manners


class Reply(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One prepared answer. Without a status the receiver says what it would have said, in the given manners.

    ``body`` is text, bytes or JSON; ``redirect`` sends a Location (308 unless ``status`` says otherwise). The
    rest is described in ``wire.Manners``.
    """

    status: int | None = None
    headers: dict[str, str] = {}
    body: Any = None
    redirect: str | None = None
    delay: float = 0.0
    reset: bool = False
    truncate: int | None = None
    drip: float = 0.0
    drip_bytes: int = 1
    huge_mb: float = 0.0
    gzip: bool = False

    @property
    def manners(self) -> Manners:
        """How this answer is sent."""
        return Manners(
            delay=self.delay,
            reset=self.reset,
            truncate=self.truncate,
            drip=self.drip,
            drip_bytes=self.drip_bytes,
            huge_mb=self.huge_mb,
            gzip=self.gzip,
        )

    def over(self, status: int, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Give status, headers and body of this answer, taking what it leaves open from the usual one."""
        if self.redirect is not None:
            return self.status or 308, {"Location": self.redirect, **self.headers}, self._body(b"")
        if self.status is None:
            return status, {**headers, **self.headers}, self._body(body)
        return self.status, dict(self.headers), self._body(b"")

    def _body(self, usual: bytes) -> bytes:
        if self.body is None:
            return usual
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


Replies = Iterable[Reply | int | Mapping[str, Any]]


def reply_from(value: Reply | int | Mapping[str, Any]) -> Reply:
    """Take a reply, a bare status or named options and give a reply; raises ``ValueError`` for unknown
    options.
    """
    if isinstance(value, Reply):
        return value
    return Reply(status=value) if isinstance(value, int) else msgspec.convert(dict(value), Reply)


class Script:
    """Prepared answers for the next requests; when they are used up, ``then`` for all others, or the usual
    answer.
    """

    def __init__(self) -> None:
        self._next: deque[Reply] = deque()
        self._then: Reply | None = None

    def set(self, replies: Replies, then: Reply | int | Mapping[str, Any] | None = None) -> None:
        """Replace what was prepared."""
        self._next = deque(reply_from(reply) for reply in replies)
        self._then = None if then is None else reply_from(then)

    def take(self) -> Reply:
        """Give the answer for one more request; a plain ``Reply()`` means the usual answer."""
        return self._next.popleft() if self._next else self._then or Reply()
