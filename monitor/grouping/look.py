"""One condition of a group against what a target was told of it: is there news? Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec

from monitor.conditions.condition import Condition, Place, Status
from monitor.conditions.life import calm_at, times
from monitor.grouping.book import Heard, Told
from monitor.grouping.message import Member, News, Remark
from monitor.grouping.remarks import heard, remarks
from monitor.silences import Silence

OUTLASTED = timedelta(minutes=1)
"""So long after a message was due at the latest its conditions were held back: by a pause, an outage, no worker."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """What keeps a message back, for people (`silence sil_...`), and until when; None where that is not known.

    `silence` is the one that does, None where it is something else.
    """

    by: str
    until: datetime | None = None
    silence: Silence | None = None


Hush: TypeAlias = Callable[[Condition, Place], Quiet | None]
"""What keeps an open condition quiet at this place now; None where nothing does."""


@dataclass(frozen=True, slots=True)
class Stance:
    """How a target and its route want to be told: see `monitor.targets.base` and the options of routes.

    `escalate_after` is after how many seconds it hears of what nobody saw to, `escalation_only` of nothing else;
    `escalates_from` is before when it hears of none, because it heard of one just now.
    `wait` and `interval` are seconds that a group takes before it speaks and between two messages.
    `once`: what it was told is done with, events of its own tell it the rest. `attends`: it hears that conditions were
    seen to; `narrates`: it tells each word that people say of them. `one_alert`: see `monitor.targets.base.OneAlert`.
    """

    target: str
    send_resolved: bool = True
    attends: bool = False
    narrates: bool = False
    refresh: float | None = None
    repeat: float | None = None
    wait: float = 0.0
    interval: float = 10.0
    escalate_after: float | None = None
    escalates_from: datetime | None = None
    escalation_only: bool = False
    once: bool = False
    one_alert: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at one condition finds.

    `member` is how a message shows it (None: not at all), `speaks` whether there is news that is worth a message,
    `back` that a silence or the like has ended, `calmed` that it flaps no more. `told` is what to note once the
    message is sent, None: nothing more, the condition is done with here. `unsent` is what to note when it is not.
    `quiet` says why it is not told, `again` when to look again.
    """

    member: Member | None
    speaks: bool
    told: Told | None
    unsent: Told | None
    back: bool = False
    calmed: bool = False
    quiet: str | None = None
    again: datetime | None = None


def look(condition: Condition, place: Place, told: Told | None, stance: Stance, hush: Hush, now: datetime) -> Look:
    """A condition at its place and what its target knows of it in; what is to be said and noted out."""
    found = _look(condition, place, told or Told(), stance, hush, now)
    return replace(found, told=None) if stance.once and found.speaks else found


def _look(condition: Condition, place: Place, before: Told, stance: Stance, hush: Hush, now: datetime) -> Look:
    if condition.ended or place.left:
        return _over(condition, place, before, stance, hush, now)
    if stance.escalation_only and not _escalated(condition, before):
        return _waiting(condition, place, before, stance, hush, now)
    quiet = hush(condition, place)
    if quiet is not None or condition.status(now) is Status.SNOOZED:
        return _hushed(condition, place, before, stance, quiet, now)
    calm = calm_at(condition, now)
    if calm is not None and before.held and now < calm:
        return _held(condition, place, before, stance, now, calm)
    return _open(condition, place, before, stance, now, calm)


def _held(condition: Condition, place: Place, before: Told, stance: Stance, now: datetime, calm: datetime) -> Look:
    """It comes and goes: only what people say of it is told before it is calm."""
    status = condition.status(now)
    said = remarks(condition, before, status, None, hushed=False) if stance.narrates else ()
    news = News.ATTENDED if said else News.SAME
    member = _member(condition, place, news, now, held=True, said=said) if before.knows else None
    note = msgspec.structs.replace(before, status=status, heard=_heard(condition, before, stance, status))
    return Look(member, bool(said), note if said else before, before, again=calm)


def _open(
    condition: Condition, place: Place, before: Told, stance: Stance, now: datetime, calm: datetime | None
) -> Look:
    status = condition.status(now)
    said = remarks(condition, before, status, None, hushed=False) if stance.narrates else ()
    news = _news(condition, before, status)
    news = News.ATTENDED if news is News.SAME and said else news
    calmed = before.held and (calm is None or now >= calm)
    held = calm is not None and now < calm
    due = _escalation_due(condition, before, stance) if status is Status.OPEN else None
    escalated = due is not None and now >= due and before.knows
    back = before.hushed and status is Status.OPEN
    speaks = news in (News.NEW, News.WORSE, News.CHANGED) or back or escalated or calmed
    speaks = speaks or (news is News.ATTENDED and stance.attends)
    note = Told(
        opened_at=condition.opened_at,
        worse_at=condition.worse_at,
        revision=condition.revision,
        status=status,
        held=held,
        escalated_at=now if escalated else before.escalated_at,
        heard=_heard(condition, before, stance, status),
    )
    if news is News.ATTENDED and not stance.attends:
        before = msgspec.structs.replace(before, status=status)
    member = _member(condition, place, news, now, held=held, escalated=escalated, said=said)
    again = [one for one in (calm if held else None, due if not escalated else None) if one is not None]
    return Look(member, speaks, note, before, back=back, calmed=calmed, again=min(again, default=None))


def _news(condition: Condition, before: Told, status: Status) -> News:
    if not before.knows:
        return News.NEW
    if before.worse_at is None or condition.worse_at > before.worse_at:
        return News.WORSE
    if condition.revision != before.revision:
        return News.CHANGED
    return News.SAME if status is before.status else News.ATTENDED


def _over(condition: Condition, place: Place, before: Told, stance: Stance, hush: Hush, now: datetime) -> Look:
    """Over: told where the target believes it open, or may, whatever keeps it quiet, or should have; else never."""
    if not (before.knows or before.perhaps or _missed(condition, place, before, stance, hush)):
        return Look(None, speaks=False, told=None, unsent=None, quiet="over before it was told")
    if stance.one_alert and not condition.ended and _stands_elsewhere(condition, stance.target):
        return Look(None, speaks=False, told=before, unsent=before, quiet="another group tells it")
    calm = calm_at(condition, now)
    if calm is not None and before.held and now < calm:
        return Look(_member(condition, place, News.SAME, now, held=True), False, before, before, again=calm)
    member = _member(condition, place, News.ENDED, now)
    if not stance.send_resolved:
        return Look(None, speaks=False, told=None, unsent=None, quiet="send_resolved is off")
    return Look(member, speaks=True, told=None, unsent=before)


def _missed(condition: Condition, place: Place, before: Told, stance: Stance, hush: Hush) -> bool:
    """Whether people should have been told that it was open, and were not: it was so for longer than a message waits.

    Not where nothing would have been said: it was kept quiet or put off, or only its escalation is told here. Nor where
    a receiver keeps alerts of its own, which has nothing to close.
    """
    if condition.ended_at is None or stance.once or stance.one_alert or stance.refresh or stance.escalation_only:
        return False
    due = condition.opened_at + timedelta(seconds=max(stance.wait, stance.interval))
    if condition.ended_at <= due + OUTLASTED or before.hushed or condition.snooze is not None:
        return False
    return hush(condition, place) is None


def _stands_elsewhere(condition: Condition, target: str) -> bool:
    return any(one.target == target and not one.left for one in condition.places)


def _hushed(
    condition: Condition, place: Place, before: Told, stance: Stance, quiet: Quiet | None, now: datetime
) -> Look:
    """Kept quiet: shown where it was told before, with no news; its return is."""
    status = condition.status(now)
    snooze = condition.snooze.until if condition.snooze and status is Status.SNOOZED else None
    by, silence = (quiet.by, quiet.silence) if quiet else ("snoozed", None)
    said = remarks(condition, before, status, silence, hushed=True) if stance.narrates else ()
    attended = (status is not before.status and stance.attends and before.knows) or bool(said)
    noted = _heard(condition, before, stance, status, silence, hushed=True)
    note = msgspec.structs.replace(before, hushed=True, status=status, heard=noted)
    news = News.ATTENDED if attended else News.SAME
    member = _member(condition, place, news, now, silenced_by=by, said=said) if before.knows else None
    unsent = msgspec.structs.replace(before, hushed=True) if attended else note
    return Look(member, attended, note, unsent, quiet=by, again=quiet.until if quiet else snooze)


def _waiting(condition: Condition, place: Place, before: Told, stance: Stance, hush: Hush, now: datetime) -> Look:
    """A target that is told only of what nobody saw to: is it time?"""
    due = _escalation_due(condition, before, stance)
    quiet = hush(condition, place)
    known = before.knows
    member = _member(condition, place, News.SAME, now) if known else None
    if condition.status(now) is not Status.OPEN or due is None:
        until = condition.snooze.until if condition.snooze else None
        return Look(member, False, before, before, quiet="somebody has it", again=until)
    if quiet is not None or now < due:
        return Look(
            member, False, before, before, quiet=quiet.by if quiet else None, again=quiet.until if quiet else due
        )
    note = Told(
        opened_at=condition.opened_at,
        worse_at=condition.worse_at,
        revision=condition.revision,
        status=Status.OPEN,
        escalated_at=now,
    )
    news = News.WORSE if known else News.NEW
    return Look(_member(condition, place, news, now, escalated=True), True, note, before)


def _escalated(condition: Condition, before: Told) -> bool:
    """Whether what it is now was escalated already."""
    return before.escalated_at is not None and before.escalated_at >= condition.worse_at


def _escalation_due(condition: Condition, before: Told, stance: Stance) -> datetime | None:
    if stance.escalate_after is None or _escalated(condition, before):
        return None
    due = condition.worse_at + timedelta(seconds=stance.escalate_after)
    return max(due, stance.escalates_from or due)


def _heard(
    condition: Condition,
    before: Told,
    stance: Stance,
    status: Status,
    silence: Silence | None = None,
    *,
    hushed: bool = False,
) -> Heard | None:
    """What to note of people's words, None for a target that does not tell them."""
    return heard(condition, before, status, silence, hushed=hushed) if stance.narrates else None


def _member(
    condition: Condition,
    place: Place,
    news: News,
    now: datetime,
    *,
    held: bool = False,
    silenced_by: str | None = None,
    escalated: bool = False,
    said: tuple[Remark, ...] = (),
) -> Member:
    return Member(
        condition=condition,
        status=condition.status(now),
        severity=place.severity,
        news=news,
        times=times(condition, now),
        held=held,
        silenced_by=silenced_by,
        escalated=escalated,
        remarks=said,
    )
