"""What differs between an item as it is known and as a provider shows it now. Pure: values in, changes out.

Only tracked fields count. Key order, the form of numbers, timestamps and Unicode, the order of set-like lists
and null against missing are no difference. A field that the provider left out keeps its known value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Literal, TypeAlias
from unicodedata import normalize

import msgspec

from monitor.moments import parse_instant, stamp
from monitor.resources import Document, FieldChange, Known, Resource, pick, present
from monitor.vocabulary import Kind, Vocabulary

_encode = msgspec.json.Encoder().encode

What: TypeAlias = Literal["created", "changed", "restored", "removed"]


class Change(msgspec.Struct, frozen=True):
    """One resource that differs: what happened, how it was, how it is, and the tracked fields that changed.

    `after` already carries over the tracked fields that the provider left out. For `removed` it is None.
    """

    what: What
    before: Known | None
    after: Resource | None
    fields: tuple[FieldChange, ...] = ()

    @property
    def ref(self) -> str:
        """`kind/id` of the resource."""
        shown = self.after or (self.before.resource if self.before else None)
        return shown.ref if shown else ""

    @property
    def state_moved(self) -> bool:
        """Whether the state is another one than before; a new or returned resource has moved."""
        if self.before is None or self.after is None:
            return True
        return same_state(self.before.resource.state) != same_state(self.after.state)


class ItemDiff(msgspec.Struct, frozen=True):
    """All differences of one item: changes, resources seen as they were known, and refs that are missing."""

    changes: tuple[Change, ...]
    unchanged: tuple[Resource, ...]
    missing: tuple[str, ...]


class Tracking(msgspec.Struct, frozen=True, dict=True):
    """Which fields count in one source: the vocabulary's own, plus `track`, less `ignore` (dotted paths)."""

    vocabulary: Vocabulary
    track: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def paths(self, kind: str) -> tuple[str, ...]:
        """The tracked paths of a kind; `contract.end_date` in track or ignore speaks of that kind alone."""
        found = self._known.get(kind)
        return self._paths(kind) if found is None else found

    @cached_property
    def _known(self) -> Mapping[str, tuple[str, ...]]:
        return {kind: self._paths(kind) for kind in self.vocabulary.kinds}

    def _paths(self, kind: str) -> tuple[str, ...]:
        spec = self.vocabulary.kinds.get(kind)
        ignored = tuple(self._of(kind, self.ignore))
        wanted = (*(spec.tracked if spec else ()), *self._of(kind, self.track))
        return tuple(path for path in dict.fromkeys(wanted) if not any(_within(path, one) for one in ignored))

    def _of(self, kind: str, paths: Sequence[str]) -> Iterator[str]:
        for path in paths:
            first, _, rest = path.partition(".")
            if first not in self.vocabulary.kinds:
                yield path
            elif first == kind and rest:
                yield rest


@lru_cache(maxsize=1024)
def same_state(state: str | None) -> str | None:
    """The state as it is compared: no state, an empty one and `-` are all none."""
    return None if state is None or state.strip() in ("", "-") else state


def canonical(value: Any) -> Any:
    """A JSON value in, the form in which two writings of the same fact are equal out."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, str):
        moment = parse_instant(value) if len(value) > 15 else None
        return stamp(moment) if moment else normalize("NFC", value)
    if isinstance(value, Mapping):
        return {key: canonical(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [canonical(inner) for inner in value]
    return value


def compare(before: Resource, after: Resource, kind: Kind | None, paths: Sequence[str]) -> tuple[FieldChange, ...]:
    """Two sights of one resource in, the tracked fields that differ out; an absent field differs from nothing."""
    shapes = kind.shapes if kind else {}
    changes = []
    for path in paths:
        old, new = pick(before.fields, path), pick(after.fields, path)
        if old is new or not present(after.fields, path):
            continue
        if type(old) is type(new) and _same_writing(old, new):
            continue
        shape = shapes.get(path)
        if canonical(shape(old) if shape else old) != canonical(shape(new) if shape else new):
            changes.append(FieldChange(path, old, new))
    return tuple(changes)


def carry_over(before: Resource, after: Resource, paths: Sequence[str]) -> Resource:
    """The new sight, with the tracked fields that it leaves out taken from the known one."""
    absent = [path for path in paths if not present(after.fields, path) and present(before.fields, path)]
    if not absent:
        return after
    fields = dict(after.fields)
    for path in absent:
        _put(fields, path, pick(before.fields, path))
    return msgspec.structs.replace(after, fields=fields)


def diff_item(document: Document | None, resources: Sequence[Resource], tracking: Tracking) -> ItemDiff:
    """What is known of an item and its resources now in, every difference out; the item's own resource first."""
    known = document.known if document else {}
    changes: list[Change] = []
    unchanged: list[Resource] = []
    for resource in resources:
        before = known.get(resource.ref)
        if before is None:
            changes.append(Change("created", None, resource))
            continue
        paths = tracking.paths(resource.kind)
        after = carry_over(before.resource, resource, paths)
        fields = compare(before.resource, after, tracking.vocabulary.kinds.get(resource.kind), paths)
        change = Change("restored" if before.gone else "changed", before, after, fields)
        if before.gone or fields or change.state_moved:
            changes.append(change)
        else:
            unchanged.append(after)
    seen = {resource.ref for resource in resources}
    missing = tuple(ref for ref, one in known.items() if ref not in seen and not one.gone)
    return ItemDiff(tuple(changes), tuple(unchanged), missing)


def _same_writing(old: Any, new: Any) -> bool:
    """Whether two values of one type are written alike; lists and objects as JSON, because to Python true is 1."""
    return bool(_encode(old) == _encode(new) if isinstance(new, dict | list) else old == new)


def _within(path: str, whole: str) -> bool:
    """Whether a path is the other or lies inside it: `job.title` is within `job`."""
    return path == whole or path.startswith(f"{whole}.")


def _put(fields: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for part in parents:
        inner = fields.get(part)
        if inner is not None and not isinstance(inner, Mapping):
            return
        fields[part] = dict(inner or {})
        fields = fields[part]
    fields[last] = value
