"""`jobwire check`: the config file, and with `--live` each source's own answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from typing import Annotated

from cyclopts import Parameter

from monitor.cli.entry import FAILED, MISUSED
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, say, table
from monitor.cli.phrases import plural
from monitor.cli.probing import Answered, ask_sources
from monitor.errors import Problem
from monitor.settings import Report, Settings
from monitor.settings import check as check_file
from monitor.settings.routes import every_route

Live = Annotated[bool, Parameter(negative=(), help="Also ask each source for its first page: one call a source.")]


async def check(*, live: Live = False, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    """Check the config file: every problem with its file, line and what is allowed.

    Exits with 2 if there is one. With --live each source is called once and says whether its address and
    credentials work, what is left of its quota and when its token ends; exits with 1 if one does not answer.
    """
    report = await asyncio.to_thread(check_file, config, os.environ)
    _print(report.problems, "error", as_json=as_json)
    _print(report.warnings, "warning", as_json=as_json)
    if report.settings is None:
        if not as_json:
            say(f"{config}: {plural(len(report.problems), 'problem')}")
        return MISUSED
    if not as_json:
        say(_summary(str(config), report.settings, report))
    if not live:
        return 0
    answers = await ask_sources(report.settings)
    _print_answers(answers, as_json=as_json)
    return 0 if all(one.ok for one in answers) else FAILED


def _print(problems: Iterable[Problem], level: str, *, as_json: bool) -> None:
    for one in problems:
        if as_json:
            place = {"file": one.file, "line": one.line, "column": one.column}
            json_line({"level": level, **place, "text": one.text})
        else:
            mark = "warning: " if level == "warning" else ""
            say(f"{one.file}:{one.line}:{one.column}: {mark}{one.text}")


def _summary(config: str, settings: Settings, report: Report) -> str:
    routes = sum(1 for _ in every_route(settings.routes))
    parts = [
        plural(len(settings.sources), "source"),
        plural(len(settings.targets), "target"),
        plural(routes, "route"),
        *([plural(len(report.warnings), "warning")] if report.warnings else []),
    ]
    return f"{config}: ok: {', '.join(parts)}"


def _print_answers(answers: Iterable[Answered], *, as_json: bool) -> None:
    if as_json:
        for one in answers:
            json_line(one)
        return
    rows = [(one.source, one.provider, "ok" if one.ok else one.reason or "failed", one.in_words()) for one in answers]
    table(("source", "provider", "state", "what it says"), rows, most=1_000)
