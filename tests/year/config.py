"""The routes of the year, as people write them, and as the product reads them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from monitor.routing import Router
from monitor.settings.reading import load
from monitor.settings.tree import routes_of

TEXT = """\
routes:
  - {name: all, to: [hook], continue: true}
  - name: failed
    match: {type: devrev.job.failed}
    to: [chat]
    severity: critical
    group_by: [source, type]
    group_wait: 1m
    group_interval: 1h
    escalate: {after: 4h, to: [boss]}
  - name: attention
    match: {type: ["**.expiring", "**.overdue", "**.upcoming", "**.stuck", "**.deadline_*", "jobwire.source.*"]}
    to: [chat]
    group_by: [key]
    group_interval: 10m
    repeat_interval: 60d
"""

TARGETS = {
    "hook": {"type": "webhook", "url": "https://hook.test/", "secret": "whsec_c2VjcmV0IG1hZGUgdXAgZm9yIHRlc3Rz"},
    "chat": {"type": "slack", "token": "made-up", "channel": "C1"},
    "boss": {"type": "slack", "token": "made-up", "channel": "C2", "mention": "<!here>"},
}


@cache
def router() -> Router:
    """The routes, compiled."""
    sources = {"tax": {"provider": "worklayer", "token": "made-up"}}
    with TemporaryDirectory() as directory:
        file = Path(directory) / "jobwire.yaml"
        file.write_text(f"sources: {json.dumps(sources)}\ntargets: {json.dumps(TARGETS)}\n{TEXT}", encoding="utf-8")
        return Router(routes_of(load(file, {})))
