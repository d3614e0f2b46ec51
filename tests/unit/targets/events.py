"""Stored events for tests of targets, as interface section 3 writes them."""

from __future__ import annotations

from typing import Any

import msgspec


def stored(type_: str, subject: str = "job/7", title: str = "Tony Stark | 2021 | 1040", **changes: Any) -> bytes:
    """The bytes of one event; `changes` replace members of `data`, and `fields`, `state_now`, `url` the resource's."""
    kind, _, id_ = subject.partition("/")
    resource = {
        "kind": kind,
        "id": id_,
        "parent": None,
        "title": title,
        "state": changes.pop("state_now", None),
        "url": changes.pop("url", None),
        "fields": changes.pop("fields", {}),
    }
    provider = type_.partition(".")[0]
    source = changes.pop("source", "tax")
    data = {
        "provider": provider,
        "source": source,
        "key": f"{source}/{subject}",
        "resource": None if provider == "jobwire" else resource,
        "revision": 7,
        "state": None,
        "changes": [],
        "deadline": None,
        "occurred_at": None,
        "last_seen_before": "2026-01-05T09:29:31Z",
        "first_seen_after": "2026-01-05T09:30:01Z",
        **changes,
    }
    event = {
        "specversion": "1.0",
        "id": changes.get("id", "evt_4kq7aaaa"),
        "source": f"/sources/{source}",
        "type": type_,
        "subject": subject,
        "time": "2026-01-05T09:30:02.114Z",
        "datacontenttype": "application/json",
        "sequence": "00000000000000000009",
        "data": data,
    }
    return msgspec.json.encode(event)


CLAIMED = stored(
    "worklayer.job.claimed",
    state_now="CLAIMED",
    state={"before": "UNCLAIMED", "after": "CLAIMED"},
    occurred_at="2026-01-05T09:29:40Z",
)
EXPIRING = stored(
    "driver_jobs.contract.expiring",
    "contract/298",
    "Contract of Tony Stark at ACME",
    source="uk-drivers",
    state_now="active",
    deadline={"date": "2025-12-20", "rung": "14d", "days_left": 14, "late": "0s"},
)
