"""docs/config.md, made from the models, so that it says what `check` takes. `monitor.settings.generate` writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from monitor.plugin import Plugin
from monitor.providers.base import SourceOptions
from monitor.settings.agreement import Providers, Targets
from monitor.settings.model import EgressSettings, Ladder, StoreSettings, StuckRule, WebSettings
from monitor.settings.routes import Route
from monitor.settings.takes import default_of, models_in, takes
from monitor.settings.telemetry import TelemetrySettings
from monitor.targets.base import TargetOptions
from monitor.values import format_duration
from monitor.vocabulary import DeadlineRule

INTRODUCTION = """\
# The config file

<!-- Made from the code by `.venv/bin/python -m monitor.settings.generate`: edit the models, not this page. -->

One YAML file, `config/jobwire.yaml` unless `--config` or `JOBWIRE_CONFIG` names another. `jobwire check` says what is
wrong with it, all at once, with file, line and column; nothing starts with a file that has problems. Editors read
[config/schema.json](../config/schema.json), which `jobwire schema config` prints. A whole example is
[config/jobwire.yaml](../config/jobwire.yaml), with the variables of [config/example.env](../config/example.env).

## How values are written

| written | means |
| --- | --- |
| `${NAME}` | the environment variable; unset or empty is an error |
| `${NAME:-default}` | the default where the variable is unset or empty |
| `${NAME:?message}` | the message as the error where it is unset or empty |
| `${file:/path}` | the text of a file, less the line break at its end; relative to the config file |
| `$$` | a dollar sign |
| duration | `500ms`, `30s`, `5m`, `6h`, `14d` |
| rate | requests a second `5` or `5/s`, a minute `200/m` |
| size | bytes: `512KB`, `50MB` |
| secret | text that is never shown again; best written as `${NAME}` or `${file:/path}` |

These forms work in values, not in keys. Inside `{ }` and `[ ]` put them in quotes: `{token: "${TOKEN}"}`.
A key with nothing after it counts as not given. Unknown keys and keys that stand twice are errors. Only `true`,
`false`, `null` and decimal numbers are not text: `no`, `12:30`, `0123` and `2026-01-05` are what they look like.
Anchors, aliases and `<<` work. Names of sources and targets are small letters, digits, `-` and `_`.
"""

_SOURCES = """\
Accounts to watch, each under a name of yours, which becomes part of every event. `provider` says which API it is."""
_TARGETS = """\
Where messages go, each under a name of yours. `type` says what kind of target it is."""
_DEADLINES = """\
How long before a date or an instant it is told, by event type. What is not named keeps the provider's own ladder:"""
_INTERVALS = """\
Times of a calendar under names of yours, for `mute` and `active` of routes: each is a [TimeInterval](#timeinterval) or
a list of them, of which one must hold."""
_ROUTES = """\
Which events go to which targets: a tree, walked from the top. The first route that matches takes an event, and the ones
after it are tried only if it says `continue: true`; among the routes inside it the same holds. A route takes the event
itself when none inside it does. Events that no route takes are stored and sent nowhere."""


def config_page(providers: Providers, targets: Targets, deadlines: Mapping[str, DeadlineRule]) -> str:
    """The registries and the deadlines that providers declare in, the text of the page out."""
    parts = [INTRODUCTION]
    parts += ["## store\n", _first_line(StoreSettings), _table(StoreSettings)]
    parts += ["## web\n", _first_line(WebSettings), _table(WebSettings)]
    parts += ["## egress\n", _first_line(EgressSettings), _table(EgressSettings)]
    parts += ["## telemetry\n", _first_line(TelemetrySettings), _table(TelemetrySettings)]
    parts += ["## sources\n", _SOURCES + "\n", "Every source takes:\n", _table(SourceOptions)]
    parts += _each(providers, "provider", SourceOptions)
    parts += ["## deadlines\n", _DEADLINES + "\n", _ladders(deadlines), _table(Ladder)]
    parts += ["## stuck\n", _first_line(StuckRule), _table(StuckRule)]
    parts += ["## targets\n", _TARGETS + "\n", "Every target takes:\n", _table(TargetOptions)]
    parts += _each(targets, "type", TargetOptions)
    parts += ["## intervals\n", _INTERVALS + "\n"]
    parts += ["## routes\n", _ROUTES + "\n"]
    for model in _with_inner(Route):
        parts += [f"### {model.__name__}\n", _first_line(model), _table(model)]
    return "\n".join(parts)


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().split("\n")[0] + "\n"


def _each(plugins: Mapping[str, Plugin[Any, Any]], key: str, base: type[BaseModel]) -> Iterable[str]:
    """What each registered plugin takes beyond, or otherwise than, what all of its kind take."""
    for name, plugin in plugins.items():
        common = {key: (takes(info), default_of(info), info.description) for key, info in base.model_fields.items()}
        own = {
            field: info
            for field, info in plugin.options.model_fields.items()
            if field != key and common.get(field) != (takes(info), default_of(info), info.description)
        }
        yield f"### {key}: {name}\n"
        yield _first_line(plugin.options)
        yield _rows(own)


def _ladders(deadlines: Mapping[str, DeadlineRule]) -> str:
    lines = ["| event type | before | told after it | counted in |", "| --- | --- | --- | --- |"]
    for type_, rule in deadlines.items():
        days = rule.unit == "date"
        before = ", ".join(format_duration(rung) if days else f"{rung / 3600:g}h" for rung in rule.before)
        unit = "calendar days of the source's zone" if days else "hours before the instant"
        lines.append(f"| `{type_}` | `[{before}]` | `{rule.after}` | {unit} |")
    return "\n".join(lines) + "\n"


def _with_inner(model: type[BaseModel]) -> list[type[BaseModel]]:
    """A model and those inside it, each once, in the order in which they are met."""
    found = [model]
    for one in found:
        for info in one.model_fields.values():
            found += [inner for inner in models_in(info.annotation) if inner not in found]
    return found


def _table(model: type[BaseModel]) -> str:
    return _rows(model.model_fields)


def _rows(fields: Mapping[str, FieldInfo]) -> str:
    lines = ["| key | takes | default | meaning |", "| --- | --- | --- | --- |"]
    for name, info in fields.items():
        key = info.alias or name
        cells = (f"`{key}`", takes(info), default_of(info), info.description or "")
        lines.append(f"| {' | '.join(_safe(cell) for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _safe(cell: str) -> str:
    return cell.replace("|", "&#124;").replace("<", "&lt;")
