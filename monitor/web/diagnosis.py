"""/api/v1/doctor, /api/v1/version and /api/v1/backtest: how the installation is, and how it would be otherwise."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import msgspec
from aiohttp import web

from monitor import __version__
from monitor.answers.comparing import DifferenceView, differences, grouped, play
from monitor.answers.reaching import reach, ways
from monitor.answers.readiness import Readiness
from monitor.backtest import backtest
from monitor.bootstrap import Services, router_of
from monitor.clock import Clock
from monitor.errors import UsageError
from monitor.moments import from_millis, parse_moment, to_millis
from monitor.settings import EMBEDDED
from monitor.settings.given import routes_given
from monitor.status.diagnosis import Finding, of_files, of_server, of_work, of_workers
from monitor.store.server import server_facts
from monitor.targets import TARGETS
from monitor.web.operations import addresses_of, operation
from monitor.web.problems import Problem, answer
from monitor.web.questions import Short, wish_of
from monitor.web.shapes import Listing

PLAYED = 100_000
"""How many events one call plays at the most: some seconds, in which the process also answers others."""


class VersionView(msgspec.Struct, frozen=True):
    """Which jobwire answers."""

    version: str


class BacktestWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`routes`, and `intervals` that they name, as a config file has them; events since a time are played.

    `targets` are targets of theirs by name, with the type of each; those of this installation, where nothing is said.
    """

    since: Short
    routes: Annotated[list[dict[str, Any]], msgspec.Meta(max_length=1000)]
    intervals: dict[str, Any] = {}
    targets: dict[str, Short] | None = None


class BacktestView(msgspec.Struct, frozen=True):
    """The difference for each target; `events` were played, and `complete` says whether these were all."""

    items: list[DifferenceView]
    next: str | None
    events: int
    complete: bool


class Diagnosis:
    """The handlers that look at the installation itself."""

    def __init__(self, running: Services, clock: Clock | None = None) -> None:
        self._running = running
        self._clock = clock or Clock()
        self._readiness = Readiness(running)
        self._busy = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return addresses_of(self)

    @operation("GET", "/api/v1/version", VersionView)
    async def version(self, _: web.Request) -> web.Response:
        """Which jobwire answers."""
        return answer(VersionView(__version__))

    @operation("GET", "/api/v1/doctor", Listing[Finding])
    async def doctor(self, _: web.Request) -> web.Response:
        """Store, clocks, late work and the ways to sources and targets, as this process sees them; what to do.

        Sources and targets are connected to, and sent nothing. What the config file is like, `jobwire doctor` says.
        """
        settings = self._running.settings
        async with self._alone():
            facts, paths = await asyncio.gather(server_facts(self._running.store.db), reach(ways(settings)))
            here_ms, files = to_millis(self._clock.now()), resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            server = of_server(facts, here_ms, embedded=settings.store.url == EMBEDDED)
            alive = [one.version for one in await self._running.store.fleet.alive(facts.clock_ms)]
            work = [of_workers(alive, __version__), *of_work(await self._readiness.found())]
        return answer(Listing([of_files(files), *server, *work, *paths], None))

    @operation("POST", "/api/v1/backtest", BacktestView, body=BacktestWish)
    async def backtest(self, request: web.Request) -> web.Response:
        """Stored events through other routes: which messages would appear, vanish or move. Nothing is sent."""
        wish, settings = wish_of(await request.read(), BacktestWish), self._running.settings
        now = from_millis(await self._running.store.db.now_ms())
        since = parse_moment(wish.since, now)
        if since is None:
            raise Problem(400, "since: no time: write 2h, 2026-01-05 or 2026-01-05T09:30:00Z")
        mine = grouped(settings)
        theirs = mine if wish.targets is None else _grouped(wish.targets)
        try:
            tried = router_of(routes_given(wish.routes, wish.intervals, theirs))
        except UsageError as error:
            raise Problem(400, str(error)) from None
        except RecursionError:
            raise Problem(400, "routes: they stand in each other too deep") from None
        game = backtest(router_of(settings), mine, tried, theirs)
        async with self._alone():
            complete = await play(self._running, to_millis(since), game, PLAYED)
        found = differences(game.tallies, dict.fromkeys([*mine, *theirs]))
        return answer(BacktestView(found, None, game.count, complete))

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """One at a time: what takes seconds is not done many times at once."""
        if self._busy.locked():
            raise Problem(503, "another such look is under way: one at a time", Retry_After="5")
        async with self._busy:
            yield


def _grouped(targets: dict[str, str]) -> dict[str, bool]:
    """Targets by name with their types in, whether each has groups out."""
    for name, type_ in targets.items():
        if type_ not in TARGETS:
            raise Problem(400, f"targets: {name}: there is no type {type_!r}; there are {', '.join(TARGETS)}")
    return {name: type_ != "webhook" for name, type_ in targets.items()}
