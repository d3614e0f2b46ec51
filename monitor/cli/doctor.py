"""`jobwire doctor`: what is wrong with the installation's surroundings, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monitor.cli.desk.asked import values
from monitor.cli.desk.opening import diagnosis
from monitor.cli.entry import FAILED
from monitor.cli.options import HERE, AsJson, Where
from monitor.cli.output import json_line, say, table
from monitor.cli.phrases import plural

_SENTENCES = 1_000
"""What to do is told whole."""


async def doctor(*, where: Where = HERE, as_json: AsJson = False) -> int:
    """Look at the store's version and settings, clocks, permissions, and the ways to sources and targets.

    Says what is wrong and what to do. Sources and targets are connected to, and sent nothing. Exits with 1 if
    there is a problem, with 2 if the config file cannot be used. Over --server the server's own machine is looked at,
    and not its config file.
    """
    lines = await diagnosis(where)
    found = [values(one) for one in lines]
    if as_json:
        for one in lines:
            json_line(one)
    else:
        _print(found)
    return FAILED if any(one["level"] == "problem" for one in found) else 0


def _print(found: Sequence[dict[str, Any]]) -> None:
    rows = [(one["level"], one["about"], one["text"], one["advice"]) for one in found]
    table(("state", "about", "what", "what to do"), rows, most=_SENTENCES)
    problems = sum(one["level"] == "problem" for one in found)
    warnings = sum(one["level"] == "warning" for one in found)
    say(f"{plural(problems, 'problem')}, {plural(warnings, 'warning')}" if problems or warnings else "all is well")
