"""The data directory of a demo: one demo at a time, secrets and ports made once, the world as it was left.

demo.json    seed, ports and the webhook's secret
world.json   the providers: what they hold and what happens next
demo.yaml    the config, written anew at every start
demo.log     what workers and store log
store/       the embedded store
LOCK         held by the demo that runs
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, TypeVar

import msgspec

from monitor.errors import JobwireError, UsageError
from monitor.simulator import keep

LOG_LIMIT = 2_000_000  # bytes, above which a start begins a new log and keeps one old
T = TypeVar("T")
PORTS = 8  # four providers, their control, the webhook receiver, the Slack look-alike, the page


class Memory(msgspec.Struct):
    """What is made once and stays: `ports` are 0 until they are known."""

    seed: int
    secret: str
    ports: list[int]


class World(msgspec.Struct):
    """The world as it was left at `at` (seconds since 1970)."""

    at: float
    kept: keep.Kept


class Home:
    """The files of one demo."""

    def __init__(self, data_dir: Path) -> None:
        """Touches nothing yet."""
        self.path = data_dir
        self.config = data_dir / "demo.yaml"
        self.log = data_dir / "demo.log"
        self._memory = data_dir / "demo.json"
        self._world = data_dir / "world.json"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Makes the directory and holds it against a second demo.

        Raises JobwireError while another demo has it, and UsageError when something else lives there.
        """
        self._refuse_others()
        with self._lock() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise JobwireError(
                    f"a demo (process {lock.read().strip() or 'unknown'}) already runs in {self.path}. "
                    "Stop it first, or give this one a place of its own with --data-dir."
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def _lock(self) -> TextIO:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            return (self.path / "LOCK").open("a+")
        except OSError as error:
            raise JobwireError(
                f"the demo cannot write to {self.path}: {error.strerror}. Give another --data-dir."
            ) from error

    def clear(self) -> None:
        """Forgets everything of the demo."""
        self.clear_store()
        for file in (self._world, self._memory, self.config, self.log, self.log.with_suffix(".log.old")):
            file.unlink(missing_ok=True)

    def clear_store(self) -> None:
        """Forgets what was stored."""
        shutil.rmtree(self.path / "store", ignore_errors=True)

    def memory(self, seed: int) -> Memory:
        """What is remembered; made now, with the given seed, when there is nothing yet."""
        known = _read(self._memory, Memory)
        if known is not None and len(known.ports) == PORTS:
            return known
        made = Memory(seed, "whsec_" + b64encode(secrets.token_bytes(32)).decode(), [0] * PORTS)
        self.remember(made)
        return made

    def remember(self, memory: Memory) -> None:
        """Writes it down."""
        _write(self._memory, msgspec.json.encode(memory))

    def world(self) -> World | None:
        """The world as it was left; None when there is none or it cannot be read."""
        return _read(self._world, World)

    def keep_world(self, world: World) -> None:
        """Writes the world down, whole or not at all."""
        _write(self._world, msgspec.json.encode(world))

    def write_config(self, text: str) -> None:
        """Writes the config file; it holds credentials, if made-up ones."""
        _write(self.config, text.encode())

    def open_log(self) -> int:
        """A descriptor to append to the log by; the caller closes it."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.old"))
        return os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def _refuse_others(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"--data-dir {self.path} is a file: give a directory that is empty or does not exist yet")
        if (self.path / "store").exists() and not self._memory.exists():
            raise UsageError(
                f"--data-dir {self.path} holds the store of something else than a demo: give another directory"
            )


def _read(file: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        return None


def _write(file: Path, content: bytes) -> None:
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
    draft.replace(file)
