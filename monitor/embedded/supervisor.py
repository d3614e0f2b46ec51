"""Starts, watches and stops the server of one data directory."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from monitor.embedded.directory import StoreDirectory, ask
from monitor.embedded.programs import bundled_program, find_program
from monitor.errors import StoreUnavailable

START_S = 30.0  # without a sign of life; reading a long log counts as one
STOP_S = 10.0
LOG_LIMIT = 1_000_000  # bytes, above which a start begins a new log and keeps one old

# everysec loses nothing when a process dies and up to a second when the power fails. Without the RDB
# preamble Valkey and Redis read each other's log. https://valkey.io/topics/persistence/
FLAGS = (
    ("--port", "0"),
    ("--unixsocketperm", "700"),
    ("--dir", "."),
    ("--appendonly", "yes"),
    ("--appendfsync", "everysec"),
    ("--aof-use-rdb-preamble", "no"),
    ("--save", ""),
    ("--maxmemory-policy", "noeviction"),
    # A delivery with its first attempts stays one compact value, which is three times as quick to write to.
    ("--hash-max-listpack-value", "512"),
    ("--daemonize", "no"),
    ("--logfile", ""),
)

# A fresh interpreter runs this and then becomes the server: Python warns about code between fork and exec.
# 1 is PR_SET_PDEATHSIG; a parent that died before it was set shows as another parent. prctl(2)
DIE_WITH_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, int(signal.SIGTERM))
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


class EmbeddedStore:
    """One server on one data directory; `async with` starts and stops it.

    On Linux the server ends with the thread that started it, so that has to be a lasting one. Elsewhere a
    server whose supervisor was killed lives on until the next start takes its place.
    """

    def __init__(self, data_dir: Path, *, program: Path | None = None) -> None:
        """Touches nothing yet. `program` is the server to run; None: the bundled one or one on PATH."""
        self._directory = StoreDirectory(data_dir)
        self._program = program
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where the server listens, for redis-py and ARQ; the same at every start."""
        return f"unix://{self._directory.socket}"

    @property
    def pid(self) -> int | None:
        """The process id of the server; None before the start and after stop()."""
        return self._process.pid if self._process else None

    async def start(self) -> str:
        """Starts the server, waits until it answers and returns its URL; also again after it died.

        Raises StoreUnavailable when another process runs this data directory, when no server program fits
        the data, or when it does not come up; the text carries what the server said.
        """
        if self._process is None or self._process.returncode is not None:
            try:
                await self._start()
            except OSError as error:
                await self.stop()
                raise StoreUnavailable(f"the embedded store cannot be used: {error}") from error
            except BaseException:
                await self.stop()
                raise
        return self.url

    async def wait_exit(self) -> int:
        """Returns the exit code once the server has died, negative for a signal; start() may follow."""
        if self._process is None:
            raise StoreUnavailable("the embedded store is not running")
        return await self._process.wait()

    async def stop(self) -> None:
        """Ends the server, by force after STOP_S, and frees the data directory; fine at any time."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), STOP_S)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()
        self._process = None
        self._directory.release()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _start(self) -> None:
        """Claims the directory, spawns the server and waits for its first answer."""
        program = await find_program(self._program or bundled_program())
        await self._directory.claim()
        self._directory.stamp(program)
        log = self._directory.log
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.old"))
        begin = log.stat().st_size if log.exists() else 0
        self._process = await self._spawn(program.path, log)
        self._directory.record(self._process.pid)
        await self._wait_for_answer(self._process, begin)

    async def _spawn(self, program: Path, log: Path) -> asyncio.subprocess.Process:
        """Starts the program in a session of its own: Ctrl-C is for us, the store goes last."""
        command = [str(program), "--unixsocket", str(self._directory.socket)]
        command += [word for flag in FLAGS for word in flag]
        if sys.platform == "linux":
            command = [sys.executable, "-I", "-S", "-c", DIE_WITH_PARENT, str(os.getpid()), *command]
        with log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *command,
                cwd=log.parent,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[self._directory.lock],
                start_new_session=True,
            )

    async def _wait_for_answer(self, process: asyncio.subprocess.Process, begin: int) -> None:
        """Returns once the server serves; raises with its own words if it ends or stays mute."""
        clock = asyncio.get_running_loop().time
        give_up = clock() + START_S
        address = str(self._directory.socket)
        while not (answer := await asyncio.to_thread(ask, address, b"PING")).startswith(b"+PONG"):
            if answer.startswith(b"-LOADING"):
                give_up = clock() + START_S
            if process.returncode is not None or clock() > give_up:
                raise StoreUnavailable(
                    f"the embedded store did not start. It said:\n{_last_words(self._directory.log, begin)}\n"
                    f"Its whole log is {self._directory.log}."
                )
            await asyncio.sleep(0.01)


def _last_words(log: Path, begin: int, lines: int = 8) -> str:
    """The last lines a server wrote to its log after byte `begin`."""
    with log.open("rb") as file:
        file.seek(begin)
        said = file.read(LOG_LIMIT).decode(errors="replace").strip().splitlines()
    return "\n".join(f"    {line}" for line in said[-lines:]) or "    nothing"
