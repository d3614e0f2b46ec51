"""A master is killed in the middle of the work; sentinels put its replica in its place, and the workers go on there."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis

from monitor.simulator import Receiver
from tests import stores
from tests.chaos.test_kill_processes import workers
from tests.installation import SECRET, Listing, listing
from tests.integration.store.redis_servers import Server, run, started
from tests.integration.store.test_connecting import server_program

STATES = ("UNCLAIMED", "CLAIMED", "DONE", "PAID")
JOBS = [f"job-{number}" for number in range(12)]
WATCH = """\
sentinel monitor main 127.0.0.1 {port} 2
sentinel down-after-milliseconds main 1000
sentinel failover-timeout main 6000
"""


@dataclass(slots=True)
class Trio:
    """A master with a replica, and three sentinels that watch them."""

    master: Server
    replica: Server
    sentinels: list[Server]

    @property
    def url(self) -> str:
        return f"redis+sentinel://{','.join(f'127.0.0.1:{one.port}' for one in self.sentinels)}/main/0"

    async def ready(self) -> bool:
        """Whether the replica has caught up, and every sentinel knows the replica and both other sentinels."""
        async with stores.client(f"redis://127.0.0.1:{self.replica.port}") as redis:
            if (await redis.info("replication"))["master_link_status"] != "up":
                return False
        for one in self.sentinels:
            async with Redis(host="127.0.0.1", port=one.port) as sentinel:
                (known,) = (await sentinel.sentinel_masters()).values()  # type: ignore[no-untyped-call]  # redis-py is
                if (known["num-slaves"], known["num-other-sentinels"]) != (1, 2):
                    return False
        return True

    async def moved(self) -> bool:
        """Whether the replica is the master now."""
        async with stores.client(f"redis://127.0.0.1:{self.replica.port}") as redis:
            return bool((await redis.info("replication"))["role"] == "master")


@asynccontextmanager
async def trio() -> AsyncIterator[Trio]:
    """All five servers on ports of their own."""
    program = await server_program()
    with stores.short_directory() as directory:
        async with AsyncExitStack() as stack:

            async def one(name: str, *options: str) -> Server:
                (directory / name).mkdir(exist_ok=True)
                return await stack.enter_async_context(started(program, directory / name, *options))

            keep = ("--appendonly", "yes", "--save", "", "--repl-diskless-sync-delay", "0")
            master = await one("a", *keep)
            replica = await one("b", *keep, "--replicaof", "127.0.0.1", str(master.port))
            sentinels = []
            for name in ("s1", "s2", "s3"):
                (directory / name).mkdir()
                config = directory / name / "sentinel.conf"
                config.write_text(WATCH.format(port=master.port))
                sentinels.append(await one(name, str(config), "--sentinel"))
            found = Trio(master, replica, sentinels)
            async with asyncio.timeout(stores.PATIENCE):
                while not await found.ready():
                    await asyncio.sleep(0.1)
            yield found


def told(receiver: Receiver) -> dict[str, str]:
    """The state of each job that it was told last."""
    events = [json.loads(one.body) for one in receiver.deliveries]
    known = [event["data"] for event in events if event["data"]["resource"]]
    return {one["resource"]["id"]: one["state"]["after"] for one in known}


def show(provider: Listing, jobs: dict[str, str]) -> None:
    """The provider shows the jobs so."""
    data = [{"id": id, "status": status} for id, status in jobs.items()]
    provider.body = json.dumps({"data": data, "next_page_token": ""}).encode()


async def happen(provider: Listing, jobs: dict[str, str], receiver: Receiver, count: int) -> None:
    """Jobs change, a few at a time, until so many more events have arrived."""
    chance, wanted = random.Random(count), len(receiver.deliveries) + count
    async with asyncio.timeout(stores.PATIENCE * 2):
        while len(receiver.deliveries) < wanted:
            for id in chance.sample(JOBS, 3):
                jobs[id] = STATES[(STATES.index(jobs[id]) + 1) % len(STATES)]
            show(provider, jobs)
            await asyncio.sleep(0.1)


@pytest.mark.chaos
async def test_workers_go_on_with_the_new_master_and_every_job_is_told_as_it_is(tmp_path: Path) -> None:
    """Nobody starts anything again; what the old master took along is found again by the next scans."""
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(trio())
        receiver = await stack.enter_async_context(Receiver([SECRET]))
        jobs = dict.fromkeys(JOBS, STATES[0])
        url, provider = await stack.enter_async_context(listing(b""))
        show(provider, jobs)
        path, log = tmp_path / "jobwire.yaml", tmp_path / "log"
        path.write_text(
            f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t, every: 1s}}}}\n'
            f'targets: {{hook: {{type: webhook, url: "{receiver.url}", secret: "{SECRET}", retry: [300ms, 300ms]}}}}\n'
            "egress: {allow: [127.0.0.0/8]}\nroutes: [{to: [hook]}]\n"
        )
        both = await stack.enter_async_context(workers(path, servers.url, log))
        for _ in range(2):
            await both.start()
        await stores.until(lambda: len(receiver.deliveries) > 0)

        await happen(provider, jobs, receiver, 20)
        servers.master.process.send_signal(signal.SIGKILL)
        await happen(provider, jobs, receiver, 20)
        assert await servers.moved()
        await stores.until(lambda: all(told(receiver).get(id, STATES[0]) == state for id, state in jobs.items()))

        async with stores.client(f"redis://127.0.0.1:{servers.replica.port}") as redis:
            assert await run(redis, "XLEN", "jobwire:events")
        assert await both.stop() == [0, 0], log.read_text()[-3000:]
