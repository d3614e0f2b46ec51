"""Who receives an event, how grave it is, and by which timers. Pure: an event in, decisions out."""

from __future__ import annotations

from monitor.routing.match import LISTS, Facts, Match, Test, compile_match, type_glob
from monitor.routing.severity import DEFAULT_SEVERITY, SEVERITIES, default_severity, gravest, rank
from monitor.routing.tree import (
    DEFAULT_GROUP_WAIT,
    Decision,
    Escalation,
    Route,
    Router,
    Timers,
    group_hash,
    own_news,
)

__all__ = [
    "DEFAULT_GROUP_WAIT",
    "DEFAULT_SEVERITY",
    "LISTS",
    "SEVERITIES",
    "Decision",
    "Escalation",
    "Facts",
    "Match",
    "Route",
    "Router",
    "Test",
    "Timers",
    "compile_match",
    "default_severity",
    "gravest",
    "group_hash",
    "own_news",
    "rank",
    "type_glob",
]
