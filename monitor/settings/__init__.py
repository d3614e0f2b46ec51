"""The config file: YAML with `${...}` in, frozen settings or every problem at once out.

Module by module:

    reading         the whole way: `load` and `check`
    interpolation   ${NAME} and its like -> text
    section routes times telemetry model   the shapes of the sections, and the settings made of them
    calendars       times of the file as intervals that can be asked
    tree            routes of the file as the router takes them
    given           routes that come without a file
    watching        a file that changes while it is in effect
    validation      values -> settings, section by section
    agreement       what sections say of each other
    problems        gathers what is wrong, with its place     wording   ... in words for people
    advice          what works but deserves a look       routelint   ... of routes
    schema          the same as JSON Schema for editors
    page takes      the same as docs/config.md for people
    generate        writes both files

The text itself is read by `monitor.yamlfile`.
"""

from __future__ import annotations

from monitor.settings.model import (
    EMBEDDED,
    EgressSettings,
    Ladder,
    Report,
    Settings,
    Source,
    StoreSettings,
    StuckRule,
    TargetSetting,
    WebSettings,
)
from monitor.settings.reading import check, load
from monitor.settings.routes import Comparison, Escalation, Match, Route
from monitor.settings.schema import json_schema
from monitor.settings.times import TimeInterval
from monitor.settings.watching import ConfigWatch

__all__ = [
    "EMBEDDED",
    "Comparison",
    "ConfigWatch",
    "EgressSettings",
    "Escalation",
    "Ladder",
    "Match",
    "Report",
    "Route",
    "Settings",
    "Source",
    "StoreSettings",
    "StuckRule",
    "TargetSetting",
    "TimeInterval",
    "WebSettings",
    "check",
    "json_schema",
    "load",
]
