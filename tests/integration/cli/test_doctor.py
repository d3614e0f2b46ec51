"""`jobwire doctor` against a real store, real stand-ins, and what can be wrong with them."""

from __future__ import annotations

import msgspec
from redis.asyncio import Redis

from monitor import __version__
from monitor.answers.reaching import reach
from monitor.egress import Egress
from monitor.simulator import Receiver
from monitor.store.db import Db
from monitor.store.fleet import WorkerFacts
from monitor.store.keys import Keys
from tests.integration.cli.commands import Jobwire


async def works(redis: Redis, version: str = __version__) -> None:
    """Somebody says that a worker of this version lives, for longer than commands may take on any machine."""
    seconds, _ = await redis.time()
    facts = WorkerFacts(version, config_ok=True, config_at=seconds * 1000, seen_at=(seconds + 600) * 1000)
    await Db(redis, Keys()).run("HSET", "jobwire:workers", "w1", msgspec.json.encode(facts))


async def test_all_is_well(shared: Jobwire, redis: Redis) -> None:
    """Every source and target is reached, the store's settings are right: exit 0, and nothing to do."""
    shared.config.chmod(0o600)
    await works(redis)
    programs, people = await shared("doctor", "--json"), await shared("doctor")
    found = {one["about"]: one for one in programs.json}

    assert (programs.code, people.code) == (0, 0), programs.out
    assert {"store", "eviction", "durability", "clock", "config", "source tax", "target hook"} <= found.keys()
    assert {one["level"] for one in found.values()} == {"ok"}
    assert people.lines[-1] == "all is well"


async def test_a_store_that_would_forget_is_a_problem(shared: Jobwire, redis: Redis) -> None:
    """A server that evicts is named with the command that mends it; exit 1."""
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        found = await shared("doctor", "--json")
    finally:
        await redis.config_set("maxmemory-policy", "noeviction")

    (problem,) = [one for one in found.json if one["level"] == "problem"]
    assert found.code == 1
    assert problem["about"] == "eviction"
    assert "maxmemory-policy noeviction" in problem["advice"]


async def test_ways_out_that_are_closed_are_named_and_secrets_are_not(receiver: Receiver) -> None:
    """A port where nobody listens, and a name that leads to where targets may not go; paths may be secrets."""
    port = receiver.url.rsplit(":", 1)[1].split("/")[0]
    places: list[tuple[str, str, Egress | None]] = [
        ("source tax", "http://127.0.0.1:1/secret-path", None),
        ("target hook", f"http://localhost:{port}/secret-path", Egress()),
        ("target open", f"http://localhost:{port}/secret-path", Egress(["127.0.0.0/8", "::1/128"])),
    ]
    closed, blocked, fine = await reach(places)

    assert (closed.level, blocked.level, fine.level) == ("problem", "problem", "ok")
    assert "127.0.0.1:1" in closed.text
    assert "egress.allow" in blocked.text
    assert not any("secret-path" in one.text for one in (closed, blocked, fine))


async def test_a_store_that_does_not_answer_is_a_finding(shared: Jobwire) -> None:
    """The rest is looked at all the same."""
    shared.environ["JOBWIRE_STORE_URL"] = "redis://127.0.0.1:1/0"
    found = {one["about"]: one for one in (await shared("doctor", "--json")).json}

    assert found["store"]["level"] == "problem"
    assert "no Redis answers at redis://127.0.0.1:1/0" in found["store"]["text"]
    assert found["source tax"]["level"] == "ok"


async def test_a_config_that_cannot_be_used_is_bad_usage(bare: Jobwire) -> None:
    """Exit 2, and the problem with its place."""
    bare.configure("sources: {tax: {provider: nobody}}\n")
    ended = await bare("doctor")

    assert ended.code == 2
    assert "jobwire.yaml:1:" in ended.err


async def test_state_of_another_version_is_a_finding(shared: Jobwire, redis: Redis) -> None:
    """What to do stands beside it; nothing was written."""
    await redis.set("jobwire:state", 99)
    found = {one["about"]: one for one in (await shared("doctor", "--json")).json}

    assert (found["state"]["level"], "version 99" in found["state"]["text"]) == ("problem", True)
    assert "store.prefix" in found["state"]["advice"]


async def test_commands_and_workers_leave_state_of_another_version_alone(shared: Jobwire, redis: Redis) -> None:
    """Exit 1 and one line that says why; a worker does not begin."""
    await redis.set("jobwire:state", 99)
    for command in ("sources", "worker"):
        refused = await shared(command)
        assert (refused.code, refused.out) == (1, "")
        assert "has version 99" in refused.err
        assert "Traceback" not in refused.err
    assert await redis.keys("*") == [b"jobwire:state"]
