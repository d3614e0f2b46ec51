"""A real worker takes up a new config file by itself: new, changed and removed sources; a bad file is refused."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from inspect import isawaitable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from monitor.errors import StoreUnavailable
from monitor.settings import load
from monitor.simulator import Receiver, Simulator
from monitor.simulator.receiver import Delivery
from tests.installation import SECRET
from tests.stores import PATIENCE, until
from workers.run import _opened

ROOT = Path(__file__).resolve().parents[2]


def source(sim: Simulator, more: str = "", token: str | None = None) -> str:
    """The Worklayer stand-in as a source."""
    token = token or sim.worklayer.static_token
    return f'{{provider: worklayer, base_url: "{sim.worklayer.base_url}", token: "{token}", every: 1s{more}}}'


def config(receiver: Receiver, routes: str = "[{to: [hook]}]", **sources: str) -> str:
    """Some sources, one target."""
    lines = "\n".join(f"  {name}: {text}" for name, text in sources.items())
    hook = f'{{type: webhook, url: "{receiver.url}", secret: "{SECRET}", timeout: 5s, retry: [1s, 1s]}}'
    return f"sources:\n{lines}\ntargets: {{hook: {hook}}}\negress: {{allow: [127.0.0.0/8]}}\nroutes: {routes}\n"


@dataclass(slots=True)
class Worker:
    """A running `jobwire worker`, its config file and its log."""

    process: asyncio.subprocess.Process
    path: Path
    log: Path

    def configure(self, text: str) -> None:
        """Put another file in the place of the config file, as deployments do."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.path)

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The log lines of one kind."""
        found = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in found if line["event"] == event]

    async def says(self, event: str, times: int = 1) -> dict[str, Any]:
        """Wait for so many lines of a kind; the last of them."""
        await until(lambda: len(self.lines(event)) >= times)
        return self.lines(event)[times - 1]

    async def end(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), PATIENCE)


AT_A_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@asynccontextmanager
async def worker(
    tmp_path: Path, store_url: str, text: str, terminal: int = asyncio.subprocess.DEVNULL
) -> AsyncIterator[Worker]:
    """A worker process on the test's store, killed at the end if it still runs."""
    path, log = tmp_path / "jobwire.yaml", tmp_path / "worker.log"
    path.write_text(text)
    command = ["-m", "monitor.cli", "worker", "-c", str(path)]
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *(["-c", AT_A_TERMINAL] if terminal >= 0 else []), *command),
            env={**os.environ, "JOBWIRE_STORE_URL": store_url, "PYTHONPATH": str(ROOT)},
            stdin=terminal,
            stdout=out,
            stderr=out,
        )
    try:
        yield Worker(process, path, log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def of(name: str, type_: str) -> Callable[[list[Delivery]], bool]:
    """Whether an event of this type about this source has arrived."""
    return lambda all_: any(one.type == type_ and json.loads(one.body)["data"]["source"] == name for one in all_)


async def scans(redis: Redis, name: str) -> int:
    """How many scans of a source were begun."""
    epoch = redis.hget(f"jobwire:source:{name}", "epoch")
    assert isawaitable(epoch)
    return int(await epoch or 0)


async def test_a_new_config_is_taken_up_without_a_restart(redis: Redis, store_url: str, tmp_path: Path) -> None:
    """P11, P30: new sources baseline silently, removed ones stop, changed ones keep state and re-read in silence."""
    async with Simulator(seed=5, rate=0, population=6) as sim, Receiver([SECRET]) as receiver:
        first, second = list(sim.worklayer.items)[:2]
        text = config(receiver, old=source(sim), kept=source(sim))
        async with worker(tmp_path, store_url, text) as one:
            await receiver.wait_for(of("old", "jobwire.source.baselined"), PATIENCE)
            await receiver.wait_for(of("kept", "jobwire.source.baselined"), PATIENCE)
            one.configure(config(receiver, kept=source(sim, ", track: [workspace_id]"), new=source(sim)))
            taken = await one.says("config.taken")
            assert (taken["changed_sources"], taken["removed_sources"]) == (["kept", "new"], ["old"])
            await receiver.wait_for(of("new", "jobwire.source.baselined"), PATIENCE)
            await until(lambda: any(line["source"] == "kept" for line in one.lines("scan.finished")[-2:]))
            assert len(receiver.deliveries) == 3, [one.type for one in receiver.deliveries]

            sim.worklayer.patch(first, {"workspace_id": "77"})
            await receiver.wait_for(of("kept", "worklayer.job.updated"), PATIENCE)
            made = await scans(redis, "old")
            sim.worklayer.patch(second, {"total_amount": 12345})
            await receiver.wait_for(of("new", "worklayer.job.updated"), PATIENCE)
            assert not of("old", "worklayer.job.updated")(list(receiver.deliveries))
            assert await scans(redis, "old") == made
            assert await one.end() == 0
        assert "Traceback" not in one.log.read_text()


async def test_a_bad_file_is_refused_and_the_old_one_stays(redis: Redis, store_url: str, tmp_path: Path) -> None:
    """A9: the log says what is wrong, with file and line; the next good file is taken."""
    async with Simulator(seed=5, rate=0, population=6) as sim, Receiver([SECRET]) as receiver:
        job = next(iter(sim.worklayer.items))
        text = config(receiver, tax=source(sim))
        async with worker(tmp_path, store_url, text) as one:
            await receiver.wait_for(of("tax", "jobwire.source.baselined"), PATIENCE)
            one.configure(text + "rootes: []\n")
            said = await one.says("config.rejected")
            assert said["config"] == "the one before stays in effect"
            assert [problem.split(": ", 1)[0] for problem in said["problems"]] == [
                f"{one.path}:{len(text.splitlines()) + 1}:1"
            ]
            sim.worklayer.patch(job, {"total_amount": 12345})
            await receiver.wait_for(of("tax", "worklayer.job.updated"), PATIENCE)
            one.path.unlink()
            one.configure(config(receiver, tax=source(sim), other=source(sim)))
            await receiver.wait_for(of("other", "jobwire.source.baselined"), PATIENCE)
            assert len(one.lines("config.rejected")) == 1
            assert await one.end() == 0


async def test_sighup_reads_the_file_at_once_and_touching_it_changes_nothing(
    redis: Redis, store_url: str, tmp_path: Path
) -> None:
    """A file that says the same keeps the work going as it is."""
    async with Simulator(seed=5, rate=0, population=6) as sim, Receiver([SECRET]) as receiver:
        text = config(receiver, tax=source(sim))
        async with worker(tmp_path, store_url, text) as one:
            await receiver.wait_for(of("tax", "jobwire.source.baselined"), PATIENCE)
            one.configure(f"# the same\n{text}")
            one.process.send_signal(signal.SIGHUP)
            await one.says("config.unchanged")
            assert one.lines("config.taken") == []
            one.configure(config(receiver, tax=source(sim), more=source(sim)))
            one.process.send_signal(signal.SIGHUP)
            await one.says("config.taken")
            assert await one.end() == 0


async def test_rejected_credentials_are_tried_again_when_their_source_changes(
    redis: Redis, store_url: str, tmp_path: Path
) -> None:
    """The quarter of an hour without calls ends with a new token; other sources' pauses go on."""
    async with Simulator(seed=5, rate=0, population=6) as sim, Receiver([SECRET]) as receiver:
        text = config(receiver, tax=source(sim, token="wrong"), other=source(sim, token="wrong-too"))
        async with worker(tmp_path, store_url, text) as one:
            for name in ("tax", "other"):
                await receiver.wait_for(of(name, "jobwire.source.credentials_rejected"), PATIENCE)
            made = await scans(redis, "other")
            one.configure(config(receiver, tax=source(sim), other=source(sim, token="wrong-too")))
            await receiver.wait_for(of("tax", "jobwire.source.recovered"), PATIENCE)
            assert await scans(redis, "other") == made
            assert await one.end() == 0


async def test_a_delivery_in_flight_ends_under_the_old_config(redis: Redis, store_url: str, tmp_path: Path) -> None:
    """It arrives once, and what comes next takes the new route."""
    async with Simulator(seed=5, rate=0, population=6) as sim, Receiver([SECRET]) as receiver:
        job = next(iter(sim.worklayer.items))
        text = config(receiver, tax=source(sim))
        async with worker(tmp_path, store_url, text) as one:
            await receiver.wait_for(of("tax", "jobwire.source.baselined"), PATIENCE)
            receiver.script([{"delay": 3.0}])
            sim.worklayer.patch(job, {"total_amount": 12345})
            await one.says("scan.finished", len(one.lines("scan.finished")) + 2)
            one.configure(config(receiver, "[{match: {type: 'worklayer.job.closed'}, to: [hook]}]", tax=source(sim)))
            await one.says("config.taken")
            await receiver.wait_for(of("tax", "worklayer.job.updated"), PATIENCE)
            sim.worklayer.patch(job, {"total_amount": 54321})
            await one.says("scan.finished", len(one.lines("scan.finished")) + 2)
            sim.worklayer.patch(job, {"status": "CLOSED"})
            await receiver.wait_for(of("tax", "worklayer.job.closed"), PATIENCE)
            assert [delivery.type.rsplit(".", 1)[-1] for delivery in receiver.deliveries] == [
                "baselined",
                "updated",
                "closed",
            ]
            assert await one.end() == 0


async def test_a_closed_terminal_ends_the_worker_that_was_started_at_it(
    redis: Redis, store_url: str, tmp_path: Path
) -> None:
    """SIGHUP by hand reads the config there too; the one that comes with the end of the terminal is the end."""
    async with Simulator(seed=5, rate=0, population=2) as sim, Receiver([SECRET]) as receiver:
        ours, theirs = pty.openpty()
        async with worker(tmp_path, store_url, config(receiver, tax=source(sim)), theirs) as one:
            os.close(theirs)
            await one.says("worker.started")
            one.process.send_signal(signal.SIGHUP)
            await one.says("config.unchanged")
            os.close(ours)
            assert await asyncio.wait_for(one.process.wait(), PATIENCE) == 0
            assert one.lines("worker.stopped") != []


async def test_an_outage_of_the_store_during_a_reload_is_waited_out(tmp_path: Path) -> None:
    """Only the first start says that there is no store; a worker that works tries again until it is told to stop."""
    path = tmp_path / "jobwire.yaml"
    path.write_text("sources: {tax: {provider: worklayer, token: t}}")
    settings, nowhere, stop = load(path, {}), "unix:///nowhere/store.sock", asyncio.Event()

    async def opened() -> object:
        async with _opened(settings, nowhere, stop) as running:
            return running

    with pytest.raises(StoreUnavailable):
        async with _opened(settings, nowhere, None):
            pass
    with capture_logs() as said:
        waiting = asyncio.create_task(opened())
        await until(lambda: [line["event"] for line in said].count("worker.store_unavailable") >= 2)
        stop.set()
        assert await asyncio.wait_for(waiting, PATIENCE) is None
