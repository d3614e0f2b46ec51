"""docs/commands.md, made from the commands themselves. `monitor.cli.generate` writes it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from cyclopts import App, Argument

from monitor.cli.app import COMMANDS, make_app

INTRODUCTION = """\
# Commands

<!-- Made from the code by `.venv/bin/python -m monitor.cli.generate`: edit the commands, not this page. -->

`./jobwire COMMAND` in a checkout, `jobwire COMMAND` where it is installed. `jobwire COMMAND --help` says the same as
this page. All take `-c FILE` (also `--config FILE`, also before the command); without it `JOBWIRE_CONFIG` names the
file, else it is `config/jobwire.yaml`. Those that have `--server URL` work over HTTP as well, on what runs elsewhere:
[operations](operations.md#from-another-machine).

**Exit codes.** 0 done, 1 it ran and failed, 2 bad usage or config. Ctrl-C ends what goes on (`up`, `worker`,
`simulate`, `events --follow`) with 0 and anything else with 130.

**Output.** People get tables and colours on a terminal and plain aligned lines in a pipe, where nothing is cut;
`--json` gives one JSON object a line. Logs and errors go to standard error, logs as JSON when that is no terminal.

**Store.** `JOBWIRE_STORE_URL`, else `store.url` of the config file. With `embedded`, a command joins the server that
`up` runs on `store.data_dir`; when none runs it starts one for itself, so that everything stored can be looked at
while nothing works on it.
"""

SHAPES = """\
## JSON

| command | one object a line |
| --- | --- |
| `events` | the CloudEvents themselves: [events](events.md) |
| `resources` | `{key provider source kind id parent title state since revision fields deadlines}`; \
a deadline is `{type field value next due}` |
| `history` | `{revision at type event state changes}`; type and event are null where nothing was told |
| `deliveries` | `{id event_id target status attempts: [{n at status ms error response address}] next_at}` |
| `replay` | with ids a line each: `{id event_id target result}`; by target `{target count results}`, with `--dry-run` \
`{target count statuses oldest_at newest_at}`. A result is queued, waiting, \
changed, disabled, gone, unconfigured or unknown |
| `explain` | `{event made targets routes}`; a target is \
`{target route severity reasons why_not nearest sent_by delivery}`, a route `{route path to outcome failures because}` |
| `sources` | `{name provider state fresh_at age items next_at error quota}`; `age` in seconds; \
`state` is ok, new, stale, failing, credentials_rejected or disabled; `held` beside them if removals are held |
| `removals list` | `{key source kind id title state missed last_seen}` |
| `targets` | `{name type state backlog oldest_at success_rate circuit}`; \
`state` is ok, failing or disabled; `circuit` is closed, open (the receiver cannot be reached, or asked for quiet) or \
half_open (one delivery is trying); `given_up` beside them if deliveries were given up and not sent again |
| `poll` | `{source scan events}`, with `--dry-run` what would be; `scan.counts` by kind and state at a first \
look, `scan.due` deadlines that are due then |
| `poll --server` | `{source asked_at}`; with `--dry-run` as without `--server` |
| `check` | `{level file line column text}`; with `--live` also `{source provider ok items ms reason error quota \
expires_at}` |
| `routes show` | `{route path match continue to group_by group_wait group_interval repeat_interval mute active \
severity labels escalate warnings}`; what is inherited is written out, times in seconds |
| `routes test` | `{targets decisions}`: names, and per target `{target route severity group_wait group_interval \
labels}` |
| `target rotate` | `{target kind secret public_key signing_along: [{kind until}]}` |
| `backtest` | a line a target: `{target messages events appear vanish moved graded examples}`; messages and events \
`{before after}`, appear and vanish by type |
| `send-test` | `{target event_id delivered status ms error response address}` |

Times are RFC 3339 in UTC. `success_rate` is the share of attempts that arrived, of the last 100 tried deliveries.
"""


def commands_page() -> str:
    """The whole page."""
    titles = list(dict.fromkeys(title for title, *_ in COMMANDS))
    parts = [INTRODUCTION]
    for title in titles:
        rows = [f"| [`{name}`](#{_anchor(name)}) | {text} |" for one, name, _, text in COMMANDS if one == title]
        parts.append("\n".join([f"| {title} | |", "| --- | --- |", *rows]) + "\n")
    parts += [_command(name) for _, name, _, _ in COMMANDS]
    return "\n".join([*parts, SHAPES])


def _command(name: str) -> str:
    app = resolved(name)
    arguments = [one for one in app.assemble_argument_collection() if one.show]
    positional = [one for one in arguments if not one.name.startswith("-")]
    usage = " ".join(
        [f"jobwire {name}", *(_placed(one) for one in positional), "[OPTIONS]" * (positional != arguments)]
    )
    lines = [f"## `{name}`", "", f"    {usage.rstrip()}", "", inspect.cleandoc(app.default_command.__doc__ or ""), ""]
    rows = [_row(one) for one in arguments]
    if rows:
        lines += ["| option | takes | default | |", "| --- | --- | --- | --- |", *rows, ""]
    return "\n".join(lines)


def resolved(name: str) -> App:
    """A command by its name, imported, with its own words."""
    app = make_app(name)
    for part in name.split():
        app = app[part]
    return app


def _anchor(name: str) -> str:
    return name.replace(" ", "-")


def _placed(one: Argument) -> str:
    return one.name if one.required else f"[{one.name}]"


def _row(one: Argument) -> str:
    names = ", ".join(f"`{name}`" for name in one.names)
    return f"| {names} | {_takes(one.hint)} | {_default(one)} | {one.parameter.help or ''} |"


def _takes(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " \\| ".join(f"`{value}`" for value in get_args(hint))
    inner = [part for part in get_args(hint) if part is not type(None)]
    if inner:
        return ", ".join(_takes(part) for part in inner)
    return {bool: "", int: "number", float: "number", Path: "file"}.get(hint, "text")


def _default(one: Argument) -> str:
    value = one.field_info.default
    if value is None or value is inspect.Parameter.empty or isinstance(value, bool):
        return ""
    return f"`{value}`"


def options(name: str) -> Iterable[str]:
    """Every option and argument name of a command."""
    return [word for one in resolved(name).assemble_argument_collection() if one.show for word in one.names]
