"""Callers that share a credential through a real store, and a server that notes when it is asked."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import ClientSession, web
from redis.asyncio import Redis

from monitor.clock import Clock
from monitor.exchange import Exchange, Request, Response, ask
from monitor.http import Caller, Limits, source_session
from monitor.http.pace import Pace
from monitor.providers.base import Credentials
from monitor.store.db import Db
from monitor.store.governor import Budget, SharedGovernor
from monitor.store.keys import Keys
from tests.servers import served

PREFIX = "jobwire"


@dataclass(slots=True)
class Desk:
    """A server that takes `seconds` for an answer and notes who asked when, and how many were there at once.

    A path is the name of who asks. `answer` may say something else than 200.
    """

    seconds: float = 0.0
    answer: Callable[[], web.Response] = web.Response
    asked: list[tuple[str, float]] = field(default_factory=list)
    inside: int = 0
    most: int = 0

    async def __call__(self, request: web.Request) -> web.Response:
        self.asked.append((request.path.strip("/"), time.monotonic()))
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            response = self.answer()
            await asyncio.sleep(self.seconds)
            return response
        finally:
            self.inside -= 1

    @property
    def times(self) -> list[float]:
        return sorted(at for _, at in self.asked)


@dataclass(slots=True)
class Office:
    """Makes callers on one store: each stands for a source in a worker of its own."""

    db: Db
    session: ClientSession
    url: str
    governors: list[SharedGovernor] = field(default_factory=list)

    def caller(self, name: str, budget: Budget, *, concurrency: int | None = None, credential: str = "c1") -> Caller:
        clock = Clock()
        governor = SharedGovernor(self.db, credential, name, budget, Pace(budget.rate, clock), clock)
        self.governors.append(governor)
        limits = Limits(concurrency=concurrency or budget.concurrency, rate=budget.rate)
        return Caller(self.session, Credentials(), limits, clock=clock, governor=governor)

    async def send(self, caller: Caller, name: str, count: int) -> list[int]:
        """So many requests of one caller, as many at once as it may; their statuses."""
        answers = await asyncio.gather(*(caller.run(read(f"{self.url}/{name}")) for _ in range(count)))
        return [answer.status for answer in answers]

    async def close(self) -> None:
        for governor in self.governors:
            await governor.close()


def read(url: str) -> Exchange[Response]:
    """An exchange of one GET."""
    return (yield from ask(Request("GET", url)))


@asynccontextmanager
async def office(store_url: str, desk: Desk) -> AsyncIterator[Office]:
    """A desk that is asked by callers who share their budgets in that store."""
    async with served(desk) as url, source_session("jobwire/test") as session, Redis.from_url(store_url) as redis:
        made = Office(Db(redis, Keys(PREFIX)), session, url)
        try:
            yield made
        finally:
            await made.close()


async def main(store_url: str, url: str, name: str, count: int, rate: float, concurrency: int) -> None:
    """One worker process: so many requests on the budget of credential `c1`."""
    async with source_session("jobwire/test") as session, Redis.from_url(store_url) as redis:
        place = Office(Db(redis, Keys(PREFIX)), session, url)
        try:
            await place.send(place.caller(name, Budget(rate or None, concurrency)), name, count)
        finally:
            await place.close()


if __name__ == "__main__":
    _, where, desk_url, called, requests, most, at_once = sys.argv
    asyncio.run(main(where, desk_url, called, int(requests), float(most), int(at_once)))
