"""What lists and counts need of open conditions, in a few bytes: kept beside each ledger, whose events may be long."""

from __future__ import annotations

from datetime import datetime

import msgspec

from monitor.conditions.condition import Condition, Status
from monitor.conditions.ledger import Ledger
from monitor.moments import to_millis
from monitor.routing import gravest

_UNTIL_IT_CHANGES = -1


class Brief(msgspec.Struct, frozen=True, array_like=True):
    """One open condition: its family, severity as people see it, when it opened (ms), and who has seen to it.

    `snoozed_ms` is until when it is put off: 0 not at all, -1 until it changes.
    """

    family: str
    severity: str
    opened_ms: int
    acknowledged: bool = False
    snoozed_ms: int = 0

    def status(self, now_ms: int) -> Status:
        """What it is at this moment, as the condition itself would say."""
        if self.snoozed_ms == _UNTIL_IT_CHANGES or now_ms < self.snoozed_ms:
            return Status.SNOOZED
        return Status.ACKNOWLEDGED if self.acknowledged else Status.OPEN


def briefs_of(ledger: Ledger) -> list[Brief]:
    """A ledger in, its open conditions in brief out."""
    return [_brief(one) for one in ledger.open]


def severity_of(condition: Condition) -> str:
    """A condition in, its severity as its routes have it out; the type's own where no route tells of it."""
    routed = [place.severity for place in condition.places if not place.left]
    return gravest(routed) if routed else condition.severity


def _brief(one: Condition) -> Brief:
    snoozed = 0 if one.snooze is None else _until(one.snooze.until)
    return Brief(one.family, severity_of(one), to_millis(one.opened_at), one.acknowledgement is not None, snoozed)


def _until(until: datetime | None) -> int:
    return _UNTIL_IT_CHANGES if until is None else to_millis(until)
