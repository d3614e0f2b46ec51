"""The registry of targets: the `type` of the config file and the plugin that serves it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from monitor.plugin import Plugin
from monitor.targets.base import Target
from monitor.targets.slack import Slack, SlackOptions
from monitor.targets.webhook import Webhook, WebhookOptions

TARGETS: Mapping[str, Plugin[Any, Target]] = MappingProxyType(
    {
        "webhook": Plugin(WebhookOptions, lambda name, options: Webhook(options)),
        "slack": Plugin(SlackOptions, lambda name, options: Slack(options)),
    }
)
