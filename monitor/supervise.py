"""The processes that `up` looks after: children that are started again when they die, and the embedded store."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from monitor.backoff import exponential
from monitor.embedded import EmbeddedStore
from monitor.errors import StoreUnavailable

PARENT = "JOBWIRE_PARENT"
"""Environment variable: the process whose end is the child's end."""

LONGEST_PAUSE = 30.0
STEADY_S = 60.0  # who lived this long is started again at once, as if nothing had happened before
PATIENCE_S = 20.0  # for children to end after SIGTERM: a worker gives deliveries in flight 10 s
_PR_SET_PDEATHSIG = 1  # prctl(2)
_WATCH_S = 1.0


@dataclass(slots=True)
class Stop:
    """Asked to stop: `now` once, in order; `hurry` when asked again, by force."""

    now: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self) -> None:
        """Asks to stop; the second time without patience."""
        (self.hurry if self.now.is_set() else self.now).set()

    def on_signals(self) -> None:
        """SIGTERM, Ctrl-C and a closed terminal ask from now on."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self.ask)

    async def pause(self, seconds: float) -> None:
        """Waits, but not longer than until the stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.now.wait(), seconds)


def _unheard(*_: object) -> None:
    """Nobody listens."""


async def keep_child(
    name: str,
    command: Sequence[str],
    environ: Mapping[str, str],
    stop: Stop,
    *,
    output: int | None = None,
    started: Callable[[int], object] = _unheard,
    died: Callable[[int, float], object] = _unheard,
) -> None:
    """Runs a command, again when it ends by itself, until the stop; then ends it and comes back when it has.

    The child finds our process id in PARENT and is expected to call `follow_parent`. `output` is the descriptor
    for what it writes (None: ours); `started` hears process ids, `died` exit codes and the seconds until the
    next start.
    """
    deaths = 0
    log = structlog.get_logger().bind(process=name)
    while not stop.now.is_set():
        began = asyncio.get_running_loop().time()
        try:
            child = await _start(command, environ, output)
        except OSError as error:
            log.warning("process.not_started", error=str(error))
            deaths += 1
        else:
            log.info("process.started", pid=child.pid)
            started(child.pid)
            code = await _until_exit(child, stop)
            if stop.now.is_set():
                log.info("process.stopped", pid=child.pid, code=code)
                return
            steady = asyncio.get_running_loop().time() - began > STEADY_S
            deaths = 1 if steady else deaths + 1
            log.error("process.died", pid=child.pid, code=code, starts_again_in=_pause(deaths))
            died(code, _pause(deaths))
        await stop.pause(_pause(deaths))


async def keep_store(store: EmbeddedStore, stop: Stop, *, died: Callable[[int], object] = _unheard) -> None:
    """Starts a running embedded store again whenever it dies, until the stop; ending it is the caller's.

    `died` hears the exit codes.
    """
    stopped = asyncio.create_task(stop.now.wait())
    deaths = 0
    try:
        while not stop.now.is_set():
            exited = asyncio.create_task(store.wait_exit())
            await asyncio.wait({exited, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not exited.done():
                exited.cancel()
                return
            structlog.get_logger().error("store.died", code=exited.result())
            died(exited.result())
            deaths = await _restart(store, stop, deaths)
    finally:
        stopped.cancel()


def follow_parent(environ: Mapping[str, str]) -> asyncio.Task[None] | None:
    """Asks for SIGTERM to this process when the one named in PARENT ends, however it does; None where none is.

    On Linux the kernel sends it. Elsewhere the returned task watches, so it has to be kept.
    """
    parent = environ.get(PARENT, "")
    if not parent.isdecimal():
        return None
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    return asyncio.create_task(_watch(int(parent)))


async def _watch(parent: int) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells of it but the number itself
        await asyncio.sleep(_WATCH_S)
    os.kill(os.getpid(), signal.SIGTERM)


async def _restart(store: EmbeddedStore, stop: Stop, deaths: int) -> int:
    """Starts the store until it is there; how often it took so far."""
    while not stop.now.is_set():
        deaths += 1
        try:
            await store.start()
        except StoreUnavailable as error:
            structlog.get_logger().error("store.not_started", error=str(error))
            await stop.pause(_pause(deaths))
        else:
            structlog.get_logger().info("store.started", pid=store.pid)
            return 0
    return deaths


async def _start(command: Sequence[str], environ: Mapping[str, str], output: int | None) -> asyncio.subprocess.Process:
    """A child in a session of its own: Ctrl-C is for us, and we pass it on once."""
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env={**environ, PARENT: str(os.getpid())},
        start_new_session=True,
    )


async def _until_exit(child: asyncio.subprocess.Process, stop: Stop) -> int:
    """The exit code of a child that ended by itself, or that was ended because of the stop."""
    exited = asyncio.create_task(child.wait())
    stopped = asyncio.create_task(stop.now.wait())
    hurried = asyncio.create_task(stop.hurry.wait())
    try:
        await asyncio.wait({exited, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not exited.done():
            with suppress(ProcessLookupError):
                child.terminate()
            await asyncio.wait({exited, hurried}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        if not exited.done():
            with suppress(ProcessLookupError):
                child.kill()
        return await exited
    finally:
        for task in (exited, stopped, hurried):
            task.cancel()


def _pause(deaths: int) -> float:
    return exponential(deaths, 1.0, LONGEST_PAUSE, lambda: 0.5)
