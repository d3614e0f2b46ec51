"""The Redis user of deploy/redis/users.acl may do all that jobwire does, and nothing else."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from redis.exceptions import NoPermissionError

from monitor.bootstrap import services
from monitor.settings import load
from monitor.simulator import Receiver, Simulator
from monitor.store import db as db_module
from tests import stores
from tests.installation import SECRET
from tests.integration.store.redis_servers import redis_server, run
from workers.run import work

ROOT = Path(__file__).resolve().parents[3]
ACL = (ROOT / "deploy" / "redis" / "users.acl").read_text()
LUA = Path(db_module.__file__).parent.glob("*.lua")
CONFIG = """
sources:
  tax: {{provider: worklayer, base_url: "{sim.worklayer.base_url}", token: "{sim.worklayer.static_token}", every: 1s}}
targets:
  hook: {{type: webhook, url: "{receiver.url}", secret: "{secret}"}}
egress: {{allow: [127.0.0.0/8]}}
routes: [{{to: [hook]}}]
"""


def test_every_command_of_the_scripts_is_allowed() -> None:
    """A script that calls what its user may not is refused in the middle of its work."""
    called = {name.lower() for path in LUA for name in re.findall(r"redis\.call\(\s*'([A-Z]+)'", path.read_text())}
    allowed = set(re.findall(r"\+([a-z]+)", ACL))
    assert len(called) > 20
    assert called - allowed == set()


async def test_a_worker_works_as_this_user_and_is_refused_nothing(tmp_path: Path) -> None:
    """Scans by ARQ, events, deliveries; the server's own log of refusals stays empty, and other keys stay closed."""
    programs = [path for path in await stores.programs() if path.name == "redis-server"]
    if not programs:
        pytest.skip("redis-server is not installed (.ci/run installs it)")
    with stores.short_directory() as directory:
        (directory / "users.acl").write_text(f"{ACL}user admin on nopass ~* &* +@all\n")
        async with (
            redis_server(programs[0], directory, "--aclfile", str(directory / "users.acl")) as url,
            Simulator(seed=3) as sim,
            Receiver([SECRET]) as receiver,
        ):
            own = url.replace("unix://", "unix://jobwire:put-its-password-here@")
            admin = url.replace("unix://", "unix://admin:x@")
            path = tmp_path / "jobwire.yaml"
            path.write_text(CONFIG.format(sim=sim, receiver=receiver, secret=SECRET))
            async with services(load(path, {}), own) as running:
                working = asyncio.create_task(work(running, own))
                try:
                    await stores.until(
                        lambda: [one.type for one in receiver.deliveries][:1] == ["jobwire.source.baselined"]
                    )
                    for _ in range(5):
                        sim.step("worklayer")
                    await stores.until(lambda: len(receiver.deliveries) > 1)
                    await running.store.upkeep.run(running.sources, running.targets)
                finally:
                    running.stopping.set()
                    await working
            async with stores.client(admin) as redis, stores.client(own) as mine:
                assert await run(redis, "ACL", "LOG") == []
                with pytest.raises(NoPermissionError):
                    await mine.get("somebody-elses")
                for words in (
                    ("FLUSHALL",),
                    ("KEYS", "*"),
                    ("SHUTDOWN",),
                    ("CONFIG", "SET", "save", ""),
                    ("ACL", "LIST"),
                ):
                    with pytest.raises(NoPermissionError):
                        await run(mine, *words)
