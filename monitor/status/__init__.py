"""What people ask about an installation, read from the store and never written: for the command line and the web.

    watched      what these need to know of a source
    resources    what is known now, and one resource's revisions
    sources      freshness, errors, when the next scan is due
    removals     what is missing and held
    targets      backlog, success, whether something holds them up
    deliveries   what was sent, with every attempt

Answers are structs whose JSON is that of the command line and of the API: docs/commands.md.
"""

from __future__ import annotations

from monitor.status.deliveries import DeliveryView, deliveries_from, delivery_view, latest_deliveries
from monitor.status.removals import HeldView, held_removals
from monitor.status.resources import (
    DeadlineView,
    Place,
    ResourceView,
    known_resource,
    resource_view,
    resources,
    resources_from,
)
from monitor.status.sources import SourceView, source_view
from monitor.status.targets import CIRCUITS, TargetView, circuit, target_view
from monitor.status.watched import Watched

__all__ = [
    "CIRCUITS",
    "DeadlineView",
    "DeliveryView",
    "HeldView",
    "Place",
    "ResourceView",
    "SourceView",
    "TargetView",
    "Watched",
    "circuit",
    "deliveries_from",
    "delivery_view",
    "held_removals",
    "known_resource",
    "latest_deliveries",
    "resource_view",
    "resources",
    "resources_from",
    "source_view",
    "target_view",
]
