"""The health of a Bindbee connector: a record that says whether the data being read is still fresh.

Facts: the connector object of https://docs.bindbee.dev (status, sync_status, the times of the syncs).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from monitor.simulator import stamps


class Connector:
    """One connection to a customer's ATS. ``record`` is sent as it is and may be changed.

    ``relink_needed``, ``sync_failed`` and ``healthy`` set the fields that belong together.
    """

    def __init__(self, rng: Random, now: datetime, token: str) -> None:
        self.record: dict[str, Any] = {
            "id": str(UUID(bytes=rng.randbytes(16), version=4)),
            "is_active": True,
            "status": "COMPLETE",
            "integration_slug": "greenhouse",
            "end_user": "Northgate Logistics Ltd",
            "origin_id": "customer-1",
            "sync_status": "Done",
            "last_sync_start_time": stamps.iso(now - timedelta(hours=1)),
            "next_sync_start_time": stamps.iso(now + timedelta(hours=23)),
            "connector_token": token,
            "category": "ATS",
            "relink_needed_at": None,
            "is_test_connector": False,
            "completed_at": stamps.iso(now - timedelta(days=90)),
            "created_at": stamps.iso(now - timedelta(days=91)),
        }

    def listing(self, category: str, now: datetime) -> dict[str, Any]:
        """Give the list answer for a category such as ``ats``: one connector, or none."""
        if now >= stamps.parse(self.record["next_sync_start_time"]):
            self.changed(now)
        rows = [dict(self.record)] if category.upper() == self.record["category"] else []
        return {"cursor": None, "page_size": len(rows), "items": rows}

    def changed(self, now: datetime) -> None:
        """Have a sync run now if the connector is healthy; a broken one keeps its old times."""
        if (self.record["status"], self.record["sync_status"]) == ("COMPLETE", "Done"):
            self.sync(now)

    def sync(self, now: datetime) -> None:
        """Have a sync run now and end well."""
        self.record["last_sync_start_time"] = stamps.iso(now)
        self.record["next_sync_start_time"] = stamps.iso(now + timedelta(hours=24))
        self.record["sync_status"] = "Done"

    def sync_failed(self, now: datetime) -> None:
        """Have a sync run now and fail: reads still answer, with old data."""
        self.sync(now)
        self.record["sync_status"] = "Failed"

    def relink_needed(self, now: datetime) -> None:
        """Let the customer's credentials stop working: reads still answer, with old data."""
        self.record["status"] = "RELINK_NEEDED"
        self.record["relink_needed_at"] = stamps.iso(now)

    def healthy(self, now: datetime) -> None:
        """Relink: the connector keeps its token and its records."""
        self.record["status"] = "COMPLETE"
        self.record["relink_needed_at"] = None
        self.sync(now)
