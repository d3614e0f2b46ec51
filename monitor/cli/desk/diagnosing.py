"""What `jobwire doctor` finds from here: the config file, this machine, the store, and the ways out."""

from __future__ import annotations

import asyncio
import os
import resource
import stat
from collections.abc import Sequence
from pathlib import Path

from monitor import __version__
from monitor.answers.reaching import reach, ways
from monitor.answers.readiness import Readiness
from monitor.cli import session
from monitor.cli.desk.asked import Line
from monitor.cli.desk.stored import lines
from monitor.clock import Clock
from monitor.errors import ConfigError, StateRefused, StoreUnavailable
from monitor.moments import to_millis
from monitor.settings import EMBEDDED, Report, Settings
from monitor.settings import check as check_file
from monitor.settings.advice import LITERAL
from monitor.status.diagnosis import Finding, of_config, of_files, of_server, of_work, of_workers
from monitor.store.server import server_facts


async def found_here(config: Path) -> Sequence[Line]:
    """A config file in, what was found out; ConfigError where it cannot be used."""
    report = await asyncio.to_thread(check_file, config, os.environ)
    if report.settings is None:
        raise ConfigError(list(report.problems))
    around, inside = await asyncio.gather(_surroundings(config, report, report.settings), _store(report.settings))
    return lines([*around[:2], *inside, *around[2:]])


async def _surroundings(config: Path, report: Report, settings: Settings) -> list[Finding]:
    secrets = [f"line {one.line}" for one in report.warnings if LITERAL in one.text]
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    mode = stat.S_IMODE((await asyncio.to_thread(config.stat)).st_mode)
    return [of_config(str(config), mode, secrets), of_files(files), *await reach(ways(settings))]


async def _store(settings: Settings) -> list[Finding]:
    try:
        async with session.wired(settings) as running:
            facts = await server_facts(running.store.db)
            here_ms = to_millis(Clock().now())
            embedded = session.given_url(settings) == EMBEDDED
            alive = await running.store.fleet.alive(facts.clock_ms)
            return [
                *of_server(facts, here_ms, embedded=embedded),
                of_workers([one.version for one in alive], __version__),
                *of_work(await Readiness(running).found()),
            ]
    except StoreUnavailable as error:
        return [Finding("problem", "store", str(error), "start it, or correct `store.url`")]
    except StateRefused as error:
        what, _, advice = str(error).partition(": ")
        return [Finding("problem", "state", what, advice)]
