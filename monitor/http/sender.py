"""Sends to targets: single guarded attempts, whose answer is read only as far as people need it."""

from __future__ import annotations

from typing import TypeVar

from aiohttp import ClientSession

from monitor.clock import Clock
from monitor.exchange import Answer, Blocking, Exchange, Page, Request, Response, Returned, Step
from monitor.http.blocking import Threads
from monitor.http.connect import NETWORK_ERRORS, full_url, headers_of, transport_error
from monitor.http.drive import drive, together
from monitor.http.wire import Broken, Wire

T = TypeVar("T")


class Sender:
    """Runs single attempts of one target's exchange; nothing is repeated here.

    An answer counts as soon as its headers are there: its body is read up to `max_answer` decompressed
    bytes, for people, and a slow, broken or endless one is cut (`Response.truncated`).
    """

    def __init__(
        self, session: ClientSession, timeout: float, max_answer: int = 65_536, clock: Clock | None = None
    ) -> None:
        self._wire = Wire(session, max_answer)
        self._timeout = timeout
        self._monotonic = (clock or Clock()).monotonic
        self._threads = Threads()

    async def run(self, exchange: Exchange[T]) -> T:
        """Run one attempt; `timeout` seconds are for all of it. Raises what the exchange lets through."""
        deadline = self._monotonic() + self._timeout

        async def answer(step: Step) -> Answer:
            if isinstance(step, Request):
                return await self._once(step, deadline)
            if isinstance(step, Blocking):
                return Returned(await self._threads.run(step.call, deadline - self._monotonic()))
            if isinstance(step, Page):
                raise TypeError("a target hands over no pages")
            return await together([self._once(request, deadline) for request in step])

        return await drive(exchange, answer)

    async def _once(self, request: Request, deadline: float) -> Response:
        started = self._monotonic()
        try:
            if started >= deadline:
                raise TimeoutError
            answer = await self._wire.send(
                request.method, full_url(request), request.headers, request.body, deadline - started
            )
        except NETWORK_ERRORS as error:
            failure = transport_error(error, request.url, self._timeout)
            failure.sent = False  # there was no connection
            raise failure from None
        except Broken as broken:
            failure = transport_error(broken.error, request.url, self._timeout)
            failure.address = broken.address
            raise failure from None
        elapsed = self._monotonic() - started
        headers = headers_of(answer.message)
        return Response(answer.message.code, headers, answer.body, elapsed, answer.address, answer.truncated)
