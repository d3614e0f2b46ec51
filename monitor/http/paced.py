"""A sender that keeps what receivers allow: each request with a budget waits its turn, in all workers together."""

from __future__ import annotations

from typing import Protocol

import structlog
from aiohttp import ClientSession

from monitor.backoff import retry_after
from monitor.clock import Clock
from monitor.errors import Paused, StoreUnavailable
from monitor.exchange import Budget, Request, Response
from monitor.http.sender import Sender

_TOO_MANY = 429
_UNASKED = 30.0


class Spends(Protocol):
    """Who keeps the budgets (`monitor.store.spending.Spending`)."""

    async def take(self, budget: Budget) -> tuple[float, bool]:
        """Take one; seconds to wait before asking again (0: it is taken), and whether a pause is the reason."""
        ...

    async def pause(self, budget: Budget, seconds: float) -> None:
        """Nobody takes anything for so long."""
        ...


class PacedSender(Sender):
    """Sends as `Sender` does, but never faster than the budgets of requests allow.

    A turn is waited for within the attempt's own time. What a 429 asks for, and any other answer of which the request
    knows that it wants a pause (`Request.quiet`), pauses its budget for everybody: who comes meanwhile is told so
    (`Paused`) instead of being sent. While the store cannot be reached nobody waits.
    """

    def __init__(self, session: ClientSession, timeout: float, clock: Clock, spending: Spends) -> None:
        super().__init__(session, timeout, clock=clock)
        self._spending = spending
        self._clock = clock

    async def _once(self, request: Request, deadline: float) -> Response:
        budget = request.budget
        if budget is None:
            return await super()._once(request, deadline)
        await self._turn(budget, deadline)
        response = await super()._once(request, deadline)
        pause = self._asked(response) if response.status == _TOO_MANY else 0.0
        pause = max(pause, request.quiet(response) if request.quiet else 0.0)
        if pause > 0:
            await self._pause(budget, pause)
        return response

    def _asked(self, response: Response) -> float:
        asked = retry_after(response.headers.get("retry-after"), self._clock.now())
        return asked if asked is not None else _UNASKED

    async def _turn(self, budget: Budget, deadline: float) -> None:
        while True:
            try:
                wait, paused = await self._spending.take(budget)
            except StoreUnavailable as error:
                structlog.get_logger().warning("budget.unknown", error=str(error))
                return
            if wait <= 0:
                return
            if paused or self._clock.monotonic() + wait >= deadline:
                why = "is paused, as the receiver asked" if paused else "is used up by others"
                raise Paused(f"not sent: the budget of this receiver {why}, for {wait:.1f} s more", wait, asked=paused)
            await self._clock.sleep(wait)

    async def _pause(self, budget: Budget, seconds: float) -> None:
        try:
            await self._spending.pause(budget, seconds)
        except StoreUnavailable as error:
            structlog.get_logger().warning("budget.not_paused", error=str(error))
