"""What a group says when it is looked at, why, and when to look again. Pure: everything known in, a plan out.

As in Alertmanager a message holds the whole group, not the news alone; reminders come on ticks of the group only.
https://prometheus.io/docs/alerting/latest/configuration/#route
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec

from monitor.conditions.condition import Condition, Place, Status
from monitor.conditions.families import MERELY_ENDS
from monitor.grouping.book import Book, Told, tick
from monitor.grouping.look import Hush, Look, Stance, look
from monitor.grouping.message import Member, News, Reason
from monitor.routing.severity import rank

PING_LEAST, PING_MOST = 60.0, 300.0
"""Seconds between two escalations of a group: its `group_interval`, but within these."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event that waits in the lane: its delivery, its id and type, the condition it is about, what keeps it quiet.

    `about` is the id of the condition that it opens, moves or ends here; `moves`: it opens or moves it, and is no news
    without it. `quiet` counts only for occurrences: conditions are asked themselves.
    """

    delivery: str
    event: str
    type: str
    about: str | None = None
    moves: bool = False
    quiet: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with a group now.

    `reason` None sends nothing. `tell` and `drop` are deliveries of the message and those that are not sent, with why.
    `sent` is the book once the message arrived, `unsent` while it did not. `next_at` is when to look again after
    it arrived or nothing was to be sent, None when only news brings that. `gone` are conditions done with here.
    """

    reason: Reason | None
    members: tuple[Member, ...] = ()
    tell: tuple[str, ...] = ()
    drop: Mapping[str, str] = field(default_factory=dict)
    sent: Book = field(default_factory=Book)
    unsent: Book = field(default_factory=Book)
    next_at: datetime | None = None
    gone: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[str, ...]:
        """The conditions that the message shows as not over."""
        return tuple(one.condition.id for one in self.members if not one.over)


def plan(
    book: Book,
    standing: Sequence[tuple[Condition, Place]],
    arrivals: Sequence[Arrival],
    stance: Stance,
    hush: Hush,
    now: datetime,
) -> Plan:
    """A group's book, its conditions with their places here, and what waits for it in; the plan out."""
    if book.pinged_at is not None and not stance.once:
        gap = timedelta(seconds=min(max(stance.interval, PING_LEAST), PING_MOST))
        stance = replace(stance, escalates_from=book.pinged_at + gap)
    looks = {
        condition.id: look(condition, place, book.told.get(condition.id), stance, hush, now)
        for condition, place in standing
    }
    found = list(looks.values())
    tell, drop = _sorted_out(arrivals, looks)
    occurred = [one for one in arrivals if one.delivery in tell and one.about is None]
    owed = _owed(book, found, now)
    reason = _reason(book, found, occurred=bool(occurred), owed=owed)
    if reason is None:
        drop |= dict.fromkeys(tell, "nothing new: it was told already")
        tell = []
    told = {id: one.told for id, one in looks.items() if one.told is not None}
    unsent = {id: one.unsent for id, one in looks.items() if one.unsent is not None}
    kept = _kept(book, unsent) if reason is not None else _at_rest(_kept(book, unsent))
    pinged = reason is Reason.ESCALATION
    after = _after(book, told, stance, now, pinged=pinged) if reason is not None else kept
    gone = tuple(id for id, one in looks.items() if (one.told if reason is not None else one.unsent) is None)
    members = sorted((one.member for one in found if one.member is not None), key=_order)
    return Plan(
        reason=reason,
        members=tuple(members),
        tell=tuple(tell),
        drop=drop,
        sent=after,
        unsent=kept,
        next_at=_next(after, found, now),
        gone=gone,
    )


def _sorted_out(arrivals: Sequence[Arrival], looks: Mapping[str, Look]) -> tuple[list[str], dict[str, str]]:
    """Which of the events that wait are told, and why the others are not."""
    tell: list[str] = []
    drop: dict[str, str] = {}
    for one in arrivals:
        found = looks.get(one.about) if one.about else None
        if one.about is None:
            reason = one.quiet
        elif found is None:
            reason = "it is over here"
        elif one.moves or one.type in MERELY_ENDS:
            reason = found.quiet if not found.speaks else None
        else:
            reason = None
        if reason is None:
            tell.append(one.delivery)
        else:
            drop[one.delivery] = reason
    return tell, drop


def _reason(book: Book, looks: Sequence[Look], *, occurred: bool, owed: bool) -> Reason | None:
    """The weightiest reason to send, None when there is none."""
    speaking = [one.member for one in looks if one.speaks and one.member is not None]
    news = {member.news for member in speaking}
    known = any(told.knows for told in book.told.values())
    left = any(one.member is not None and not one.member.over for one in looks)
    weighed = (
        (any(member.escalated for member in speaking), Reason.ESCALATION),
        (any(one.back for one in looks if one.speaks), Reason.SILENCE_ENDED),
        (News.NEW in news and not known, Reason.FIRST),
        (News.WORSE in news, Reason.WORSE),
        (bool(news & {News.NEW, News.CHANGED}) or any(one.speaks and one.calmed for one in looks), Reason.CHANGED),
        (News.ENDED in news, Reason.SOME_RESOLVED if left else Reason.ALL_RESOLVED),
        (occurred, Reason.OCCURRED),
        (News.ATTENDED in news, Reason.ACKNOWLEDGED),
        (owed, Reason.REPEAT),
    )
    return next((reason for holds, reason in weighed if holds), None)


def _owed(book: Book, looks: Sequence[Look], now: datetime) -> bool:
    """Whether open conditions are to be told again: what nobody has seen to, or all, for a forgetful receiver."""
    if book.repeat_at is not None and now >= book.repeat_at and any(_reminds(one.member) for one in looks):
        return True
    return book.refresh_at is not None and now >= book.refresh_at and any(_stands(one.member) for one in looks)


def _reminds(member: Member | None) -> bool:
    return member is not None and member.status is Status.OPEN and not member.silenced_by and not member.held


def _stands(member: Member | None) -> bool:
    return member is not None and not member.over and not member.silenced_by


def _after(book: Book, told: dict[str, Told], stance: Stance, now: datetime, *, pinged: bool) -> Book:
    """The book once a message has arrived; `pinged`: it was an escalation."""
    opens = any(one.knows for one in told.values())
    began = book.began_at or book.tried_at or now
    repeat = tick(began, stance.interval, now + timedelta(seconds=stance.repeat)) if stance.repeat else None
    return Book(
        told=told,
        began_at=began if opens else None,
        sent_at=now,
        repeat_at=repeat if opens else None,
        refresh_at=now + timedelta(seconds=stance.refresh) if stance.refresh and opens else None,
        number=book.number + 1 if opens else 0,
        pinged_at=now if pinged else book.pinged_at,
        memory=book.memory,
    )


def _at_rest(book: Book) -> Book:
    """The book when there is nothing to say: no message is tried any more, though one may have arrived in part."""
    return msgspec.structs.replace(book, tried_at=book.tried_at if book.in_doubt else None, tries=0, owed="")


def _kept(book: Book, told: dict[str, Told]) -> Book:
    """The book when nothing was sent."""
    if any(one.knows for one in told.values()):
        return msgspec.structs.replace(book, told=told)
    return msgspec.structs.replace(book, told=told, began_at=None, repeat_at=None, refresh_at=None, number=0)


def _next(book: Book, looks: Sequence[Look], now: datetime) -> datetime | None:
    """When to look again of itself: a reminder, the end of a silence, a calm, an escalation."""
    moments = [one.again for one in looks if one.again is not None]
    if book.repeat_at is not None and any(_reminds(one.member) for one in looks):
        moments.append(book.repeat_at)
    if book.refresh_at is not None and any(_stands(one.member) for one in looks):
        moments.append(book.refresh_at)
    return max(min(moments), now) if moments else None


def _order(member: Member) -> tuple[bool, int, datetime]:
    """Open before over, the gravest first, the oldest of those first."""
    return member.over, -rank(member.severity), member.condition.opened_at
