"""What people ask about an installation, for the command line and the web; only replays and removals change it.

    watched      what these need to know of a source
    resources    what is known now; resourcepage: the same page by page; history: one resource's revisions
    sources      freshness, errors, when the next scan is due
    removals     what is missing and held, and somebody's word on it
    targets      backlog, success, whether something holds them up
    conditions   what is open and who has it; silences
    deliveries   what was sent, with every attempt
    replay       what is sent again
    explain      why an event was made, and where it went
    diagnosis    what is wrong around an installation
    series       how figures went over the last hours, for charts

Answers are structs whose JSON is that of the command line and of the API: docs/commands.md.
"""

from __future__ import annotations

from monitor.status.conditions import (
    ConditionView,
    SilenceView,
    condition_view,
    condition_views,
    silence_view,
    silence_views,
)
from monitor.status.deliveries import (
    DeliveryPage,
    DeliveryView,
    deliveries_of,
    deliveries_page,
    delivery_view,
    latest_deliveries,
)
from monitor.status.removals import (
    DecidedView,
    Decision,
    HeldPage,
    HeldPlace,
    HeldView,
    decide_removals,
    held_decision,
    held_page,
    held_removals,
)
from monitor.status.replay import Choice, ReplayCount, ReplayDone, Replayed, Replaying
from monitor.status.resourcepage import Place, ResourcePage, resources_page
from monitor.status.resources import (
    DeadlineView,
    ResourceView,
    known_resource,
    resource_view,
    resources,
)
from monitor.status.sources import SourceView, source_view
from monitor.status.targets import CIRCUITS, TargetView, addressed, circuit, target_view
from monitor.status.watched import Watched

__all__ = [
    "CIRCUITS",
    "Choice",
    "ConditionView",
    "DeadlineView",
    "DecidedView",
    "Decision",
    "DeliveryPage",
    "DeliveryView",
    "HeldPage",
    "HeldPlace",
    "HeldView",
    "Place",
    "ReplayCount",
    "ReplayDone",
    "Replayed",
    "Replaying",
    "ResourcePage",
    "ResourceView",
    "SilenceView",
    "SourceView",
    "TargetView",
    "Watched",
    "addressed",
    "circuit",
    "condition_view",
    "condition_views",
    "decide_removals",
    "deliveries_of",
    "deliveries_page",
    "delivery_view",
    "held_decision",
    "held_page",
    "held_removals",
    "known_resource",
    "latest_deliveries",
    "resource_view",
    "resources",
    "resources_page",
    "silence_view",
    "silence_views",
    "source_view",
    "target_view",
]
