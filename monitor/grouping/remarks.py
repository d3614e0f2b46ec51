"""What people did about a condition since its target heard of it last: had it, put it off, silenced it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.conditions.condition import Condition, Status
from monitor.grouping.book import Heard, Told
from monitor.grouping.message import Act, Remark
from monitor.silences import Silence


def remarks(
    condition: Condition, before: Told, status: Status, silence: Silence | None, *, hushed: bool
) -> tuple[Remark, ...]:
    """An open condition and what its target knows of it in; what is to be told out.

    `silence` is the one that keeps it quiet, `hushed` says that something does.
    """
    if not before.knows:
        return ()
    was = before.heard if before.heard is not None else _unnoted(condition, before, status, silence)
    return (*_over(condition, before, was, status, hushed=hushed), *_done(condition, was, status, silence))


def heard(condition: Condition, before: Told, status: Status, silence: Silence | None, *, hushed: bool) -> Heard:
    """What the target has heard once it was told, as `remarks`."""
    taken, snooze = condition.acknowledgement, condition.snooze
    # An interval comes before silences: while one lasts, the silence of before may or may not be over.
    silences = silence.id if silence else before.heard.silence if hushed and before.heard else ""
    return Heard(
        acknowledged_at=taken.at if taken else None,
        snoozed_at=snooze.at if snooze and status is Status.SNOOZED else None,
        silence=silences,
    )


def _over(condition: Condition, before: Told, was: Heard, status: Status, *, hushed: bool) -> Iterator[Remark]:
    """What does not count any more; that it got worse ends everybody's word, and is told as that."""
    taken, snooze, back = condition.acknowledgement, condition.snooze, condition.taken_back
    if before.worse_at is None or condition.worse_at > before.worse_at:
        return
    if back is not None and ((was.acknowledged_at and not taken) or (was.snoozed_at and not snooze)):
        yield Remark(Act.TAKEN_BACK, back.by, back.at, comment=back.comment)
    elif was.snoozed_at and status is not Status.SNOOZED:
        yield Remark(Act.SNOOZE_OVER, snooze.by if snooze else "")
    elif before.hushed and not hushed and status is Status.OPEN:
        yield Remark(Act.QUIET_OVER)


def _done(condition: Condition, was: Heard, status: Status, silence: Silence | None) -> Iterator[Remark]:
    """What counts now and did not before."""
    taken, snooze = condition.acknowledgement, condition.snooze
    if taken and taken.at != was.acknowledged_at:
        yield Remark(Act.ACKNOWLEDGED, taken.by, taken.at, comment=taken.comment)
    if snooze and status is Status.SNOOZED and snooze.at != was.snoozed_at:
        yield Remark(Act.SNOOZED, snooze.by, snooze.at, snooze.until, snooze.comment)
    if silence and silence.id != was.silence:
        yield Remark(Act.SILENCED, silence.by, silence.created_at, silence.ends_at, silence.comment)


def _unnoted(condition: Condition, before: Told, status: Status, silence: Silence | None) -> Heard:
    """What an earlier version told without noting it: what is so, if that was so; else that it was, whenever."""
    if status is before.status:
        return heard(condition, before, status, silence, hushed=True)
    return Heard(
        acknowledged_at=before.opened_at if before.status is Status.ACKNOWLEDGED else None,
        snoozed_at=before.opened_at if before.status is Status.SNOOZED else None,
    )
