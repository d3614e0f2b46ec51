"""The data directory of the embedded store: who holds it, what lies in it, where its server listens.

All of it lies in `data_dir/store`, which is ours alone (mode 0700):

    OWNER           locked by the supervising process: at most one supervisor a directory
    LOCK            locked by supervisor and server: two servers would both start and both append to the log
    ENGINE          which server wrote the data last, so that one that cannot read it is refused
    server.json     pid and socket of the server, for commands that join it and for whoever finds an orphan
    store.sock      unless the path is too long for a socket: then a hashed name in the temporary directory
    store.log       what the server says
    appendonlydir/  the data
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import re
import signal
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import structlog

from monitor.embedded.programs import OLDEST_MAJOR, Program
from monitor.errors import StoreUnavailable

SOCKET_PATH_LIMIT = 100  # bytes; the kernel takes 107, macOS 103: unix(7)
ANSWER_S = 1.0  # for one command over the socket
LOADING_S = 30.0  # how long a joining command waits for a server that still reads its data
TAKE_OVER_S = 15.0
TAKE_OVER_PATIENCE_S = 5.0  # then a server that does not heed SHUTDOWN is killed
ENGINES = ("valkey", "redis")


@dataclass(frozen=True, slots=True)
class Run:
    """A started server: its process id and its socket."""

    pid: int
    socket: str


def running_url(data_dir: Path) -> str | None:
    """The URL of the server that some process runs on this data directory now; None when none answers."""
    directory = StoreDirectory(data_dir)
    run = directory.last_run()
    if run is None or not directory.is_in_use():
        return None
    give_up = time.monotonic() + LOADING_S
    while (answer := ask(run.socket, b"PING")).startswith(b"-LOADING") and time.monotonic() < give_up:
        time.sleep(0.05)
    return f"unix://{run.socket}" if answer.startswith(b"+PONG") else None


def ask(address: str, command: bytes) -> bytes:
    """Sends one inline command to the server on a socket and returns its first line; empty if none comes."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_S)
            connection.connect(address)
            connection.sendall(command + b"\r\n")
            return connection.recv(256)
    except OSError:
        return b""


class StoreDirectory:
    """The files of one data directory and, once claimed, the locks on it."""

    def __init__(self, data_dir: Path) -> None:
        """Touches nothing yet."""
        self.home = data_dir.absolute() / "store"
        self.log = self.home / "store.log"
        self.socket = _socket_for(self.home)
        self._locks: dict[str, int] = {}

    @property
    def lock(self) -> int:
        """The descriptor of LOCK, for the server to inherit: it stays locked as long as either lives."""
        return self._locks["LOCK"]

    async def claim(self) -> None:
        """Makes the directory and takes both locks; a server left without supervisor is shut down for it.

        Raises StoreUnavailable while another supervisor lives or when the directory is not ours.
        """
        for place in (self.home, self.socket.parent):
            _make_private(place)
        if "OWNER" not in self._locks:
            owner = _try_lock(self.home / "OWNER")
            if owner is None:
                holder = (self.home / "OWNER").read_text() or "unknown"
                raise StoreUnavailable(
                    f"another jobwire (process {holder}) runs the embedded store in {self.home}. "
                    "Stop it, or give this one another store.data_dir."
                )
            self._locks["OWNER"] = owner
            os.ftruncate(owner, 0)
            os.pwrite(owner, str(os.getpid()).encode(), 0)
        if "LOCK" not in self._locks:
            self._locks["LOCK"] = await self._take_over()
        self.socket.unlink(missing_ok=True)

    def release(self) -> None:
        """Forgets the run and frees both locks; harmless when they were never taken."""
        if "LOCK" in self._locks:
            (self.home / "server.json").unlink(missing_ok=True)
            self.socket.unlink(missing_ok=True)
        for descriptor in self._locks.values():
            os.close(descriptor)
        self._locks.clear()

    def stamp(self, program: Program) -> None:
        """Writes down which server the data is given to, or raises StoreUnavailable if it may not have it."""
        stamp = self.home / "ENGINE"
        if stamp.exists():
            said = stamp.read_text().strip()
            match = re.fullmatch(r"(\w+) (\d+)\.\d+\.\d+", said)
            if match is None or match[1] not in ENGINES or int(match[2]) < OLDEST_MAJOR:
                raise StoreUnavailable(
                    f"the data in {self.home} was written by {said or 'an unknown server'}: {program.engine} "
                    f"{program.version} cannot be trusted to read it. Give an empty store.data_dir."
                )
        elif foreign := [name for name in ("appendonlydir", "dump.rdb") if (self.home / name).exists()]:
            raise StoreUnavailable(
                f"{self.home} holds {foreign[0]} of a server that jobwire did not start. "
                "Move it away, or give another store.data_dir."
            )
        _write(stamp, f"{program.engine} {program.version}\n")

    def record(self, pid: int) -> None:
        """Writes down the server that was started."""
        _write(self.home / "server.json", json.dumps({"pid": pid, "socket": str(self.socket)}))

    def last_run(self) -> Run | None:
        """The server that was started last and not stopped in order; None when there is none."""
        try:
            run = json.loads((self.home / "server.json").read_text())
            return Run(int(run["pid"]), str(run["socket"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def is_in_use(self) -> bool:
        """Whether a supervisor or a server holds this directory now."""
        try:
            with (self.home / "LOCK").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    async def _take_over(self) -> int:
        """Takes LOCK; if a server whose supervisor was killed holds it, that one is shut down first."""
        began = time.monotonic()
        orphan = self.last_run()
        if orphan and self.is_in_use():
            structlog.get_logger(__name__).warning("store.orphan_found", pid=orphan.pid, home=str(self.home))
            await asyncio.to_thread(ask, orphan.socket, b"SHUTDOWN")
        while (lock := _try_lock(self.home / "LOCK")) is None:
            if orphan and time.monotonic() > began + TAKE_OVER_PATIENCE_S:
                _kill(orphan.pid, self.home)
            if time.monotonic() > began + TAKE_OVER_S:
                process = f"process {orphan.pid}" if orphan else "a server"
                raise StoreUnavailable(
                    f"{process} still holds {self.home} although the jobwire that started it is gone, "
                    "and it does not shut down. End it, then start again."
                )
            await asyncio.sleep(0.05)
        return lock


def _socket_for(home: Path) -> Path:
    """The socket beside the data; where its path is too long or would need quoting in a URL, a hashed one."""
    beside = home / "store.sock"
    if len(os.fsencode(beside)) <= SOCKET_PATH_LIMIT and re.fullmatch(r"[\w/.@+=,~-]+", str(beside), re.ASCII):
        return beside
    name = hashlib.blake2b(os.fsencode(home), digest_size=12).hexdigest() + ".sock"
    shared = Path(f"jobwire-{os.geteuid()}") / name
    roomy = Path(tempfile.gettempdir()) / shared
    return roomy if len(os.fsencode(roomy)) <= SOCKET_PATH_LIMIT else Path("/tmp") / shared  # noqa: S108


def _make_private(place: Path) -> None:
    """Makes a directory that only we can enter; in a shared place it may be someone's trap, so look first."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = place.lstat()
    if place.is_symlink() or status.st_uid != os.geteuid():
        raise StoreUnavailable(f"{place} belongs to someone else or is a link: the embedded store needs it for itself")
    place.chmod(0o700)


def _try_lock(file: Path) -> int | None:
    """The descriptor of a file that is now locked by us; None while someone else has it."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _write(file: Path, text: str) -> None:
    """Puts the text in place whole, so that a reader never sees half of it."""
    draft = file.with_suffix(".new")
    draft.write_text(text)
    draft.replace(file)


def _kill(pid: int, home: Path) -> None:
    """Ends a server that does not listen, if the process of that id still is the one of this directory."""
    with contextlib.suppress(OSError):
        if sys.platform == "linux" and Path(f"/proc/{pid}/cwd").readlink() == home:
            os.kill(pid, signal.SIGKILL)
