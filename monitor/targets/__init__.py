"""The registry: where each `type:` of the config file's targets sends to.

A target is one module of this package that offers `PLUGIN`; its name here and in the config file is the
module's name. See docs/adding-a-target.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from monitor.plugin import Plugin
from monitor.targets.base import Target

_MODULES = (
    "webhook",
    "slack",
    "alertmanager",
    "pagerduty",
    "template",
    "apprise",
)

TARGETS: Mapping[str, Plugin[Any, Target]] = {name: import_module(f"{__name__}.{name}").PLUGIN for name in _MODULES}
