"""Sends to targets: single guarded attempts, whose answer is read only as far as people need it."""

from __future__ import annotations

from typing import TypeVar

from aiohttp import ClientResponse, ClientSession, ClientTimeout

from monitor.clock import Clock
from monitor.exchange import Answer, Exchange, Page, Request, Response, Step
from monitor.http.connect import NETWORK_ERRORS, full_url, headers_of, peer_of, transport_error
from monitor.http.drive import drive, together

T = TypeVar("T")


class Sender:
    """Runs single attempts of one target's exchange; nothing is repeated here.

    An answer counts as soon as its headers are there: its body is read up to `max_answer` decompressed
    bytes, for people, and a slow, broken or endless one is cut (`Response.truncated`).
    """

    def __init__(
        self, session: ClientSession, timeout: float, max_answer: int = 65_536, clock: Clock | None = None
    ) -> None:
        self._session = session
        self._timeout = timeout
        self._max_answer = max_answer
        self._monotonic = (clock or Clock()).monotonic

    async def run(self, exchange: Exchange[T]) -> T:
        """Run one attempt; `timeout` seconds are for all of it. Raises what the exchange lets through."""
        deadline = self._monotonic() + self._timeout

        async def answer(step: Step) -> Answer:
            if isinstance(step, Request):
                return await self._once(step, deadline)
            if isinstance(step, Page):
                raise TypeError("a target hands over no pages")
            return await together([self._once(request, deadline) for request in step])

        return await drive(exchange, answer)

    async def _once(self, request: Request, deadline: float) -> Response:
        started = self._monotonic()
        try:
            if started >= deadline:
                raise TimeoutError
            answer = await self._session.request(
                request.method,
                full_url(request),
                headers=request.headers,
                data=request.body,
                allow_redirects=False,
                timeout=ClientTimeout(total=deadline - started),
            )
        except NETWORK_ERRORS as error:
            raise transport_error(error, request.url, self._timeout) from None
        body, truncated = await _body_start(answer, self._max_answer)
        elapsed = self._monotonic() - started
        return Response(answer.status, headers_of(answer), body, elapsed, peer_of(answer), truncated)


async def _body_start(answer: ClientResponse, limit: int) -> tuple[bytes, bool]:
    """Up to `limit` bytes of the body, and whether there was more or it broke off."""
    content = answer.content
    parts: list[bytes] = []
    size = 0
    try:
        while size <= limit and not content.at_eof():
            part = await content.readany()
            size += len(part)
            parts.append(part)
        truncated = size > limit
    except NETWORK_ERRORS:
        truncated = True
    finally:
        # Closes the connection; after a body read to its end it is back in the pool, and this does nothing.
        answer.close()
    return b"".join(parts)[:limit], truncated
