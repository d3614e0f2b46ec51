"""The shape of items: learnt in silence at the first look, told where it changes, bounded whatever is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.drift import LACKING, LEARNT, MOST_KEYS, MOST_PATHS, Shape, Shapes
from monitor.resources import Resource
from monitor.vocabulary import Kind, as_set

KINDS = {"job": Kind(tracked=("name",), shapes={"tags": as_set}, optional=frozenset({"note", "place.zip"}))}


class Source:
    """A source from walk to walk: what is stored of its shapes."""

    def __init__(self) -> None:
        self.record: dict[str, bytes] = {}

    def walk(self, *items: Mapping[str, Any], kind: str = "job", baseline: bool = False, asked: str = "") -> list[str]:
        """One complete walk that parses these items; the news as `what field was now`."""
        shapes = Shapes(self.record, KINDS, asked=asked, baseline=baseline)
        for number, fields in enumerate(items):
            shapes.see([Resource(kind, str(number), "", None, dict(fields))])
        shapes.settle(complete=True)
        news, changed = shapes.take()
        assert shapes.take()[0] == []
        self.record |= changed
        return [" ".join(filter(None, (one.what, one.field, one.was, one.now))) for one in news]

    def fields(self, kind: str = "job") -> dict[str, int]:
        """What is stored of a kind."""
        return msgspec.json.decode(self.record[kind], type=Shape).fields


def known(*items: Mapping[str, Any]) -> Source:
    """A source whose first look showed these items."""
    source = Source()
    assert source.walk(*items, baseline=True) == []
    return source


def test_p12_a_new_field_is_told_once_and_not_at_the_first_look() -> None:
    """With the type it has; what is inside a new object comes with it."""
    source = known({"name": "a", "place": {"city": "x"}})
    assert source.walk({"name": "b", "place": {"city": "x"}, "extra_pay": 1}) == ["new_field extra_pay number"]
    assert source.walk({"name": "b", "place": {"city": "x"}, "extra_pay": 2}) == []
    assert source.walk({"name": "b", "place": {"city": "x", "lane": None}}) == ["new_field place.lane null"]
    assert source.walk({"name": "b", "owner": {"id": 1, "team": {"id": 2}}}) == ["new_field owner object"]


def test_a_changed_type_is_told_once_and_null_is_no_type() -> None:
    """Whole numbers and others are one type; a field that was always null may have its first type in silence."""
    source = known({"pay": 1, "until": None, "name": "a"})
    assert source.walk({"pay": 1.5, "until": "2026-01-01", "name": None}) == []
    assert source.walk({"pay": "1.5"}, {"pay": True}) == [
        "changed_type pay number string",
        "changed_type pay number or string boolean",
    ]
    assert source.walk({"pay": "2"}, {"pay": False}, {"pay": 3, "until": "x"}) == []


def test_what_is_inside_a_field_that_becomes_an_object_came_with_it() -> None:
    """One piece of news, not one a key."""
    source = known({"place": "Leeds"})
    assert source.walk({"place": {"city": "Leeds", "zip": "LS1"}}) == ["changed_type place string object"]


def test_fields_that_compare_by_shape_may_have_any_type() -> None:
    """A set that is written as text when it has one member is documented to be so."""
    source = known({"tags": ["a", "b"]})
    assert source.walk({"tags": "a"}) == []


def test_documented_fields_are_no_news_when_they_first_appear() -> None:
    """Tracked ones and those that the provider declares optional."""
    source = known({"place": {"city": "x"}})
    assert source.walk({"name": "a", "note": "b", "place": {"city": "x", "zip": "y"}}) == []


def test_a_field_has_vanished_when_five_items_of_one_walk_lack_it() -> None:
    """Told once; its return is no news, and four are no proof."""
    source = known(*[{"name": "a", "place": {"city": "x"}}] * 3)
    without = {"place": {"city": "x"}}
    assert source.walk(*[without] * (LACKING - 1)) == []
    assert source.walk(*[without] * LACKING) == ["vanished_field name string"]
    assert source.walk(*[without] * LACKING) == []
    assert source.walk({"name": "b", **without}) == []
    assert source.walk(*[{"place": {}}] * LACKING) == ["vanished_field place.city string"]
    assert source.walk(*[{}] * LACKING) == ["vanished_field place object"]


@pytest.mark.parametrize("first", [[{"a": 1, "b": 1}, {"b": 1}], [{"a": 1, "b": 1}, {"a": None, "b": 1}]])
def test_a_field_that_was_ever_null_or_absent_is_optional(first: Sequence[Mapping[str, Any]]) -> None:
    """It cannot vanish."""
    source = known(*first)
    assert source.walk(*[{"b": 1}] * LACKING) == []


def test_items_that_lack_a_field_and_items_that_have_it_make_it_optional_in_different_walks_too() -> None:
    """A few items are changed a walk: what they show adds up."""
    source = known({"a": 1, "b": 1})
    assert source.walk({"b": 1}) == []
    assert source.walk({"a": 1, "b": 1}) == []
    assert source.walk(*[{"b": 1}] * LACKING) == []


def test_keys_that_are_data_are_not_followed() -> None:
    """Free forms by name, ids as keys, objects with more keys than anybody designs, and what is deeper than three."""
    item = {"custom_fields": {"a": 1}, "by_user": {"7": 1, "a9749189-c82b-488b-a448-8f74c3d254e0": 2}, "l": [{"a": 1}]}
    source = known({**item, "deep": {"er": {"est": {"a": 1}}}, "many": {"k": 1}})
    changed = {"custom_fields": {"b": "x"}, "by_user": {"8": "x", "x" * 41: 1}, "l": [{"b": 2}]}
    assert source.walk({**changed, "deep": {"er": {"est": {"b": 1}}}, "many": {"k": 1}}) == []
    many = {f"k{n}": n for n in range(MOST_KEYS + 1)}
    assert source.walk({"many": many}) == []
    assert source.walk({"many": {"other": 1}}) == []
    assert not any(path.startswith("many.") for path in source.fields())


def test_a_kind_that_was_not_there_at_the_first_look_is_learnt_in_silence() -> None:
    """From its first five items."""
    source = known({"name": "a"})
    for n in range(LEARNT):
        assert source.walk({f"f{n}": 1}, kind="offer") == []
    assert source.walk({"f9": 1}, kind="offer") == ["new_field f9 number"]


def test_the_first_walk_that_asks_for_something_else_is_silent() -> None:
    """Other options may bring other fields: it was not the provider who changed."""
    source = known({"name": "a"})
    assert source.walk({"name": "a", "raw": 1}, asked="raw") == []
    assert source.walk({"name": "a", "raw": "x", "more": 1}, asked="raw") == [
        "changed_type raw number string",
        "new_field more number",
    ]


def test_an_unfinished_walk_does_not_end_that_silence() -> None:
    """What it did not reach still looks new."""
    record = known({"name": "a"}).record
    shapes = Shapes(record, KINDS, asked="raw")
    shapes.see([Resource("job", "1", "", None, {"raw": 1})])
    shapes.settle(complete=False)
    assert "" not in shapes.take()[1]


def test_nothing_is_to_be_stored_when_nothing_is_new() -> None:
    """An ordinary scan writes no shape."""
    source = known({"name": "a", "pay": 1})
    shapes = Shapes(source.record, KINDS)
    shapes.see([Resource("job", "1", "", None, {"name": "b", "pay": 2})])
    shapes.settle(complete=True)
    assert shapes.take() == ([], {})


NAMES = st.sampled_from(["a", "b", "c-d", "7", "x.y", "", "raw_data", "é", "n" * 41])
VALUES = st.recursive(
    st.sampled_from([None, True, 7, 1.5, "text"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
WIDE = st.integers(0, 2 * MOST_PATHS).map(lambda size: {f"f{n}": n for n in range(size)})
ITEMS = st.lists(st.dictionaries(NAMES, VALUES | WIDE, max_size=5) | WIDE, max_size=6)


@settings(max_examples=60, deadline=None)
@given(walks=st.lists(ITEMS, max_size=4))
def test_whatever_is_sent_the_record_is_bounded_and_nothing_is_told_twice(
    walks: list[list[dict[str, Any]]],
) -> None:
    """Any JSON: at most so many paths, and each fact once."""
    source = Source()
    told: list[str] = []
    for number, items in enumerate(walks):
        told += source.walk(*items, baseline=number == 0)
        assert all(len(source.fields(kind)) <= MOST_PATHS for kind in source.record if kind)
    assert len(set(told)) == len(told)
    again = [line for items in walks for line in source.walk(*items) if not line.startswith("vanished")]
    assert again == []
