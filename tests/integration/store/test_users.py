"""The Redis user of deploy/redis/users.acl may do all that jobwire does and nothing else, and two keep apart."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from redis.exceptions import NoPermissionError

from monitor.bootstrap import Services, replaying, services
from monitor.settings import load
from monitor.silences import Silence
from monitor.simulator import Receiver, Simulator
from monitor.store import db as db_module
from monitor.store.server import server_facts, server_load
from monitor.web.serve import listening
from tests import stores
from tests.installation import SECRET
from tests.integration.store.redis_servers import redis_server, run
from workers.run import work

ROOT = Path(__file__).resolve().parents[3]
ACL = (ROOT / "deploy" / "redis" / "users.acl").read_text()
STORE = Path(db_module.__file__).parent
KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
ADDRESSES = [f"/api/v1/{name}" for name in ("sources", "targets", "events", "conditions", "silences", "deliveries")]
NO_COMMANDS = {"withscores", "maxlen", "minid", "limit", "block", "count", "streams", "fenced", "stream", "keepttl"}
"""Words in capitals that are options of commands, and errors of ours."""

CONFIG = """
web: {{listen: "127.0.0.1:0"}}
store: {{prefix: {prefix}, key: {key}}}
sources:
  tax:
    provider: worklayer
    base_url: "{sim.worklayer.base_url}"
    client_id: "{sim.worklayer.client_id}"
    client_secret: "{sim.worklayer.client_secret}"
    token_url: "{sim.worklayer.token_url}"
    every: 1s
targets:
  hook: {{type: webhook, url: "{receiver.url}", secret: "{secret}"}}
  chat: {{type: template, url: "{receiver.url}/chat", body: "{{{{text | tojson}}}}"}}
egress: {{allow: [127.0.0.0/8]}}
routes: [{{to: [hook], continue: true}}, {{to: [chat], group_wait: 0s}}]
"""


def user_of(prefix: str) -> str:
    """The line of the file for another installation, as docs/running/redis.md says it is made."""
    (line,) = [line for line in ACL.splitlines() if line.startswith("user jobwire ")]
    head, patterns = line.split(" resetkeys ")
    return f"{head.replace('jobwire', prefix)} resetkeys {patterns.replace('jobwire:', prefix + ':')}"


def test_every_command_of_the_program_is_allowed() -> None:
    """A script that calls what its user may not is refused in the middle of its work."""
    called = {
        name.lower()
        for path in STORE.glob("*.lua")
        for name in re.findall(r"redis\.p?call\(\s*'([A-Z]+)'", path.read_text())
    }
    called |= {name.lower() for path in STORE.glob("*.py") for name in re.findall(r'"([A-Z]{3,14})"', path.read_text())}
    allowed = set(re.findall(r"\+([a-z]+)", ACL))
    assert len(called) > 40
    assert called - NO_COMMANDS - allowed == set()


@dataclass(frozen=True, slots=True)
class Installed:
    """A worker that runs as a user of its own, with what it watches and whom it tells."""

    running: Services
    sim: Simulator
    receiver: Receiver

    async def told(self, count: int) -> None:
        """Wait until so many events have arrived, while things happen at the provider."""
        async with asyncio.timeout(stores.PATIENCE):
            while len(self.receiver.deliveries) < count:
                self.sim.step("worklayer")
                with suppress(TimeoutError):
                    await stores.until(lambda: len(self.receiver.deliveries) >= count, within=0.2)


@asynccontextmanager
async def worker(url: str, prefix: str, path: Path, seed: int) -> AsyncIterator[Installed]:
    """An installation under this prefix whose worker works until the block ends."""
    async with Simulator(seed=seed) as sim, Receiver([SECRET]) as receiver:
        path.write_text(CONFIG.format(sim=sim, receiver=receiver, secret=SECRET, prefix=prefix, key=KEY))
        own = url.replace("unix://", f"unix://{prefix}:put-its-password-here@")
        async with services(load(path, {}), own) as running:
            working = asyncio.create_task(work(running, own))
            try:
                yield Installed(running, sim, receiver)
            finally:
                running.stopping.set()
                await working


@asynccontextmanager
async def guarded() -> AsyncIterator[str]:
    """A server with the file of users, one for another installation, and one who may look; its URL."""
    programs = [path for path in await stores.programs() if path.name == "redis-server"]
    if not programs:
        pytest.skip("redis-server is not installed (.ci/run installs it)")
    with stores.short_directory() as directory:
        file = directory / "users.acl"
        file.write_text(f"{ACL}{user_of('west')}\nuser admin on nopass ~* &* +@all\n")
        async with redis_server(programs[0], directory, "--aclfile", str(file)) as url:
            yield url


async def refusals(url: str) -> Any:
    """What the server refused to anybody."""
    async with stores.client(url.replace("unix://", "unix://admin:x@")) as redis:
        return await run(redis, "ACL", "LOG")


async def use_everything(one: Installed) -> None:
    """What people do beside the work: acknowledge, silence, send again, rotate, switch, look, forget."""
    running, now = one.running, one.running.clock.now()
    quiet = Silence(id="sil_1", matchers=(), starts_at=now, ends_at=now, by="me", comment="a test", created_at=now)
    await running.store.silences.put(quiet)
    await replaying(running).named([one.receiver.deliveries[0].id])
    await running.rotation.rotate("hook")
    await running.rotation.forget("hook")
    await running.store.switch.off("chat")
    await running.store.switch.on("chat")
    await running.store.fleet.count_spans(1, 1)
    async with listening(running) as url, ClientSession() as http:
        for path in ("/", "/metrics", "/readyz", *ADDRESSES):
            async with http.get(url + path) as answer:
                assert answer.status == 200, await answer.text()
    await server_facts(running.store.db)
    await server_load(running.store.db)
    await running.store.upkeep.run(running.sources, running.targets)


async def test_a_worker_works_as_this_user_and_is_refused_nothing(tmp_path: Path) -> None:
    """Scans by ARQ, events, deliveries, all else; the server's own log of refusals stays empty, other keys closed."""
    async with guarded() as url:
        async with worker(url, "jobwire", tmp_path / "jobwire.yaml", 3) as one:
            await one.told(3)
            await use_everything(one)
        assert await refusals(url) == []
        async with stores.client(url.replace("unix://", "unix://jobwire:put-its-password-here@")) as mine:
            with pytest.raises(NoPermissionError):
                await mine.get("somebody-elses")
            for words in (("FLUSHALL",), ("KEYS", "*"), ("SHUTDOWN",), ("CONFIG", "SET", "save", ""), ("ACL", "LIST")):
                with pytest.raises(NoPermissionError):
                    await run(mine, *words)


async def test_two_installations_on_one_server_do_not_meet(tmp_path: Path) -> None:
    """The same config under two prefixes, each by a user who is refused the other's keys: none is ever touched."""
    async with guarded() as url:
        async with AsyncExitStack() as stack:
            both = [
                await stack.enter_async_context(worker(url, prefix, tmp_path / f"{prefix}.yaml", seed))
                for prefix, seed in (("jobwire", 3), ("west", 4))
            ]
            await asyncio.gather(*(one.told(4) for one in both))
            came = [{arrived.id for arrived in one.receiver.deliveries} for one in both]
            logs = [{stored.id for stored in await one.running.store.log.after("0-0", 10_000)} for one in both]
            workers = [len(await one.running.store.fleet.alive(await one.running.store.db.now_ms())) for one in both]
        assert await refusals(url) == []
        assert workers == [1, 1]
        for mine, others, arrived in zip(logs, reversed(logs), came, strict=True):
            assert arrived <= mine
            assert not arrived & (others - mine)
