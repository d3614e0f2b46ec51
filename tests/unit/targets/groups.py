"""Conditions and groups for tests of targets, as the grouping hands them over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from monitor.conditions import Condition, Status, condition_id
from monitor.conditions.families import family_of
from monitor.grouping.message import Group, Member, News, Reason
from monitor.targets.base import Message
from tests.unit.targets.events import EXPIRING

NOW = datetime(2026, 1, 5, 9, 30, 5, tzinfo=UTC)
_MOST = {Status.ACKNOWLEDGED: News.ATTENDED, Status.RESOLVED: News.ENDED, Status.EXPIRED: News.ENDED}


def member(event: bytes = EXPIRING, status: Status = Status.OPEN, news: News | None = None, **changes: Any) -> Member:
    """A condition that stands on this event, as a message shows it; `changes` replace members of the condition."""
    told = msgspec.json.decode(event)
    severity, times = changes.pop("severity", "warning"), changes.pop("times", 1)
    family = family_of(told["type"])
    began = changes.pop("opened_at", NOW - timedelta(minutes=5))
    over = status in {Status.RESOLVED, Status.EXPIRED}
    condition = Condition(
        id=condition_id(told["data"]["key"], family.name if family else "test"),
        key=told["data"]["key"],
        family=family.name if family else "test",
        type=told["type"],
        source=told["data"]["source"],
        title="a title",
        severity="warning",
        opened_at=began,
        changed_at=began,
        worse_at=began,
        ended_at=NOW if over else None,
        event=told["id"],
        at="1-0",
        body=msgspec.Raw(event),
    )
    condition = msgspec.structs.replace(condition, **changes)
    return Member(condition, status, severity, news or _MOST.get(status, News.NEW), times)


def message(
    members: Sequence[Member],
    *events: bytes,
    reason: Reason = Reason.FIRST,
    labels: Mapping[str, str] | None = None,
    memory: Mapping[str, Any] | None = None,
    **further: Any,
) -> Message:
    """A message about these members; by default with the events they stand on."""
    bodies = events or tuple(one.condition.event_bytes for one in members)
    severity = members[0].severity if members else "info"
    group = Group(
        key="routes[0]",
        reason=reason,
        route="routes[0]",
        labels=labels or {},
        values={},
        members=tuple(members),
        since=NOW - timedelta(minutes=5),
        memory=memory or {},
        **further,
    )
    return Message(msgspec.json.decode(bodies[0])["id"], bodies, 1, NOW, severity, group)
