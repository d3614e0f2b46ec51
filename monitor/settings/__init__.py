"""The config file: YAML with `${...}` in, frozen settings or every problem at once out.

Module by module:

    yamlfile (outside)   text      -> tree with places        interpolation   ${NAME} -> text
    section routes model           the shapes                 wording         pydantic's errors -> words
    validation           values    -> settings                agreement       what sections say of each other
    problems             gathers what is wrong, with places   advice          what deserves a look
    reading              all of it: `load` and `check`        schema page     the same for editors and people
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
from monitor.settings.times import TimeInterval

__all__ = [
    "EMBEDDED",
    "Comparison",
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
    "load",
]
