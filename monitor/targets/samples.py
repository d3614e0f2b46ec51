"""Messages made up to try templates out: one of each family that a target may be sent. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from monitor.conditions import Status
from monitor.conditions.families import family_of
from monitor.conditions.life import Told, opened
from monitor.grouping.backlog import CatchUp, Why
from monitor.grouping.message import Group, Member, News, Reason
from monitor.targets.base import Message
from monitor.targets.digest import DIGEST

AT = datetime(2026, 1, 5, 9, 30, 5, tzinfo=UTC)


def an_event(mark: str = "") -> Message:
    """An occurrence; what a provider wrote in it ends in `mark`."""
    state = {"before": f"UNCLAIMED{mark}", "after": f"CLAIMED{mark}"}
    body = _event("worklayer.job.claimed", f"7{mark}", f"a job{mark}", f"CLAIMED{mark}", state=state)
    return Message("evt_sample", (body,), 1, AT, "info", _group(Reason.OCCURRED, ()))


def a_group(mark: str = "") -> Message:
    """A condition that has just opened."""
    member = _member(mark)
    return Message("evt_sample", (member.condition.event_bytes,), 1, AT, "warning", _group(Reason.FIRST, (member,)))


def a_digest() -> Message:
    """What is told once a day."""
    due = {"key": "tax/job/7", "day": "2026-01-09", "title": "a job", "type": "worklayer.job.due", "url": None}
    gravest = {"id": "evt_1", "type": "worklayer.job.failed", "key": "tax/job/7", "severity": "critical", "url": None}
    details = {
        "day": "2026-01-05",
        "timezone": "UTC",
        "due": "2026-01-05T09:00:00Z",
        "late": 0,
        "since": "2026-01-04T09:00:00Z",
        "days": 7,
        "deadlines": [due | {"name": "a job", "text": "a job is due on 9 January"}],
        "deadlines_total": 1,
        "events": {"worklayer.job.failed": 1},
        "events_total": 1,
        "important": [gravest | {"text": "a job failed", "moments": [], "state": "open"}],
    }
    body = _event(DIGEST, "", "", "", resource=None, details=details, provider=None)
    return Message("evt_sample", (body,), 1, AT, "info", _group(Reason.OCCURRED, ()))


def a_catch_up() -> Message:
    """Many groups in one message, after an outage."""
    told = CatchUp(
        id="cat_sample",
        groups=30,
        events=41,
        since=AT - timedelta(minutes=15),
        late=900.0,
        why=Why.OUTAGE,
        error="connection refused",
        named=(_member(""),),
        still_open=21,
        critical=1,
        open={"worklayer.job.failed": 20},
        over={"worklayer.job.failed": 2},
        occurred={"worklayer.job.claimed": 8},
    )
    return Message("cat_sample", (), 1, AT, "critical", catch_up=told)


def _member(mark: str) -> Member:
    body = _event("worklayer.job.failed", f"7{mark}", f"a job{mark}", f"FAILED{mark}")
    family = family_of("worklayer.job.failed")
    assert family is not None  # noqa: S101 - the type is one that opens a condition
    condition = opened(None, family, Told("0-0", body, msgspec.json.decode(body)), AT)
    return Member(condition, Status.OPEN, "critical", News.NEW)


def _group(reason: Reason, members: tuple[Member, ...]) -> Group:
    return Group("sample/group", reason, "routes[0]", {}, {}, members, AT - timedelta(minutes=5))


def _event(type_: str, id_: str, title: str, now: str, **changes: Any) -> bytes:
    resource: dict[str, Any] = {
        "kind": "job",
        "id": id_,
        "parent": None,
        "title": title,
        "state": now,
        "url": None,
        "fields": {},
    }
    data = {
        "provider": "worklayer",
        "source": "tax",
        "key": f"tax/job/{id_}",
        "resource": resource,
        "revision": 2,
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
        "id": "evt_sample",
        "source": "/sources/tax",
        "type": type_,
        "subject": f"job/{id_}",
        "time": "2026-01-05T09:30:02.114Z",
        "datacontenttype": "application/json",
        "sequence": "00000000000000000009",
        "data": data,
    }
    return msgspec.json.encode(event)
