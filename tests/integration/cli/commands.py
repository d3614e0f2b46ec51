"""Runs the real command line as a process, in a directory of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.simulator import Receiver, Simulator
from tests.installation import SECRET

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 150.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended and what it printed."""

    code: int | None
    out: str
    err: str

    @property
    def json(self) -> list[dict[str, Any]]:
        """Standard output as JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def lines(self) -> list[str]:
        """The lines of standard output."""
        return self.out.splitlines()


@dataclass(slots=True)
class Jobwire:
    """`jobwire` in `home`, where its config file is `jobwire.yaml`; `environ` on top of a clean environment."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """The config file."""
        return self.home / "jobwire.yaml"

    def configure(self, text: str) -> None:
        """Write the config file."""
        self.config.write_text(text)

    async def start(self, *words: str, environ: Mapping[str, str] | None = None) -> asyncio.subprocess.Process:
        """Start a command and leave it running; its output goes to pipes."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("JOBWIRE_")}
        own = {"PYTHONPATH": str(ROOT), "JOBWIRE_CONFIG": str(self.config), **self.environ}
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "monitor.cli", *words),
            cwd=self.home,
            env={**clean, **own, **(environ or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run_script(self, script: str, **environ: str) -> Ended:
        """Run Python in `home`, with nothing in its environment but this."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", script),
            cwd=self.home,
            env={"PYTHONPATH": str(ROOT), "HOME": str(self.home), **environ},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return await ended(process)

    async def __call__(self, *words: str, environ: Mapping[str, str] | None = None) -> Ended:
        """Run a command to its end."""
        return await ended(await self.start(*words, environ=environ))


async def ended(process: asyncio.subprocess.Process) -> Ended:
    """Wait for a command's end and give what it printed."""
    try:
        out, err = await asyncio.wait_for(process.communicate(), SECONDS)
    except TimeoutError:
        process.kill()
        out, err = await process.communicate()
        raise AssertionError(f"still running after {SECONDS} s\n{out.decode()}\n{err.decode()}") from None
    return Ended(process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def started(jobwire: Jobwire, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command that runs for the time of the block, and is ended in any case."""
    process = await jobwire.start(*words)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await ended(process)


def config_of(sim: Simulator, receiver: Receiver, data_dir: Path | str = "var", every: str = "1s") -> str:
    """Four sources at the stand-ins, one webhook that gets everything."""
    return f"""
store: {{data_dir: "{data_dir}"}}
web: {{listen: "127.0.0.1:0"}}
sources:
  drivers: {{provider: driver_jobs, base_url: "{sim.driver_jobs.base_url}", token: "{sim.driver_jobs.token}",
            every: {every}, timezone: Europe/London}}
  tax: {{provider: worklayer, base_url: "{sim.worklayer.base_url}", token: "{sim.worklayer.static_token}",
        every: {every}}}
  ats: {{provider: bindbee, base_url: "{sim.bindbee.base_url}", token: "{sim.bindbee.token}",
        connector_token: "{sim.bindbee.connector_token}", every: {every}}}
  dev: {{provider: devrev, base_url: "{sim.devrev.base_url}", token: "{sim.devrev.token}", every: {every}}}
egress: {{allow: [127.0.0.0/8]}}
targets:
  hook: {{type: webhook, url: "{receiver.url}", secret: "{SECRET}", retry: [1s, 1s]}}
routes:
  - {{name: jobs, match: {{type: "*.job.*", source: [tax, dev]}}, to: [hook]}}
  - {{match: {{type: ["driver_jobs.**", "bindbee.**", "jobwire.**"]}}, to: [hook]}}
"""
