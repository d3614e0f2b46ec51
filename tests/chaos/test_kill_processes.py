"""Real workers are killed, stopped and paused while providers change and the receiver has moods of its own.

Afterwards every change has its event, once, and what is recorded as delivered was taken.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from monitor.simulator import Receiver, Reply, Simulator
from tests.chaos.worlds import due, honestly_recorded
from tests.installation import SECRET, Hands, Installation, installed
from tests.stores import until

CHURN_SECONDS = 11.0
CHURN_LIMIT_SECONDS = 180.0
SETTLE_SECONDS = 150.0


def config(sim: Simulator, hook: str) -> str:
    """Four sources every second, one target that gets everything."""
    return f"""
sources:
  uk: {{provider: driver_jobs, base_url: "{sim.driver_jobs.base_url}", token: "{sim.driver_jobs.token}", every: 1s}}
  tax: {{provider: worklayer, base_url: "{sim.worklayer.base_url}", token: "{sim.worklayer.static_token}", every: 1s}}
  ats: {{provider: bindbee, base_url: "{sim.bindbee.base_url}", token: "{sim.bindbee.token}",
         connector_token: "{sim.bindbee.connector_token}", every: 1s, rate: 2}}
  dev: {{provider: devrev, base_url: "{sim.devrev.base_url}", token: "{sim.devrev.token}", every: 1s}}
targets:
  hook: {{type: webhook, url: "{hook}", secret: "{SECRET}", timeout: 3s, retry: [{", ".join(["300ms"] * 60)}]}}
egress: {{allow: [127.0.0.0/8]}}
routes: [{{to: [hook]}}]
"""


class Workers:
    """Worker processes that can be killed and started again."""

    def __init__(self, path: Path, store_url: str, log: Path) -> None:
        self._command = [sys.executable, "-m", "monitor.cli", "worker", "-c", str(path)]
        self._environ = {**os.environ, "JOBWIRE_STORE_URL": store_url, "PYTHONPATH": str(Path.cwd())}
        self._log = log
        self.running: list[asyncio.subprocess.Process] = []

    async def start(self) -> None:
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(*self._command, env=self._environ, stdout=log, stderr=log)
        self.running.append(process)

    def up(self) -> bool:
        """Whether all that run have begun their work."""
        log = self._log.read_text().replace(" ", "")
        return all(f'"pid":{process.pid},' in log for process in self.running)

    async def kill(self, chance: random.Random) -> None:
        victim = self.running.pop(chance.randrange(len(self.running)))
        victim.send_signal(signal.SIGKILL)
        await victim.wait()

    async def end(self, chance: random.Random) -> None:
        """SIGTERM for one of them, whatever it has in flight."""
        victim = self.running.pop(chance.randrange(len(self.running)))
        victim.send_signal(signal.SIGTERM)
        assert await victim.wait() == 0

    async def pause(self, chance: random.Random, redis: Redis) -> None:
        """SIGSTOP one of them until all its leases have lapsed and others went on; then it goes on as well."""
        victim = self.running[chance.randrange(len(self.running))]
        victim.send_signal(signal.SIGSTOP)
        await asyncio.sleep(chance.uniform(0.1, 0.3))
        await redis.delete(*(f"jobwire:lease:{name}" for name in ("uk", "tax", "ats", "dev")))
        await due(redis)
        await asyncio.sleep(chance.uniform(0.3, 1.2))
        victim.send_signal(signal.SIGCONT)

    async def stop(self) -> list[int]:
        """End them as an operator does, once all are up: before that SIGTERM finds nobody to hand anything back."""
        await until(self.up)
        ending, self.running = self.running, []
        for process in ending:
            process.send_signal(signal.SIGTERM)
        return [await process.wait() for process in ending]


@asynccontextmanager
async def workers(path: Path, store_url: str, log: Path) -> AsyncIterator[Workers]:
    """No workers yet; whatever runs at the end is ended."""
    some = Workers(path, store_url, log)
    try:
        yield some
    finally:
        for process in some.running:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def settled(watch: Installation, sim: Simulator, receiver: Receiver) -> bool:
    """Whether the store knows what the providers show now, and everything told has arrived."""
    for name, states in shown(sim).items():
        known = {}
        async for _, document in watch.services.store.items.all_documents(name):
            known.update({ref: one.resource.state for ref, one in document.known.items() if not one.gone})
        if {ref: known.get(ref) for ref in states} != states:
            return False
    # News about the target are not sent to it.
    told = {event["id"] for event in await everything_told(watch) if not event["type"].startswith("jobwire.target.")}
    return told <= set(taken(receiver))


def taken(receiver: Receiver) -> Counter[str]:
    """How often the receiver said yes to each event; the worker need not have heard it."""
    return Counter(delivery.id for delivery in receiver.deliveries if delivery.status // 100 == 2)


def moody(chance: random.Random) -> Reply | None:
    """A receiver's answer on a bad day: a reset, no answer in time, an error; mostly the usual one."""
    moods = (Reply(reset=True), Reply(delay=4), Reply(status=500), Reply(truncate=0, status=200, body="broken off"))
    return chance.choice(moods) if chance.random() < 0.25 else None


async def calm(watch: Installation, sim: Simulator, receiver: Receiver) -> None:
    """Wait until `settled`; nothing changes at the providers meanwhile, so a loss would show here for ever."""
    async with asyncio.timeout(SETTLE_SECONDS):
        while not await settled(watch, sim, receiver):
            await asyncio.sleep(0.2)


async def everything_told(watch: Installation) -> list[dict[str, Any]]:
    """The event log from its beginning."""
    watch.place = "0-0"
    return await watch.news()


def shown(sim: Simulator) -> dict[str, dict[str, str]]:
    """The states of whole items as the providers show them."""
    return {
        "uk": {f"job_driver/{id}": item["kind"] for id, item in sim.driver_jobs.items.items()},
        "tax": {f"job/{id}": item["status"] for id, item in sim.worklayer.items.items()},
        "dev": {f"job/{id}": item["state"] for id, item in sim.devrev.items.items()},
    }


def hold_together(events: list[dict[str, Any]]) -> None:
    """Per resource: sequences without gap, revisions never back, and each state follows from the one before."""
    stories: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        if not event["type"].startswith("jobwire."):
            stories[event["data"]["key"]].append(event)
    assert len({event["id"] for event in events}) == len(events)
    for key, story in stories.items():
        assert [int(event["sequence"]) for event in story] == list(range(1, len(story) + 1)), key
        revisions = [event["data"]["revision"] for event in story]
        assert revisions == sorted(revisions), key
        changes = [event["data"]["state"] for event in story if event["data"]["state"]]
        for before, after in pairwise(changes):
            assert after["before"] == before["after"], key


@pytest.mark.timeout(600)
async def test_killed_workers_lose_double_or_invent_nothing(redis: Redis, store_url: str, tmp_path: Path) -> None:
    """P20, P21, W25: SIGKILL, SIGTERM and SIGSTOP at random moments for seconds on end, at a receiver that has its
    moods; then all that happened was told, in order, and arrived."""
    chance = random.Random(20)
    async with Simulator(seed=3, rate=0, population=8) as sim, Receiver([SECRET]) as receiver:
        path = tmp_path / "jobwire.yaml"
        path.write_text(config(sim, receiver.url))
        async with (
            workers(path, store_url, tmp_path / "worker.log") as some,
            installed(store_url, path.read_text(), Hands()) as watch,
        ):
            await some.start()
            await some.start()
            receiver.decide = lambda _: moody(chance)
            loop = asyncio.get_running_loop()
            end, kills = loop.time() + CHURN_SECONDS, 0
            async with asyncio.timeout(CHURN_LIMIT_SECONDS):
                while loop.time() < end or kills < 3 or len(await everything_told(watch)) <= 10:
                    for _ in range(chance.randrange(8)):
                        sim.step()
                    await asyncio.sleep(chance.uniform(0.1, 0.7))
                    if chance.random() < 0.5 and some.up():
                        kills += 1
                        trouble = chance.choice(("kill", "kill", "end", "pause"))
                        if trouble == "pause":
                            await some.pause(chance, redis)
                        else:
                            await (some.kill(chance) if trouble == "kill" else some.end(chance))
                            await some.start()
            receiver.decide = None
            await calm(watch, sim, receiver)
            assert await some.stop() == [0, 0]
            # A scan that was under way at the stop may have told something after all; the next worker delivers it.
            await some.start()
            await calm(watch, sim, receiver)
            assert await some.stop() == [0]
            # The last scans may have told something that nobody is left to deliver.
            await honestly_recorded(taken(receiver), redis, all_ended=False)

            events = await everything_told(watch)
            hold_together(events)
            bodies: dict[str, bytes] = {}
            for delivery in receiver.deliveries:
                assert delivery.verified, delivery.reason
                assert bodies.setdefault(delivery.id, delivery.body) == delivery.body
            # What was told after `calm` looked may be on its way, and what arrived since may be newer than `events`.
            known = {event["id"] for event in await everything_told(watch)}
            assert set(bodies) <= known
            arrived = [event for event in events if event["id"] in bodies]
            assert len(arrived) > 10
            assert [json.loads(bodies[event["id"]]) for event in arrived] == arrived
