"""`jobwire doctor`: what is wrong with the installation's surroundings, and what to do."""

from __future__ import annotations

import asyncio
import os
import resource
import stat
from pathlib import Path

from monitor.answers.reaching import reach, ways
from monitor.cli import session
from monitor.cli.entry import FAILED, MISUSED
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, note, say, table
from monitor.cli.phrases import plural
from monitor.clock import Clock
from monitor.errors import StateRefused, StoreUnavailable
from monitor.moments import to_millis
from monitor.settings import EMBEDDED, Report, Settings
from monitor.settings import check as check_file
from monitor.settings.advice import LITERAL
from monitor.status.diagnosis import Finding, of_config, of_files, of_server, of_work
from monitor.store.server import server_facts
from monitor.web.readiness import Readiness


async def doctor(*, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    """Look at the store's version and settings, clocks, permissions, and the ways to sources and targets.

    Says what is wrong and what to do. Sources and targets are connected to, and sent nothing. Exits with 1 if
    there is a problem, with 2 if the config file cannot be used.
    """
    report = await asyncio.to_thread(check_file, config, os.environ)
    if report.settings is None:
        for one in report.problems:
            note(f"{one.file}:{one.line}:{one.column}: {one.text}")
        return MISUSED
    around, inside = await asyncio.gather(_surroundings(config, report, report.settings), _store(report.settings))
    found = [*around[:2], *inside, *around[2:]]
    if as_json:
        for finding in found:
            json_line(finding)
    else:
        _print(found)
    return FAILED if any(one.level == "problem" for one in found) else 0


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
            return [*of_server(facts, here_ms, embedded=embedded), *of_work(await Readiness(running).found())]
    except StoreUnavailable as error:
        return [Finding("problem", "store", str(error), "start it, or correct `store.url`")]
    except StateRefused as error:
        what, _, advice = str(error).partition(": ")
        return [Finding("problem", "state", what, advice)]


def _print(found: list[Finding]) -> None:
    table(("state", "about", "what", "what to do"), [(one.level, one.about, one.text, one.advice) for one in found])
    problems = sum(one.level == "problem" for one in found)
    warnings = sum(one.level == "warning" for one in found)
    say(f"{plural(problems, 'problem')}, {plural(warnings, 'warning')}" if problems or warnings else "all is well")
