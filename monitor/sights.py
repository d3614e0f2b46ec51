"""What clocks must know of each sight of a resource: since when its state and watched fields are as they are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from monitor.deadlines import FORGET_AFTER, passed_over
from monitor.diff import canonical, carry_over, same_state
from monitor.ladders import Clockwork
from monitor.moments import parse_instant, stamp
from monitor.resources import Known, Resource, pick, present
from monitor.stuck import speaking_stays, told_stay
from monitor.vocabulary import Kind


def first_sight(fresh: Known, type_: str, kind: Kind | None, clockwork: Clockwork, now: datetime) -> Known:
    """A resource nobody knew in; the same, with what is long past taken as told, out. `type_` is `worklayer.job`."""
    entered = _witness(None, fresh.resource, now)
    spoken = passed_over(fresh, kind, clockwork, now) if kind and kind.deadlines else fresh.spoken
    known = msgspec.structs.replace(fresh, spoken=spoken, entered=entered)
    for stay in speaking_stays(known, type_, clockwork.stuck, now) if clockwork.stuck else ():
        if now - stay.due > FORGET_AFTER:
            known = msgspec.structs.replace(known, spoken=told_stay(known, stay))
    return known


def later_sight(
    before: Known, known: Known, type_: str, kind: Kind | None, clockwork: Clockwork, now: datetime
) -> Known:
    """A resource as it was known and as it is now in; the same, with what has moved since, out."""
    if before.gone or same_state(before.resource.state) != same_state(known.resource.state):
        known = msgspec.structs.replace(known, entered=_witness(before.resource, known.resource, now))
    paths = watched(type_, kind, clockwork)
    fields = [path for path in paths if _differs(before.resource, known.resource, path)]
    # What an answer leaves out keeps its known value, so that the next one is compared with that.
    resource = carry_over(before.resource, known.resource, paths)
    if resource is not known.resource:
        known = msgspec.structs.replace(known, resource=resource)
    if not fields:
        return known
    at = _witness(before.resource, known.resource, now) or stamp(now)
    return msgspec.structs.replace(known, moved={**known.moved, **dict.fromkeys(fields, at)})


def watched(type_: str, kind: Kind | None, clockwork: Clockwork) -> Sequence[str]:
    """The field paths of a kind whose last change clocks must know, tracked or not."""
    own = [rule.field for rule in kind.deadlines] if kind else []
    if not clockwork.stuck:
        return own
    return [*own, *(path for rule in clockwork.stuck if rule.type == type_ for path in rule.unless_changed)]


def _witness(before: Resource | None, after: Resource, now: datetime) -> str | None:
    """When the provider says that it came to this; None when its stamp did not move along, or lies ahead of us."""
    moment = parse_instant(after.stamp) if before is None or after.stamp != before.stamp else None
    return stamp(moment) if moment is not None and moment <= now else None


def _differs(before: Resource, after: Resource, path: str) -> bool:
    if not present(after.fields, path):
        return False
    old, new = pick(before.fields, path), pick(after.fields, path)
    return old is not new and canonical(old) != canonical(new)
