"""The life of a condition: opened, made worse or merely changed, seen to, ended. Pure: a condition in, the next out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from monitor.conditions.condition import Acknowledgement, Condition, Snooze, TakenBack, condition_id
from monitor.conditions.families import Family, grade
from monitor.routing.severity import default_severity, rank

FLAP_WINDOW = timedelta(hours=2)
"""Openings this close together are counted: "5th time in 2 h"."""

FLAP_AT = 5
"""From this opening on it is told only once it has been calm."""

CALM = timedelta(minutes=15)
"""So long without opening or ending a flapping condition counts as calm."""

_OPENINGS = 50


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it stands in the log: its place, its bytes, and what they say."""

    at: str
    body: bytes
    event: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The event's id."""
        return str(self.event["id"])

    @property
    def type(self) -> str:
        """The event's type."""
        return str(self.event["type"])

    @property
    def data(self) -> Mapping[str, Any]:
        """The event's data."""
        data: Mapping[str, Any] = self.event["data"]
        return data


def opened(before: Condition | None, family: Family, told: Told, now: datetime) -> Condition:
    """What was there (None: nothing, or it is forgotten) and an event that opens or moves it in, the condition out."""
    data = told.data
    resource = data.get("resource") or {}
    key = str(data["key"])
    recent = [one for one in (before.openings if before else ()) if now - one <= FLAP_WINDOW]
    fresh = Condition(
        id=condition_id(key, family.name),
        key=key,
        family=family.name,
        type=told.type,
        source=data.get("source"),
        provider=data.get("provider"),
        kind=resource.get("kind"),
        title=str(resource.get("title") or key),
        severity=default_severity(told.type),
        revision=(before.revision if before else 0) + 1,
        opened_at=now,
        changed_at=now,
        worse_at=now,
        event=told.id,
        at=told.at,
        body=msgspec.Raw(told.body),
        openings=(*recent[1 - _OPENINGS :], now),
        places=before.places if before else (),
    )
    return fresh if before is None or before.ended else _moved(before, fresh, family, told)


def _moved(before: Condition, fresh: Condition, family: Family, told: Told) -> Condition:
    """A condition that is open already, after another event about it."""
    worse = is_worse(before, family, told)
    changed = before.type != fresh.type
    former = tuple(one for one in (*before.former, before.type) if one != fresh.type) if changed else before.former
    kept = before.snooze if before.snooze and before.snooze.until and not worse else None
    return msgspec.structs.replace(
        fresh,
        former=former,
        opened_at=before.opened_at,
        worse_at=fresh.worse_at if worse else before.worse_at,
        openings=before.openings,
        acknowledgement=None if worse else before.acknowledgement,
        snooze=kept,
        taken_back=None if worse else before.taken_back,
    )


def is_worse(before: Condition, family: Family, told: Told) -> bool:
    """Whether an event makes an open condition worse: graver, a tighter rung, an earlier date, failed once more."""
    step = grade(family, told.type) - grade(family, before.type)
    if step or rank(default_severity(told.type)) != rank(before.severity):
        return step > 0 or rank(default_severity(told.type)) > rank(before.severity)
    if family.again:
        return True
    was: Mapping[str, Any] = msgspec.json.decode(before.body)["data"]
    return _tighter(_countdown(was), _countdown(told.data))


def _countdown(data: Mapping[str, Any]) -> tuple[str, float] | None:
    """The end that an event counts down to, and what is left until then; None where it counts nothing down."""
    deadline, details = data.get("deadline") or {}, data.get("details") or {}
    end = deadline.get("date") or deadline.get("at") or details.get("expires_at")
    left = next(
        (one[name] for one in (deadline, details) for name in ("days_left", "seconds_left") if name in one), None
    )
    return (str(end), float(left)) if end is not None and left is not None else None


def _tighter(was: tuple[str, float] | None, now: tuple[str, float] | None) -> bool:
    if was is None or now is None:
        return False
    return now[0] < was[0] or (now[0] == was[0] and now[1] < was[1])


def ended(before: Condition, by: str, now: datetime, *, event: str | None = None, expired: bool = False) -> Condition:
    """An open condition in, the same when it is over out: `by` says why, `event` is the one that tells it.

    Who had it or put it off stays, for whoever is told that it is over.
    """
    return msgspec.structs.replace(
        before,
        revision=before.revision + 1,
        changed_at=now,
        ended_at=now,
        ended_by=by,
        ended_event=event,
        expired=expired,
    )


def acknowledged(before: Condition, by: str, comment: str, now: datetime) -> Condition:
    """An open condition in, the same when somebody has it out; the first to say so stays."""
    if before.ended or before.acknowledgement:
        return before
    mark = Acknowledgement(by=by, at=now, revision=before.revision, comment=comment)
    return msgspec.structs.replace(before, acknowledgement=mark, taken_back=None)


def snoozed(before: Condition, by: str, comment: str, until: datetime | None, now: datetime) -> Condition:
    """An open condition in, the same put off until then, or (None) until it changes, out; the last word counts."""
    if before.ended:
        return before
    mark = Snooze(by=by, at=now, event=before.event, until=until, comment=comment)
    return msgspec.structs.replace(before, snooze=mark, taken_back=None)


def reopened(before: Condition, by: str, comment: str, now: datetime) -> Condition:
    """An open condition in, the same when nobody has it and it is not put off out; `by` says who took that back."""
    if before.acknowledgement is None and before.snooze is None:
        return before
    mark = TakenBack(by=by, at=now, comment=comment)
    return msgspec.structs.replace(before, acknowledgement=None, snooze=None, taken_back=mark)


def times(condition: Condition, now: datetime) -> int:
    """How often it opened within the flap window, its present or last opening included."""
    return max(1, sum(now - one <= FLAP_WINDOW for one in condition.openings))


def calm_at(condition: Condition, now: datetime) -> datetime | None:
    """When a condition that flaps may count as calm, None when it does not flap."""
    if times(condition, now) < FLAP_AT:
        return None
    return max(condition.opened_at, condition.ended_at or condition.opened_at) + CALM
