"""The registry: which API each `provider:` of the config file speaks.

A provider is one module of this package that offers `PLUGIN`; its name here, in the config file and as
the first part of its event types is the module's name. See docs/adding-a-provider.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from monitor.plugin import Plugin
from monitor.providers.base import Provider

_MODULES = (
    "driver_jobs",
    "worklayer",
    "bindbee",
    "devrev",
)

PROVIDERS: Mapping[str, Plugin[Any, Provider]] = {name: import_module(f"{__name__}.{name}").PLUGIN for name in _MODULES}
