"""What is known now: every resource of the given sources, with the deadlines that are still to be told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec

from monitor.deadlines import Clockwork, ladder, next_due, rules_of
from monitor.diff import same_state
from monitor.moments import stamp
from monitor.resources import Known, pick
from monitor.status.watched import Watched
from monitor.store.items import Items
from monitor.vocabulary import Kind

_CHUNK = 200


class DeadlineView(msgspec.Struct, frozen=True):
    """A deadline that is alive: event type, field and value, which rung is next and when (None: all are told)."""

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


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a resource stands in the list of all; sources stand by name."""

    source: str
    item: str
    ref: str


async def resources(
    items: Items, watched: Iterable[Watched], *, kind: str | None = None, state: str | None = None
) -> AsyncIterator[ResourceView]:
    """Every resource that is there, by source and item id; `state` in any case, `-` for none. Memory holds ids only."""
    async for _, view in resources_from(items, watched, None, kind=kind, state=state):
        yield view


async def resources_from(
    items: Items,
    watched: Iterable[Watched],
    after: Place | None,
    *,
    kind: str | None = None,
    state: str | None = None,
) -> AsyncIterator[tuple[Place, ResourceView]]:
    """As `resources`, each with its place; those after a place only, which need not be there any more."""
    for source in watched:
        if after is not None and source.name < after.source:
            continue
        begin = after if after is not None and source.name == after.source else None
        least = _order(begin.item) if begin else (0, "")
        ids = sorted({id async for id in items.ids(source.name) if _order(id) >= least}, key=_order)
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            for item, document in zip(chunk, await items.documents(source.name, chunk), strict=True):
                for ref, known in sorted(document.known.items()) if document else ():
                    passed = begin is not None and item == begin.item and ref <= begin.ref
                    if not known.gone and not passed and _fits(known, kind, state):
                        yield Place(source.name, item, ref), resource_view(source, known)


def _order(item: str) -> tuple[int, str]:
    return len(item), item


async def known_resource(items: Items, source: Watched, ref: str) -> Known | None:
    """A resource by `kind/id`, also when it is gone; what lies inside an item is looked for in all of them."""
    id = ref.partition("/")[2]
    for document in await items.documents(source.name, [id]):
        if document and ref in document.known:
            return document.known[ref]
    async for _, document in items.all_documents(source.name):
        if ref in document.known:
            return document.known[ref]
    return None


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
        deadlines=_deadlines(known, vocabulary.kinds.get(resource.kind), source.clockwork),
    )


def _deadlines(known: Known, kind: Kind | None, clockwork: Clockwork) -> list[DeadlineView]:
    found = []
    for rule in rules_of(known, kind):
        value = pick(known.resource.fields, rule.field)
        rungs = ladder(rule, value, clockwork)
        due = next_due(known, rule, clockwork)
        rung = next((one.name for one in rungs if one.due == due), None)
        if rungs:
            found.append(DeadlineView(rule.type, rule.field, value, rung, stamp(due) if due else None))
    return found


def _fits(known: Known, kind: str | None, state: str | None) -> bool:
    resource = known.resource
    if kind is not None and resource.kind != kind:
        return False
    return state is None or (same_state(resource.state) or "-").casefold() == (same_state(state) or "-").casefold()
