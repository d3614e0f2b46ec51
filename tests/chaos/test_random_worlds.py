"""A hypothesis state machine: anything may happen at a provider and to a worker; the events tell exactly that."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from redis.asyncio import Redis

from tests.chaos.dying import Died, dying
from tests.installation import Hands, Installation, installed
from tests.servers import served
from tests.stores import client

STATES = ("UNDER_CONSTRUCTION", "UNCLAIMED", "CLAIMED", "CLOSED")
IDS = tuple(f"j{n}" for n in range(5))
PAGE = 2


class Provider:
    """Worklayer jobs behind a real server, and the faults of its next walk."""

    def __init__(self) -> None:
        self.jobs: dict[str, str] = {}
        self.fault: str | None = None

    async def answer(self, request: web.Request) -> web.Response:
        if not request.path.endswith("/jobs"):
            id = request.path.rsplit("/", 1)[-1]
            if self.fault == "look_up":
                return web.json_response({}, status=500)
            found = {"id": id, "status": self.jobs[id]} if id in self.jobs else None
            return web.json_response(found or {"message": "NotFound"}, status=200 if found else 404)
        start = int(request.query.get("page_token") or 0)
        if start and self.fault == "second_page":
            return web.json_response({}, status=500)
        if start and self.fault == "circle":
            return web.json_response({"data": [], "next_page_token": str(start)})
        rows = [{"id": id, "status": state} for id, state in self.jobs.items()]
        more = start + PAGE < len(rows)
        return web.json_response(
            {"data": rows[start : start + PAGE], "next_page_token": str(start + PAGE) if more else ""}
        )


class Model:
    """What must have been told, computed the slow and obvious way from what good scans saw."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.gone: set[str] = set()
        self.told: list[tuple[str, str]] = []
        self.baselined = False

    def saw(self, jobs: dict[str, str]) -> None:
        for id, state in jobs.items():
            if id in self.gone:
                self.tell(id, "restored")
            elif id not in self.known:
                self.tell(id, "created")
            elif self.known[id] != state:
                self.tell(id, state.lower())
            self.known[id] = state
            self.gone.discard(id)
        for id in [id for id in self.known if id not in jobs]:
            self.tell(id, "removed")
            self.gone.add(id)
            del self.known[id]
        self.baselined = True

    def tell(self, id: str, what: str) -> None:
        if self.baselined:
            self.told.append((id, what))


class Worlds(RuleBasedStateMachine):
    """One provider, one source; workers that live, fail and die."""

    loop: asyncio.AbstractEventLoop
    store_url: str

    def __init__(self) -> None:
        super().__init__()
        self.provider, self.model, self.hands, self.slot = Provider(), Model(), Hands(), 0
        self._server = served(self.provider.answer)
        self.url = self.run(self._open())

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    async def _open(self) -> str:
        async with client(self.store_url) as emptied:
            await emptied.flushall()
        return await self._server.__aenter__()

    @property
    def config(self) -> str:
        source = f'provider: worklayer, base_url: "{self.url}", token: t, full_every: 1ms, removal_limit: 1'
        return f"sources: {{one: {{{source}}}}}\n"

    @rule(jobs=st.dictionaries(st.sampled_from(IDS), st.sampled_from([*STATES, None]), min_size=1))
    def change(self, jobs: dict[str, str | None]) -> None:
        """Each of these jobs gets another state, or is gone."""
        states = {**self.provider.jobs, **jobs}
        self.provider.jobs = {id: state for id, state in states.items() if state is not None}

    @rule()
    def good_scan(self) -> None:
        self.run(self._scan())
        self.model.saw(dict(self.provider.jobs))

    @rule(at=st.integers(1, 12), answered=st.booleans())
    def scan_that_dies_then_a_good_one(self, at: int, answered: bool) -> None:
        self.run(self._die(at, answered))
        self.good_scan()

    @rule(fault=st.sampled_from(["second_page", "circle"]))
    def scan_that_fails_then_a_good_one(self, fault: str) -> None:
        self.provider.fault = fault
        self.run(self._scan())
        self.provider.fault = None
        self.good_scan()

    @invariant()
    def what_was_told_is_what_happened(self) -> None:
        if self.slot:
            assert sorted(self.run(self._told())) == sorted(self.model.told)

    async def _scan(self) -> None:
        async with installed(self.store_url, self.config, self.hands) as watch:
            await self._next(watch)

    async def _next(self, watch: Installation) -> None:
        self.slot += 1
        self.hands.pass_(seconds=60)
        watch.slots = self.slot
        await watch.services.store.db.run("DEL", "jobwire:lease:one")
        await watch.scan()

    async def _die(self, at: int, answered: bool) -> None:
        try:
            async with installed(self.store_url, self.config, self.hands, dying(at, answered=answered)) as watch:
                await self._next(watch)
        except (Died, BaseExceptionGroup):
            return

    async def _told(self) -> list[tuple[str, str]]:
        async with installed(self.store_url, self.config, self.hands) as watch:
            events = [event for event in await watch.news() if not event["type"].startswith("jobwire.")]
            assert len({event["id"] for event in events}) == len(events)
            return [(event["data"]["resource"]["id"], event["type"].rsplit(".", 1)[-1]) for event in events]

    def teardown(self) -> None:
        self.run(self._server.__aexit__(None, None, None))


def _play(store_url: str, examples: int, steps: int) -> None:
    loop = asyncio.new_event_loop()
    machine = type("Played", (Worlds,), {"loop": loop, "store_url": store_url})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                suppress_health_check=checks,
            ),
        )
    finally:
        loop.close()


@pytest.mark.timeout(400)
def test_random_worlds_are_told_as_they_are(redis: Redis, store_url: str) -> None:
    """P1, P3, P18, P20, P27: whatever happens at the provider and to workers, the events are those of the model."""
    _play(store_url, examples=12, steps=12)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_many_random_worlds(redis: Redis, store_url: str) -> None:
    """The same for a quarter of an hour or so, with longer stories."""
    _play(store_url, examples=250, steps=40)
