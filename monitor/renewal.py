"""What follows on a resource that comes to its end: agreed on, on offer, too late or rejected. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

from monitor.moments import parse_date
from monitor.resources import Document, Known, Resource
from monitor.vocabulary import DeadlineRule, Standing

_BEST_FIRST: tuple[Standing, ...] = ("agreed", "pending", "gap", "rejected")
_IN_TIME = frozenset({"agreed", "pending"})


@dataclass(frozen=True, slots=True)
class Renewal:
    """The best of what follows on a resource (None: nothing does), and all of it, that one first."""

    standing: Standing | None = None
    siblings: tuple[Known, ...] = ()

    @property
    def under(self) -> str:
        """The ref of what takes this one's place in time; empty when nothing does."""
        return self.siblings[0].resource.ref if self.standing in _IN_TIME else ""


NONE = Renewal()


def renewal_of(document: Document, known: Known, rule: DeadlineRule) -> Renewal:
    """What is known of an item and one resource of it in, what follows on that one out."""
    if rule.followed_by is None or known.resource.parent is None:
        return NONE
    found = [
        (standing, one)
        for one in document.known.values()
        if one.resource.parent == known.resource.parent and not one.gone and one.resource.id != known.resource.id
        if (standing := rule.followed_by(known.resource, one.resource)) is not None
    ]
    if not found:
        return NONE
    found.sort(key=lambda pair: (_BEST_FIRST.index(pair[0]), pair[1].resource.ref))
    return Renewal(found[0][0], tuple(one for _, one in found))


def succession(
    start: str, end: str, *, agreed: Collection[str], over: Collection[str], refused: Collection[str]
) -> Callable[[Resource, Resource], Standing | None]:
    """The date fields in which a term starts and ends, and the states in which the next one is agreed on, over or
    refused in; how that one follows on this out.

    It is in time when it starts by the day after this one ends. A `pending` one follows whatever its dates are, any
    other only when it starts later than this one did.
    """

    def standing(current: Resource, other: Resource) -> Standing | None:
        ends, begins = parse_date(current.fields.get(end)), parse_date(other.fields.get(start))
        began = parse_date(current.fields.get(start))
        later = begins is not None and began is not None and begins > began
        if other.kind != current.kind or not (other.role == "pending" or later) or current.role == "pending":
            return None
        if other.state in over:
            return None
        if other.state in refused:
            return "rejected"
        if begins is None or ends is None or begins - ends > timedelta(days=1):
            return "gap"
        return "agreed" if other.state in agreed else "pending"

    return standing
