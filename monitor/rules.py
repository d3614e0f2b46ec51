"""Which differences become events, and what they are called. Pure: an item's diff in, its new document and events out.

A difference that makes no event leaves a named reason (`Silent`), so that nothing disappears unexplained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec

from monitor.diff import Change, ItemDiff, same_state
from monitor.events import Event, event_id, sequence_text, state_name
from monitor.ladders import Clockwork
from monitor.moments import stamp
from monitor.resources import Document, FieldChange, Known, Resource
from monitor.sights import first_sight, later_sight
from monitor.vocabulary import Kind, Vocabulary


@dataclass(frozen=True)
class Setting:
    """What the rules must know of the scan: source, vocabulary, clockwork, now, and when it was last seen complete.

    `baseline` is the first look at a source: everything is stored and nothing is told. `widened` is the first
    look at it with options that may show more: items that it shows for the first time are stored in silence.
    `discard` is an operator's word that removals are to be forgotten in silence.
    """

    source: str
    vocabulary: Vocabulary
    clockwork: Clockwork
    now: datetime
    last_seen_before: str | None = None
    baseline: bool = False
    widened: bool = False
    discard: bool = False

    @cached_property
    def at(self) -> str:
        """The moment as it is written in documents and events."""
        return stamp(self.now)

    def kind(self, name: str) -> Kind | None:
        """The declaration of a kind, None when the provider declares none."""
        return self.vocabulary.kinds.get(name)

    def type_of(self, kind: str) -> str:
        """`worklayer.job`: what the event types of a kind begin with."""
        return f"{self.vocabulary.provider}.{kind}"


class Silent(msgspec.Struct, frozen=True):
    """A difference that made no event, and why."""

    ref: str
    reason: str


class Revision(msgspec.Struct, frozen=True):
    """One line of a resource's history: written with the event it belongs to."""

    ref: str
    revision: int
    event: Event


class Judgement(msgspec.Struct, frozen=True):
    """What an item has become: its document, the events to send, what stayed silent, and states nobody documented."""

    document: Document
    revisions: tuple[Revision, ...] = ()
    silent: tuple[Silent, ...] = ()
    unknown_states: tuple[tuple[str, str], ...] = ()

    @property
    def events(self) -> tuple[Event, ...]:
        """The events, in the order they must be sent."""
        return tuple(revision.event for revision in self.revisions)


@dataclass(slots=True)
class Book:
    """The item while it is judged: resources by ref, and what has been decided so far."""

    setting: Setting
    known: dict[str, Known]
    revisions: list[Revision] = field(default_factory=list)
    silent: list[Silent] = field(default_factory=list)

    def tell(self, ref: str, what: str, *, dated: bool = True, **details: Any) -> None:
        """Write one event about a resource; its sequence grows by one. `dated`: the provider's stamp is its time."""
        known = self.known[ref]
        known = self.known[ref] = msgspec.structs.replace(known, sequence=known.sequence + 1)
        undated = msgspec.structs.replace(known, resource=msgspec.structs.replace(known.resource, stamp=None))
        event = _event(self.setting, known if dated else undated, what, **details)
        self.revisions.append(Revision(ref, known.revision, event))


def judge(document: Document | None, diff: ItemDiff, setting: Setting) -> Judgement:
    """What is known of an item and how it differs in; its new document and its events out."""
    book = Book(setting, dict(document.known) if document else {})
    for resource in diff.unchanged:
        book.known[resource.ref] = _seen_again(book.known[resource.ref], resource, setting)
    arrived = {change.ref for change in diff.changes if change.what in ("created", "restored")}
    for change in diff.changes:
        book.known[change.ref] = _advance(change, setting)
    for change in diff.changes:
        _judge_change(book, change, arrived)
    return Judgement(Document(book.known), tuple(book.revisions), tuple(book.silent), _unknown_states(diff, setting))


def judge_removal(document: Document, refs: Sequence[str], setting: Setting) -> Judgement:
    """A document and the refs that are gone for certain in; the document with them marked and the events out.

    What goes with its parent is listed in the parent's event and has none of its own.
    """
    book = Book(setting, dict(document.known))
    going = [ref for ref in refs if ref in book.known and not book.known[ref].gone]
    parents = {ref for ref in going if book.known[ref].resource.parent is None}
    leaving = {ref: [related_of(setting, one) for one in _children(book, ref)] for ref in parents}
    for ref in [*going, *(ref for ref in book.known if ref not in going)]:
        known = book.known[ref]
        with_parent = known.resource.parent in parents
        if known.gone or (ref not in going and not with_parent):
            continue
        before = same_state(known.resource.state)
        gone = msgspec.structs.replace(known.resource, state=None)
        book.known[ref] = msgspec.structs.replace(
            known, resource=gone, revision=known.revision + 1, gone=True, since=setting.at
        )
        if with_parent:
            book.silent.append(Silent(ref, f"removed with its {known.resource.parent}"))
        elif setting.discard:
            book.silent.append(Silent(ref, "removal discarded by an operator"))
        else:
            state = {"before": before, "after": None}
            book.tell(ref, "removed", state=state, related=leaving.get(ref, ()), dated=False)
    return Judgement(Document(book.known), tuple(book.revisions), tuple(book.silent))


def change_name(change: Change, kind: Kind | None) -> str:
    """The last segment of the event type for a change: the new state, a named change, or `updated`."""
    if change.what != "changed":
        return change.what
    if change.state_moved and change.after is not None:
        return state_name(change.after.state)
    for named in kind.named if kind else ():
        if any(one.field in named.fields and named.when(one) for one in change.fields):
            return named.what
    return "updated"


def _advance(change: Change, setting: Setting) -> Known:
    """The resource after this change: one revision on, `since` moved only with the state."""
    now = setting.at
    assert change.after is not None  # noqa: S101 - only `removed` has no after, and diff_item never makes it
    kind, type_ = setting.kind(change.after.kind), setting.type_of(change.after.kind)
    if change.before is None:
        fresh = Known(change.after, revision=1, sequence=0, since=now, first_seen=now)
        return first_sight(fresh, type_, kind, setting.clockwork, setting.now)
    advanced = msgspec.structs.replace(
        change.before,
        resource=change.after,
        revision=change.before.revision + 1,
        since=now if change.state_moved else change.before.since,
        gone=False,
    )
    return later_sight(change.before, advanced, type_, kind, setting.clockwork, setting.now)


def _seen_again(known: Known, resource: Resource, setting: Setting) -> Known:
    """The resource as it is shown now, nothing that counts having changed."""
    kind, type_ = setting.kind(resource.kind), setting.type_of(resource.kind)
    seen = msgspec.structs.replace(known, resource=resource)
    return later_sight(known, seen, type_, kind, setting.clockwork, setting.now)


def _judge_change(book: Book, change: Change, arrived: set[str]) -> None:
    resource, ref = change.after, change.ref
    if resource is None:
        return
    if book.setting.baseline:
        book.silent.append(Silent(ref, "first sight of the source"))
        return
    if book.setting.widened and change.what == "created" and resource.parent is None:
        book.silent.append(Silent(ref, "came into view by a change of the source's options"))
        return
    if ref in arrived and resource.parent in arrived:
        book.silent.append(Silent(ref, f"came with its {resource.parent}"))
        return
    before = change.before.resource.state if change.before and not change.before.gone else None
    related = [related_of(book.setting, one) for one in _children(book, ref)] if ref in arrived else []
    what = change_name(change, book.setting.kind(resource.kind))
    state = {"before": same_state(before), "after": same_state(resource.state)}
    # A stamp that did not move with the change, as many APIs' do not for all fields, says nothing of its time.
    dated = change.before is None or change.before.resource.stamp != resource.stamp
    book.tell(ref, what, state=state, changes=change.fields, related=related, dated=dated)
    if change.what == "created":
        _follow_up(book, resource)


def _follow_up(book: Book, created: Resource) -> None:
    siblings = [one.resource for ref, one in book.known.items() if ref != created.ref and not one.gone]
    for follow_up in book.setting.vocabulary.follow_ups(created, siblings):
        state = same_state(book.known[follow_up.ref].resource.state)
        related = [related_of(book.setting, book.known[ref]) for ref in follow_up.related]
        book.tell(
            follow_up.ref,
            follow_up.what,
            state={"before": state, "after": state},
            related=related,
            rung=",".join(follow_up.related),
        )


def _children(book: Book, ref: str | None) -> list[Known]:
    return [one for one in book.known.values() if ref and one.resource.parent == ref and not one.gone]


def _unknown_states(diff: ItemDiff, setting: Setting) -> tuple[tuple[str, str], ...]:
    found = []
    for change in diff.changes:
        kind = setting.kind(change.after.kind) if change.after else None
        state = same_state(change.after.state) if change.after else None
        if change.after and kind and kind.states and state is not None and state not in kind.states:
            found.append((change.after.kind, state))
    return tuple(found)


def related_of(setting: Setting, known: Known) -> dict[str, Any]:
    """A resource as events about another one list it."""
    resource = known.resource
    return {
        "key": f"{setting.source}/{resource.ref}",
        "kind": resource.kind,
        "id": resource.id,
        "title": resource.title,
        "state": resource.state,
        "fields": resource.fields,
    }


def _event(
    setting: Setting,
    known: Known,
    what: str,
    *,
    state: dict[str, str | None] | None = None,
    changes: Sequence[FieldChange] = (),
    deadline: dict[str, Any] | None = None,
    details: dict[str, Any] | None = None,
    related: Sequence[dict[str, Any]] = (),
    rung: str = "",
) -> Event:
    resource, now = known.resource, setting.at
    type_ = f"{setting.vocabulary.provider}.{resource.kind}.{what}"
    data: dict[str, Any] = {
        "provider": setting.vocabulary.provider,
        "source": setting.source,
        "key": f"{setting.source}/{resource.ref}",
        "resource": {
            "kind": resource.kind,
            "id": resource.id,
            "parent": f"{setting.source}/{resource.parent}" if resource.parent else None,
            "title": resource.title,
            "state": resource.state,
            "url": resource.url,
            "fields": resource.fields,
        },
        "revision": known.revision,
        "state": state,
        "changes": [{"field": one.field, "before": one.before, "after": one.after} for one in changes],
        "deadline": deadline,
        "occurred_at": None if deadline else resource.stamp,
        "last_seen_before": setting.last_seen_before,
        "first_seen_after": now,
    }
    if details:
        data["details"] = details
    if related:
        data["related"] = list(related)
    return Event(
        id=event_id(setting.source, resource.kind, resource.id, known.revision, type_, rung),
        source=f"/sources/{setting.source}",
        type=type_,
        subject=resource.ref,
        time=now,
        sequence=sequence_text(known.sequence),
        data=data,
    )
