"""What differs between two sights of an item: facts do, the way they are written does not."""

from __future__ import annotations

import json
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.diff import Change, Tracking, canonical, carry_over, compare, diff_item, same_state
from monitor.resources import FieldChange, Resource, pick, present
from tests.unit.acme import VOCABULARY, contract, document, job, known, post, tracking

JOB = VOCABULARY.kinds["job"]

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
)


@st.composite
def written_twice(draw: st.DrawFn, depth: int = 3) -> tuple[Any, Any]:
    """One fact, and another way of writing it."""
    kind = draw(st.sampled_from(["same", "number", "moment", "text", "list", "object"]))
    if kind == "number":
        whole = draw(st.integers(-(2**53), 2**53))
        return whole, float(whole)
    if kind == "moment":
        clock = draw(st.times())
        digits = f"{clock.microsecond // 1000:03d}"
        head = f"2026-03-01T{clock.strftime('%H:%M:%S')}"
        forms = [f"{head}.{digits}Z", f"{head}.{digits}0000+00:00", f"{head.replace('T', ' ')}.{digits}00Z"]
        return draw(st.sampled_from(forms)), draw(st.sampled_from(forms))
    if kind == "text":
        text = draw(st.text(max_size=10))
        return normalize("NFC", text), normalize("NFD", text)
    if depth and kind == "list":
        pairs = draw(st.lists(written_twice(depth - 1), max_size=3))
        return [one for one, _ in pairs], [other for _, other in pairs]
    if depth and kind == "object":
        named = draw(st.dictionaries(st.text(max_size=5), written_twice(depth - 1), max_size=3))
        order = draw(st.permutations(list(named)))
        other = {name: named[name][1] for name in order} | {"left out otherwise": None}
        return {name: one for name, (one, _) in named.items()}, other
    value = draw(SCALARS)
    return value, value


@given(written_twice())
def test_p15_two_writings_of_a_fact_are_equal(pair: tuple[Any, Any]) -> None:
    """Key order, number, timestamp and Unicode form, null against missing: canonical equality."""
    one, other = pair
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        (199, 199.01),
        (2**53, 2**53 + 1),
        (True, 1),
        (False, 0),
        (False, None),
        (0, None),
        ("", None),
        ("1", 1),
        ("a", "A"),
        ([1, 2], [2, 1]),
        ([], None),
        ([None], []),
        ({"a": 1}, {"a": 2}),
        ({"a": {"b": True}}, {"a": {"b": 1}}),
        ("2026-03-01T10:00:00.131Z", "2026-03-01T10:00:00.132Z"),
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00+01:00"),
        ("2026-03-01", "2026-03-01T00:00:00Z"),
        ("May 2026", "May  2026"),
    ],
)
def test_two_facts_are_never_equal(one: Any, other: Any) -> None:
    """Values that look alike but say something else differ, at any depth."""
    assert canonical(one) != canonical(other)
    before, after = job(name={"deep": [one]}), job(name={"deep": [other]})
    assert compare(before, after, JOB, ["name"]) == (FieldChange("name", {"deep": [one]}, {"deep": [other]}),)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=5), st.randoms())
def test_p15_nothing_differs_from_itself_with_its_keys_in_another_order(fields: dict[str, Any], random: Any) -> None:
    """Any JSON at all, every field tracked."""

    def reordered(value: Any) -> Any:
        if isinstance(value, list):
            return [reordered(one) for one in value]
        if not isinstance(value, dict):
            return value
        names = list(value)
        random.shuffle(names)
        return {name: reordered(value[name]) for name in names}

    before, after = job(place=fields, name=fields), job(name=reordered(fields), place=reordered(fields))
    diff = diff_item(document(before), [after], tracking(track=["place"]))
    assert (diff.changes, diff.missing) == ((), ())
    assert diff.unchanged == (after,)


@pytest.mark.parametrize("names", [[None], ["red"], ["red", "blue"], [{"id": "a", "n": 1}, {"id": "b", "n": 2}]])
def test_set_like_lists_compare_by_their_members(names: list[Any]) -> None:
    """Order, repetition, and a single member without its list are form."""
    assert compare(job(tags=names), job(tags=[*reversed(names), names[0]]), JOB, ["tags"]) == ()
    assert compare(job(tags=names[:1]), job(tags=names[0]), JOB, ["tags"]) == () or names == [None]


def test_members_of_a_set_are_their_ids() -> None:
    """A name beside the id is not the membership; an object without id is all of itself, in any key order."""
    assert compare(job(tags=[{"id": 1, "name": "a"}]), job(tags=[{"name": "b", "id": 1}]), JOB, ["tags"]) == ()
    assert compare(job(tags=[{"id": 1}]), job(tags=["1"]), JOB, ["tags"]) == ()
    assert compare(job(tags=[{"a": 1, "b": 2}]), job(tags=[{"b": 2, "a": 1}]), JOB, ["tags"]) == ()
    assert compare(job(tags=None), job(tags=[]), JOB, ["tags"]) == ()
    changed = compare(job(tags=[{"a": 1, "b": 2}]), job(tags=[{"b": 3, "a": 1}]), JOB, ["tags"])
    assert changed == (FieldChange("tags", [{"a": 1, "b": 2}], [{"b": 3, "a": 1}]),)


@pytest.mark.parametrize("none", [None, "", "-", " - ", "  "])
def test_no_state_is_no_state_however_it_is_said(none: str | None) -> None:
    """null, empty and "-" are the same, and no change between each other."""
    assert same_state(none) is None
    diff = diff_item(document(job(state=None)), [job(state=none)], tracking())
    assert diff.changes == ()


def test_states_compare_as_the_provider_writes_them() -> None:
    """An open string: what differs in a letter is another state."""
    assert same_state("CLAIMED") == "CLAIMED"
    (change,) = diff_item(document(job("OPEN")), [job("Open")], tracking()).changes
    assert change.state_moved
    assert change.fields == ()


def test_a_change_shows_values_as_they_were_sent() -> None:
    """What is compared is canonical, what is shown is not."""
    (change,) = diff_item(
        document(job(due_at="2026-03-01T10:00:00Z", amount=199)),
        [job(due_at="2026-03-02T10:00:00.0000000Z", amount=199.0)],
        tracking(),
    ).changes
    assert change.fields == (FieldChange("due_at", "2026-03-01T10:00:00Z", "2026-03-02T10:00:00.0000000Z"),)
    assert (change.what, change.ref, change.state_moved) == ("changed", "job/1", False)


def test_p13_a_field_left_out_keeps_its_value_and_null_erases_it() -> None:
    """Absent is not null: the partial answer says nothing about the field."""
    before = job(name="Shed", amount=5, place={"city": "Bath", "street": "High"})
    partial = diff_item(document(before), [job(amount=5)], tracking())
    assert partial.changes == ()
    assert partial.unchanged == (job(amount=5, name="Shed", place={"city": "Bath"}),)
    (erased,) = diff_item(document(before), [job(name=None, amount=5, place={})], tracking()).changes
    assert erased.fields == (FieldChange("name", "Shed", None),)
    assert erased.after == job(name=None, amount=5, place={"city": "Bath"})


def test_p13_what_lies_inside_null_is_null() -> None:
    """`place: null` says that there is no place, so no city either."""
    (change,) = diff_item(document(job(place={"city": "Bath"})), [job(place=None)], tracking()).changes
    assert change.fields == (FieldChange("place.city", "Bath", None),)
    assert change.after == job(place=None)


def test_a_field_left_out_and_changed_together_is_one_change() -> None:
    """The change carries what was left out along, so that the next sight finds it."""
    (change,) = diff_item(document(job(name="Shed", amount=5)), [job(amount=6)], tracking()).changes
    assert change.fields == (FieldChange("amount", 5, 6),)
    assert change.after == job(amount=6, name="Shed")


def test_p12_fields_that_nobody_tracks_change_nothing() -> None:
    """New, changed and lost ones alike; they are kept as they are now."""
    diff = diff_item(document(job(name="Shed", views=1, url="a")), [job(name="Shed", views=2, color="red")], tracking())
    assert diff.changes == ()
    assert diff.unchanged == (job(name="Shed", views=2, color="red"),)


def test_a_tracked_field_that_comes_up_with_null_is_no_change_and_with_a_value_is() -> None:
    """Nothing was known of it, so nothing is what it was."""
    assert diff_item(document(job()), [job(name=None)], tracking()).changes == ()
    (change,) = diff_item(document(job()), [job(name="Shed")], tracking()).changes
    assert change.fields == (FieldChange("name", None, "Shed"),)


def test_carrying_over_never_changes_what_was_handed_in() -> None:
    """Both sights are values."""
    before, after = job(place={"city": "Bath"}), job(place={"street": "High"})
    carried = carry_over(before, after, ["place.city"])
    assert carried.fields == {"place": {"street": "High", "city": "Bath"}}
    assert after.fields == {"place": {"street": "High"}}
    assert carry_over(before, job(place="Bath"), ["place.city"]) == job(place="Bath")
    assert compare(before, job(place="Bath"), JOB, ["place.city"]) == ()


def test_p14_track_and_ignore_say_what_counts() -> None:
    """By path, by a path's beginning, or for one kind alone."""
    assert tracking().paths("job") == ("name", "amount", "due_at", "tags", "place.city")
    assert tracking(track=["color", "name"]).paths("job") == ("name", "amount", "due_at", "tags", "place.city", "color")
    assert tracking(ignore=["name", "place"]).paths("job") == ("amount", "due_at", "tags")
    assert tracking(ignore=["nam"]).paths("job") == tracking().paths("job")
    assert tracking(track=["contract.color"], ignore=["job.amount"]).paths("contract") == (
        "start_date",
        "end_date",
        "color",
    )
    assert tracking(track=["contract.color"], ignore=["job.amount"]).paths("job") == (
        "name",
        "due_at",
        "tags",
        "place.city",
    )
    assert tracking(track=["color"]).paths("unheard of") == ("color",)


def test_an_item_that_nobody_knows_is_created_its_own_resource_first() -> None:
    """The order of the provider stays."""
    diff = diff_item(None, [post(), contract()], tracking())
    assert diff.changes == (Change("created", None, post()), Change("created", None, contract()))
    assert [change.ref for change in diff.changes] == ["post/7", "contract/9"]
    assert all(change.state_moved for change in diff.changes)


def test_a_resource_that_is_not_there_is_missing_and_no_change() -> None:
    """Absence is not a state; what is gone already is not missed."""
    gone = known(contract(id="8", state=None), revision=2, gone=True)
    diff = diff_item(document(post(), contract(), gone), [post()], tracking())
    assert diff.changes == ()
    assert diff.missing == ("contract/9",)


def test_p18_what_was_gone_and_is_there_again_is_restored() -> None:
    """Even when it looks as it did before; what else changed meanwhile is told along."""
    gone = known(job(state=None, name="Shed"), revision=4, gone=True)
    (change,) = diff_item(document(gone), [job("OPEN", name="Barn")], tracking()).changes
    assert (change.what, change.before) == ("restored", gone)
    assert change.fields == (FieldChange("name", "Shed", "Barn"),)
    (change,) = diff_item(document(gone), [job(None, name="Shed")], tracking()).changes
    assert (change.what, change.fields) == ("restored", ())


def test_the_role_of_a_resource_is_not_compared_but_kept() -> None:
    """A pending contract that becomes the last one has not changed by that."""
    diff = diff_item(document(contract(role="pending")), [contract(role="last")], tracking())
    assert diff.changes == ()
    assert diff.unchanged == (contract(role="last"),)


@pytest.mark.parametrize(
    ("path", "found", "there"),
    [
        ("a", {"b": {"c": 1}, "n": None}, True),
        ("a.b.c", 1, True),
        ("a.n", None, True),
        ("a.n.deeper", None, True),
        ("a.x", None, False),
        ("a.b.c.d", None, False),
        ("x.y", None, False),
        ("l.0", None, False),
    ],
)
def test_paths_find_what_is_there_and_tell_null_from_absent(path: str, found: Any, there: bool) -> None:
    """A path that leads nowhere is absent, one that leads through null is null."""
    fields = {"a": {"b": {"c": 1}, "n": None}, "l": [1]}
    assert pick(fields, path) == found
    assert present(fields, path) is there


@given(JSON, JSON)
def test_comparing_any_two_values_ends_in_a_change_or_none(one: Any, other: Any) -> None:
    """No value a provider may send breaks the comparison, set-like or not; a change is told iff the values differ."""
    before, after = job(name=one, tags=one), job(name=other, tags=other)
    changes = {change.field for change in compare(before, after, JOB, ["name", "tags"])}
    assert ("name" in changes) == (canonical(one) != canonical(other))
    assert compare(before, job(**json.loads(json.dumps(before.fields))), JOB, ["name", "tags"]) == ()


def test_a_kind_that_is_not_declared_is_told_by_its_state_and_what_is_tracked() -> None:
    """A provider may list more than we know of."""
    strange = Resource(kind="robot", id="1", title="Robot", state="on", fields={"legs": 2})
    moved = Resource(kind="robot", id="1", title="Robot", state="off", fields={"legs": 3})
    (change,) = diff_item(document(strange), [moved], Tracking(VOCABULARY, track=("legs",))).changes
    assert change.state_moved
    assert change.fields == (FieldChange("legs", 2, 3),)
