"""`jobwire up`: it works, survives the death of its parts, and ends as a whole."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from monitor.embedded import running_url
from monitor.simulator import Receiver, Simulator
from tests.integration.cli.commands import Jobwire, ended, started
from tests.stores import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


def children(pid: int) -> dict[str, int]:
    """The child processes of a process: `worker`, `web` and `store` with their ids."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            words = path.with_name("cmdline").read_bytes()
        except OSError:
            continue
        if parent == pid:
            role = words.split(b"\0")[3].decode() if b"monitor.cli" in words else "store"
            found[role] = int(path.parent.name)
    return found


def alive(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@asynccontextmanager
async def running_up(jobwire: Jobwire) -> AsyncIterator[asyncio.subprocess.Process]:
    """`up` that has greeted; killed with all its children at the end if it still runs."""
    process = await jobwire.start("up")
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        assert re.match(rb"jobwire \S+ is up: 4 sources, 1 target", line), line
        yield process
    finally:
        if process.returncode is None:
            left = children(process.pid)
            process.kill()
            await process.wait()
            for pid in left.values():
                if alive(pid):
                    os.kill(pid, signal.SIGKILL)


class Changes:
    """Changes one job again and again, and tells which of them arrived."""

    def __init__(self, sim: Simulator, receiver: Receiver) -> None:
        self._sim = sim
        self._receiver = receiver
        self._amounts: Iterator[int] = iter(range(1000, 2000))
        self._job = next(iter(sim.worklayer.items))

    async def arrives(self) -> None:
        """One more change, and its event at the receiver."""
        amount = next(self._amounts)
        self._sim.worklayer.patch(self._job, {"total_amount": amount})
        mark = f'"total_amount":{amount}'.encode()
        await self._receiver.wait_for(lambda all_: any(mark in one.body and one.verified for one in all_), 60)


async def baselined(receiver: Receiver) -> None:
    """All four sources had their first look."""
    await receiver.wait_for(lambda all_: sum(one.type == "jobwire.source.baselined" for one in all_) == 4, 60)


async def test_up_survives_its_parts_and_ends_as_a_whole(jobwire: Jobwire, sim: Simulator, receiver: Receiver) -> None:
    """kill -9 of the worker and of the store in turn: events keep coming; SIGTERM: exit code 0 and nobody is left."""
    changes = Changes(sim, receiver)
    async with running_up(jobwire) as process:
        await baselined(receiver)
        await changes.arrives()
        for name in ("worker", "store"):
            victim = children(process.pid)[name]
            os.kill(victim, signal.SIGKILL)
            await until(lambda name=name, victim=victim: children(process.pid).get(name, victim) != victim)  # type: ignore[misc]
            await changes.arrives()
        beside = await jobwire("sources", "--json")
        left = children(process.pid)
        process.send_signal(signal.SIGTERM)
        done = await ended(process)

    assert [one["state"] for one in beside.json] == ["ok"] * 4
    assert done.code == 0
    assert done.out.endswith("stopped\n")
    assert '"process.died"' in done.err
    assert '"store.died"' in done.err
    assert "Traceback" not in done.err
    assert not any(alive(pid) for pid in left.values())
    assert running_url(jobwire.home / "var") is None


async def test_nothing_outlives_an_up_that_was_killed(jobwire: Jobwire, receiver: Receiver) -> None:
    """kill -9 of `up` itself takes worker and store along, and the next one starts."""
    async with running_up(jobwire) as process:
        await baselined(receiver)
        left = children(process.pid)
        process.kill()
        await process.wait()
        await until(lambda: not any(alive(pid) for pid in left.values()))

    assert set(left) == {"worker", "web", "store"}
    assert (await jobwire("events", "--json")).code == 0


async def test_a_worker_alone_runs_the_embedded_store_itself(jobwire: Jobwire, receiver: Receiver) -> None:
    """And ends it when it is asked to end."""
    async with started(jobwire, "worker") as process:
        await baselined(receiver)
        left = children(process.pid)
        process.send_signal(signal.SIGTERM)
        done = await ended(process)

    assert done.code == 0
    assert set(left) == {"store"}
    assert not alive(left["store"])
