"""What is known now: every resource of the given sources, with the deadlines that are still to be told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import msgspec

from monitor.deadlines import next_due, rules_of, rungs_of
from monitor.diff import same_state
from monitor.ladders import Clockwork, is_given
from monitor.moments import stamp
from monitor.resources import Known, pick
from monitor.status.watched import Watched
from monitor.store.items import Items
from monitor.stuck import event_type, stays
from monitor.vocabulary import Kind

_CHUNK = 100


class DeadlineView(msgspec.Struct, frozen=True):
    """A deadline that is alive: event type, field and value, which rung is next and when.

    Both are None when all are told, or when the value is no date. A rule of `stuck` has the field `state`.
    """

    type: str
    field: str
    value: Any
    next: str | None
    due: str | None


class ResourceView(msgspec.Struct, frozen=True):
    """One resource as it is known; `since` is when its state was first seen, `parent` a key."""

    key: str
    provider: str
    source: str
    kind: str
    id: str
    parent: str | None
    title: str
    state: str | None
    since: str
    revision: int
    fields: dict[str, Any]
    deadlines: list[DeadlineView]


async def resources(
    items: Items, watched: Iterable[Watched], *, kind: str | None = None, state: str | None = None
) -> AsyncIterator[ResourceView]:
    """Every resource that is there, by source and item id; `state` in any case, `-` for none. Memory holds ids only."""
    for source in watched:
        ids = sorted({id async for id in items.ids(source.name)}, key=order)
        async for _, _, known in known_of(items, source, ids):
            if fits(known, kind, state):
                yield resource_view(source, known)


async def known_of(items: Items, source: Watched, ids: Sequence[str]) -> AsyncIterator[tuple[str, str, Known]]:
    """Item ids in, their resources that are there out: item id, ref and what is known; a few documents at a time."""
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        for item, document in zip(chunk, await items.documents(source.name, chunk), strict=True):
            for ref, known in sorted(document.known.items()) if document else ():
                if not known.gone:
                    yield item, ref, known


def order(item: str) -> tuple[int, str]:
    """How items of a source are ordered: 9 before 10."""
    return len(item), item


async def known_resource(items: Items, source: Watched, ref: str) -> Known | None:
    """A resource by `kind/id`, also when it is gone.

    An item is named by its id or by its kind and id. What lies inside one is noted with it (`monitor.store.inside`).
    Only kinds that come and go with another lie so, hence an unknown key of any other costs nothing.
    """
    name, _, id = ref.partition("/")
    for document in await items.documents(source.name, [id, ref]):
        if document and ref in document.known:
            return document.known[ref]
    kind = source.provider.vocabulary.kinds.get(name)
    if kind is None or kind.child_of is None:
        return None
    document = await items.holding(source.name, ref)
    return document.known[ref] if document is not None else None


def resource_view(source: Watched, known: Known) -> ResourceView:
    """What is stored of a resource in, what people see of it out."""
    resource, vocabulary = known.resource, source.provider.vocabulary
    return ResourceView(
        key=f"{source.name}/{resource.ref}",
        provider=vocabulary.provider,
        source=source.name,
        kind=resource.kind,
        id=resource.id,
        parent=f"{source.name}/{resource.parent}" if resource.parent else None,
        title=resource.title,
        state=resource.state,
        since=known.since,
        revision=known.revision,
        fields=resource.fields,
        deadlines=_deadlines(
            known,
            f"{vocabulary.provider}.{resource.kind}",
            vocabulary.kinds.get(resource.kind),
            source.clockwork,
        ),
    )


def _deadlines(known: Known, type_: str, kind: Kind | None, clockwork: Clockwork) -> list[DeadlineView]:
    found = []
    for rule in rules_of(known, kind):
        value = pick(known.resource.fields, rule.field)
        due = next_due(known, rule, clockwork)
        rung = next((one.name for one in rungs_of(known, rule, clockwork) if one.due == due and not one.silent), None)
        if is_given(value):
            found.append(DeadlineView(rule.type, rule.field, value, rung, stamp(due) if due and rung else None))
    stuck = stays(known, type_, clockwork.stuck)[:1]
    return found + [DeadlineView(event_type(type_), "state", one.rule.state, one.rung, stamp(one.due)) for one in stuck]


def fits(known: Known, kind: str | None, state: str | None) -> bool:
    """Whether a resource is of this kind and in this state, None for any."""
    resource = known.resource
    if kind is not None and resource.kind != kind:
        return False
    return state is None or (same_state(resource.state) or "-").casefold() == (same_state(state) or "-").casefold()
