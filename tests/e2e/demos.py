"""Runs `jobwire demo` as a process and looks at what it prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90.0

T = TypeVar("T")


class Demo:
    """One process of `jobwire demo --fast` on a data directory; what it prints goes to a file beside it."""

    def __init__(self, data_dir: Path, *words: str) -> None:
        self.data_dir = data_dir
        self._output = data_dir.parent / f"output-{time.monotonic_ns()}"
        self.started = datetime.now(UTC)
        with self._output.open("wb") as out:
            self.process = subprocess.Popen(
                command("demo", "--fast", "--data-dir", str(data_dir), *words),
                cwd=ROOT,
                env=environ(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def text(self) -> str:
        """Everything printed so far."""
        return self._output.read_text()

    def wait_for(self, pattern: str, patience: float = PATIENCE) -> re.Match[str]:
        """The first place that a pattern fits, once it is printed."""
        return until(lambda: re.search(pattern, self.text, re.MULTILINE), patience, self.told)

    def told(self) -> str:
        """For when it went wrong: everything printed, and the end of the log."""
        log = self.data_dir / "demo.log"
        lines = log.read_text().splitlines()[-20:] if log.exists() else []
        return "\n".join([self.text, *lines])

    def end(self, number: int) -> int:
        """The exit code after a signal."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def running(data_dir: Path, *words: str) -> Iterator[Demo]:
    """A demo that is gone at the end of the block, with everything it started."""
    demo = Demo(data_dir, *words)
    try:
        yield demo
    finally:
        if demo.process.poll() is None:
            demo.process.terminate()
            demo.process.wait(PATIENCE)


def command(*words: str) -> list[str]:
    """The command line of jobwire in this Python."""
    return [sys.executable, "-m", "monitor.cli", *words]


def environ() -> dict[str, str]:
    """Our environment, without what would lead the command elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("JOBWIRE_")}


def until(look: Callable[[], T | None], patience: float, why: Callable[[], str]) -> T:
    """What `look` finds as soon as it finds something; fails with `why` when it does not in time."""
    give_up = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < give_up, f"waited {patience} s in vain; there was:\n{why()}"
        time.sleep(0.02)
    return found


def descendants(pid: int) -> set[int]:
    """The ids of all processes that come from this one. Linux only: proc(5)."""
    children: dict[int, set[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (parent := _parent(entry)) is not None:
            children.setdefault(parent, set()).add(int(entry.name))
    found, new = set[int](), children.get(pid, set())
    while new:
        found |= new
        new = {grandchild for child in new for grandchild in children.get(child, set())} - found
    return found


def alive(pids: set[int]) -> set[int]:
    """Those of the processes that still run."""
    return {pid for pid in pids if _parent(Path(f"/proc/{pid}")) is not None}


def _parent(entry: Path) -> int | None:
    """The parent of a process; None when it has ended."""
    try:
        state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return None
    return None if state == "Z" else int(parent)
