"""What a message about a group says: why it is sent, and each condition of the group with what is new about it.

These are the values that targets render; who decides them is `monitor.grouping.plan`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from monitor.conditions.condition import Condition, Status

GROUP_LIMIT = 100
"""Deliveries that one message takes at the most; what waits behind them is the next one's."""


class Reason(StrEnum):
    """Why a message about a group is sent, the weightiest first where several hold."""

    ESCALATION = "escalation"
    FIRST = "first"
    WORSE = "worse"
    CHANGED = "changed"
    SILENCE_ENDED = "silence ended"
    ALL_RESOLVED = "all resolved"
    SOME_RESOLVED = "some resolved"
    OCCURRED = "occurred"
    ACKNOWLEDGED = "acknowledged"
    REPEAT = "repeat"


class News(StrEnum):
    """What is new about a condition for a target since its last message."""

    NEW = "new"
    WORSE = "worse"
    CHANGED = "changed"
    ATTENDED = "attended"
    """Acknowledged or snoozed, or not any more."""
    ENDED = "ended"
    SAME = "same"


class Act(StrEnum):
    """What somebody did about a condition, or that what they did is over."""

    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    TAKEN_BACK = "taken back"
    SNOOZE_OVER = "snooze over"
    SILENCED = "silenced"
    QUIET_OVER = "quiet over"
    """A silence or an interval has ended."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One act: `by` whom (empty: nobody was named), `at` when, `until` when it counts, and why.

    Without `until` a snooze counts until the condition changes.
    """

    act: Act
    by: str = ""
    at: datetime | None = None
    until: datetime | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """One condition of a group as a message shows it.

    `severity` is the route's word. `times` is how often it has opened within two hours, this time included; from
    the fifth on it is told only once it has been calm for a while, and `held` says so. `silenced_by` names the
    silence, interval or condition that keeps it quiet (it was told before). `escalated`: nobody saw to it in time.
    `remarks` are what people did about it since the last message, for targets that tell that (`Narrates`).
    """

    condition: Condition
    status: Status
    severity: str
    news: News
    times: int = 1
    held: bool = False
    silenced_by: str | None = None
    escalated: bool = False
    remarks: tuple[Remark, ...] = ()

    @property
    def over(self) -> bool:
        """Whether it is over, resolved or expired, or has moved to another group."""
        return self.news is News.ENDED


@dataclass(frozen=True, slots=True)
class Group:
    """What a message is about beside its events.

    `key` is the group's stable name for this target. `values` are those of `group_by`, `labels` the route's.
    `members` are the conditions, open ones before ended ones, the gravest first; none where the events of the
    message are all occurrences. `number` counts the messages of the group since it last had nothing open: 0 begins it
    (a target that edits in place posts anew then). `late` is how many seconds later than due it is sent.
    `again_in` is in how many seconds the same is told again if nothing changes; None is never.
    `memory` is what the target's last outcome asked to remember, {} before that.
    """

    key: str
    reason: Reason
    route: str
    labels: Mapping[str, str]
    values: Mapping[str, str]
    members: tuple[Member, ...]
    since: datetime
    number: int = 0
    late: float = 0.0
    again_in: float | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)

    @property
    def open(self) -> tuple[Member, ...]:
        """The members that are not over."""
        return tuple(member for member in self.members if not member.over)
