"""Webhook deliveries in, a list of what arrived and whether it was genuine out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from monitor.simulator.arrivals import Arrivals
from monitor.simulator.script import Replies, Reply, Script, reply_from
from monitor.simulator.signatures import judge
from monitor.simulator.wire import Listener, send


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request that arrived: the event's id and type, the raw bytes, whether its signature was genuine.

    ``headers`` have lower-case names; ``reason`` says why it was not verified; ``status`` is what was
    answered (0: the connection was reset); ``matched`` is how many of the known secrets signed it.
    """

    id: str
    type: str
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    verified: bool
    reason: str
    received_at: datetime
    status: int
    matched: int = 0
    path: str = "/"

    def json(self) -> Any:
        """Give the body as JSON; raises ``ValueError`` when it is none."""
        return json.loads(self.body)


class Receiver:
    """A webhook endpoint on a real socket that checks Standard Webhooks signatures with its own code.

    ``secrets`` are those it knows (``whsec_``, or ``whpk_`` for Ed25519). It answers 204, or 401 when a
    delivery is not genuine, unless ``script`` says otherwise, or ``decide``, which is asked for each one and
    may answer None. ``on_delivery`` is called with each one before it is answered.
    """

    def __init__(
        self,
        secrets: Sequence[str],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        on_delivery: Callable[[Delivery], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.secrets = list(secrets)
        self._listener = Listener(self._serve, host, port)
        self._on_delivery = on_delivery
        self._clock = clock
        self.decide: Callable[[Delivery], Reply | int | Mapping[str, Any] | None] | None = None
        self._script = Script()
        self._arrivals: Arrivals[Delivery] = Arrivals("deliveries")

    @property
    def url(self) -> str:
        """Where to send webhooks to; every path of this server takes them."""
        return f"{self._listener.url}/hook"

    @property
    def deliveries(self) -> list[Delivery]:
        """What has arrived, oldest first, the last 10,000."""
        return self._arrivals.items

    def script(self, replies: Replies, then: Reply | int | Mapping[str, Any] | None = None) -> None:
        """Prepare the answers to the next requests (a status, a ``Reply`` or its fields), and to all after
        them.
        """
        self._script.set(replies, then)

    async def wait_for(
        self,
        predicate: Callable[[list[Delivery]], bool],
        timeout: float = 10,  # noqa: ASYNC109 - the error tells what had arrived
    ) -> list[Delivery]:
        """Wait until ``predicate`` holds for all deliveries so far and give them; raises ``TimeoutError``."""
        return await self._arrivals.wait_for(predicate, timeout)

    async def start(self) -> None:
        """Listen; after ``stop`` on the same port again."""
        await self._listener.start()

    async def stop(self) -> None:
        """Stop listening: to senders the endpoint is down."""
        await self._listener.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        seen = self._seen(request, await request.read())
        usual = 405 if request.method != "POST" else 204 if seen.verified else 401
        decided = self.decide(seen) if self.decide is not None else None
        reply = self._script.take() if decided is None else reply_from(decided)
        status, headers, body = reply.over(usual, {}, b"")
        delivery = replace(seen, status=0 if reply.reset else status)
        self._arrivals.add(delivery)
        if self._on_delivery is not None:
            self._on_delivery(delivery)
        return await send(request, status, headers, body, reply.manners)

    def _seen(self, request: web.Request, body: bytes) -> Delivery:
        """Judge a request, before anything is decided about its answer."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        now = self._clock()
        verdict = judge(headers, body, self.secrets, now)
        return Delivery(
            id=headers.get("webhook-id", ""),
            type=_type_of(body, headers),
            body=body,
            headers=headers,
            verified=verdict.genuine,
            reason=verdict.reason,
            received_at=datetime.fromtimestamp(now, UTC),
            status=0,
            matched=verdict.matched,
            path=request.path_qs,
        )


def _type_of(body: bytes, headers: dict[str, str]) -> str:
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    found = event.get("type") if isinstance(event, dict) else None
    return found if isinstance(found, str) else headers.get("ce-type", "")
