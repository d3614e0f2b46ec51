"""The shape of what a provider sends: learnt while items are read, told where it changes. Pure: resources in, news out.

A shape is the field paths of one kind with the JSON types that were seen there. News is a field that nobody sent
before, a type that a field never had, and a field that five items of one walk lack although all had it before.
Null is no type, and a field that was ever null or absent is optional: it cannot vanish. Lists are not looked into, nor
objects whose keys are data: custom fields, raw data, and whatever has more keys than a designed object.

This runs for every item that is parsed, so it costs a dictionary look-up a field, and what it keeps is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from monitor.resources import Resource
from monitor.vocabulary import Kind

DEPTH = 3
MOST_PATHS = 200
MOST_KEYS = 40
"""Keys of one object below the top; with more it is taken for a map, and its keys for data."""

LACKING = 5
"""Items of one walk that must lack a field, all that were parsed, before it has vanished."""

LEARNT = 5
"""Items of a kind after which its shape is known, where the first look at the source showed none."""

ASKED = ""
"""Beside the stored shapes by kind: what was asked for when they were learnt."""

_NAMES = {1: "boolean", 2: "number", 4: "string", 8: "array", 16: "object"}
_STRING, _OBJECT, _TYPES = 4, 16, 31
_OPTIONAL, _LACKED, _FREE = 32, 64, 128
_BITS = {bool: 1, int: 2, float: 2, str: _STRING, list: 8, dict: _OBJECT, type(None): _OPTIONAL}
_FREE_FORM = frozenset({"custom_fields", "raw_data", "metadata", "field_mappings", "remote_fields", "extra"})
_NAME = re.compile(r"[A-Za-z_$@]\w*(-\w+){0,2}", re.ASCII)
_LONGEST_NAME = 40

What: TypeAlias = Literal["new_field", "vanished_field", "changed_type"]


class Drift(msgspec.Struct, frozen=True):
    """One piece of news about the shape of a kind: types before and now, None where there was or is no field."""

    what: What
    kind: str
    field: str
    was: str | None
    now: str | None

    @property
    def mark(self) -> str:
        """What makes it the same news, to be told once."""
        return f"{self.what} {self.kind} {self.field} {self.now or ''}".rstrip()


class Shape(msgspec.Struct, frozen=True):
    """A shape as it is stored: how many items it was learnt from (few are counted), and bits by field path."""

    items: int = 0
    fields: dict[str, int] = {}


class _Field:
    """One field: its path, what was ever seen (`bits`), how often it was sent and looked into in this walk."""

    __slots__ = ("bits", "fresh", "inside", "objects", "path", "sent")

    def __init__(self, path: str, bits: int, inside: dict[str, _Field] | None) -> None:
        self.path = path
        self.bits = bits
        self.inside = inside
        self.sent = 0
        self.objects = 0
        self.fresh = False


class _Learner:
    """The shape of one kind while a walk goes on."""

    def __init__(self, name: str, kind: Kind | None, shape: Shape, *, baseline: bool, silent: bool) -> None:
        self.name = name
        self.top = _Field("", _OBJECT, {})
        self.dirty = False
        self.news: list[Drift] = []
        self._known = frozenset((*kind.tracked, *kind.optional)) if kind else frozenset()
        self._shaped = frozenset(kind.shapes) if kind else frozenset()
        self._items = shape.items
        self._size = 0
        self._baseline = baseline
        self._telling = not silent and shape.items >= LEARNT
        self._late = shape.items > 0
        for path, bits in shape.fields.items():
            self._restore(path, bits)

    def see(self, fields: Mapping[str, Any]) -> None:
        """Learn from one resource's fields."""
        if self._items < LEARNT:
            # The first look shows all there is, so what it shows is the shape, however little.
            self._items = LEARNT if self._baseline else self._items + 1
            self.dirty = True
        self._look(self.top, fields, 1)

    def _look(self, parent: _Field, fields: Mapping[str, Any], depth: int) -> None:
        parent.objects += 1
        inside = parent.inside
        if inside is None:
            return
        known, bit_of = inside.get, _BITS.get
        for name, value in fields.items():
            field, bit = known(name), bit_of(type(value), _STRING)
            if field is None:
                field = self._meet(parent, name, bit, depth)
                if field is None:
                    continue
            field.sent += 1
            if not field.bits & bit:
                self._learn_type(field, bit)
            if bit == _OBJECT and field.inside is not None:
                self._look(field, value, depth + 1)

    def _meet(self, parent: _Field, name: str, bit: int, depth: int) -> _Field | None:
        """A field that was never seen; None where it is not followed."""
        if parent.inside is None or self._size >= MOST_PATHS or len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
            return None
        if parent is not self.top and len(parent.inside) >= MOST_KEYS:
            self._set_free(parent)
            return None
        late = self._late or parent.objects > 1
        path = f"{parent.path}.{name}" if parent.path else name
        field = self._add(parent, name, path, bit | (_OPTIONAL if late else 0), depth)
        field.fresh = True
        self.dirty = True
        if self._telling and not parent.fresh and not self._is_known(path):
            self.news.append(Drift("new_field", self.name, path, None, _type_names(bit)))
        return field

    def _is_known(self, path: str) -> bool:
        """Whether the provider declares the field, or what it is in."""
        return path in self._known or path.partition(".")[0] in self._known

    def _set_free(self, field: _Field) -> None:
        """An object turned out to be a map: its keys are no fields, and were no news."""
        self._size -= sum(1 for _ in _below(field))
        self.news = [one for one in self.news if not one.field.startswith(f"{field.path}.")]
        field.inside, field.bits, self.dirty = None, field.bits | _FREE, True

    def _learn_type(self, field: _Field, bit: int) -> None:
        known = field.bits & _TYPES
        if self._telling and known and bit & _TYPES and field.path not in self._shaped:
            self.news.append(Drift("changed_type", self.name, field.path, _type_names(known), _type_names(bit)))
        # What is inside something that was no object before came with it.
        field.fresh = field.fresh or bit == _OBJECT
        field.bits |= bit
        self.dirty = True

    def settle(self) -> None:
        """The walk is over: what it lacked has vanished, or is optional."""
        for parent, field in _pairs(self.top):
            bits = field.bits
            if not parent.objects or bits & _OPTIONAL:
                continue
            if field.sent:
                wavers = field.sent < parent.objects or bits & _LACKED
                field.bits = (bits | _OPTIONAL) & ~_LACKED if wavers else bits
            elif parent.objects < LACKING:
                field.bits = bits | _LACKED
            else:
                field.bits = (bits | _OPTIONAL) & ~_LACKED
                if self._telling:
                    self.news.append(Drift("vanished_field", self.name, field.path, _type_names(bits), None))
            self.dirty = self.dirty or field.bits != bits

    def shape(self) -> Shape:
        """What is known now, as it is stored."""
        return Shape(self._items, {field.path: field.bits for field in _below(self.top)})

    def _restore(self, path: str, bits: int) -> None:
        *above, name = path.split(".")
        parent = self.top
        for part in above:
            below = (parent.inside or {}).get(part)
            if below is None:
                return
            parent = below
        if parent.inside is not None:
            self._add(parent, name, path, bits, len(above) + 1)

    def _add(self, parent: _Field, name: str, path: str, bits: int, depth: int) -> _Field:
        followed = depth < DEPTH and name not in _FREE_FORM and not bits & _FREE
        field = _Field(path, bits, {} if followed else None)
        if parent.inside is not None:
            parent.inside[name] = field
        self._size += 1
        return field


class Shapes:
    """The shapes of a source's kinds while one walk goes on.

    `record` is what is stored, `kinds` what the provider declares, `asked` names what the source asks its provider
    for. Nothing is news at the baseline, nor in the first walk that asks for something else.
    """

    def __init__(
        self,
        record: Mapping[str, bytes] | None = None,
        kinds: Mapping[str, Kind] | None = None,
        *,
        asked: str = "",
        baseline: bool = False,
    ) -> None:
        self._record = record or {}
        self._kinds = kinds or {}
        self._asked = asked.encode()
        self._asked_anew = self._record.get(ASKED) != self._asked
        self._baseline = baseline
        self._learners: dict[str, _Learner] = {}
        self._settled = False

    def see(self, resources: Sequence[Resource]) -> None:
        """Learn from the resources of one parsed item."""
        for resource in resources:
            learner = self._learners.get(resource.kind) or self._learner(resource.kind)
            learner.see(resource.fields)

    def settle(self, *, complete: bool) -> None:
        """The walk is over: what it lacked becomes news; a complete one has learnt what is asked for now."""
        self._settled = complete
        for learner in self._learners.values():
            learner.settle()

    def take(self) -> tuple[list[Drift], dict[str, bytes]]:
        """The news since this was asked last, and what must be stored with it: shapes by kind."""
        news: list[Drift] = []
        changed: dict[str, bytes] = {}
        for name, learner in self._learners.items():
            news += learner.news
            if learner.dirty:
                changed[name] = msgspec.json.encode(learner.shape())
            learner.news, learner.dirty = [], False
        if self._settled and self._asked_anew:
            changed[ASKED] = self._asked
        return news, changed

    def _learner(self, kind: str) -> _Learner:
        stored = self._record.get(kind)
        learner = self._learners[kind] = _Learner(
            kind,
            self._kinds.get(kind),
            msgspec.json.decode(stored, type=Shape) if stored else Shape(),
            baseline=self._baseline,
            silent=self._baseline or self._asked_anew,
        )
        return learner


def _pairs(top: _Field) -> Iterator[tuple[_Field, _Field]]:
    """Every field below, with what it is in; outer ones first."""
    for field in (top.inside or {}).values():
        yield top, field
        yield from _pairs(field)


def _below(top: _Field) -> Iterator[_Field]:
    return (field for _, field in _pairs(top))


def _type_names(bits: int) -> str:
    return " or ".join(name for bit, name in _NAMES.items() if bits & bit) or "null"
