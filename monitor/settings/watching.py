"""Noticing a new config file while the old one is in effect: valid and different it is handed out, else it is refused.

The file is looked at every two seconds, by its time, size and inode: editors and deployments that put another file
in its place are noticed like those that write into it, and no dependency is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import structlog

from monitor.errors import ConfigError
from monitor.settings.model import Settings
from monitor.settings.reading import load

EVERY_SECONDS = 2.0
STILL_SECONDS = 0.2
"""A file that has just changed must stay as it is for so long: half a file may read as a valid one."""

_Look: TypeAlias = tuple[int, int, int]


@dataclass(slots=True)
class ConfigWatch:
    """Watches one config file under one environment; `asked` makes it read the file at once, changed or not.

    `rejected` says that the file, as it was last read, has problems.
    """

    path: Path
    environ: Mapping[str, str]
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    rejected: bool = False
    _seen: _Look | None = None

    async def news(self, current: Settings) -> Settings:
        """Come back with the file's settings as soon as they are valid and other than `current`.

        What is wrong with a file goes to the log with file and line, once for each time that it is written.
        """
        while True:
            asked = self.asked.is_set()
            self.asked.clear()
            if await self._has_changed() or asked:
                found = await asyncio.to_thread(self._read)
                if found is not None and found != current:
                    return found
                if found is not None and asked:
                    structlog.get_logger().info("config.unchanged", config=str(self.path))
            with suppress(TimeoutError):
                await asyncio.wait_for(self.asked.wait(), EVERY_SECONDS)

    async def _has_changed(self) -> bool:
        """Whether the file is another than at the last look, and holds still; one that is away is waited for."""
        look = self._look()
        if look is None or look == self._seen:
            return False
        await asyncio.sleep(STILL_SECONDS)
        if self._look() != look:
            return False
        self._seen = look
        return True

    def _look(self) -> _Look | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> Settings | None:
        try:
            found = load(self.path, self.environ)
            self.rejected = False
            return found
        except ConfigError as error:
            problems = [str(problem) for problem in error.problems]
            structlog.get_logger().error("config.rejected", config="the one before stays in effect", problems=problems)
        except Exception:  # noqa: BLE001 - a fault of ours in reading a new file must not end the work under the old one
            structlog.get_logger().exception("config.unreadable", config="the one before stays in effect")
        self.rejected = True
        return None
