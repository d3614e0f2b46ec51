from __future__ import annotations

from typing import Any

import pytest

from monitor.simulator.paths import with_path, without_path


@pytest.mark.parametrize(
    ("document", "path", "expected"),
    [
        ({"a": 1}, "a", {"a": 2}),
        ({}, "a.b", {"a": {"b": 2}}),
        ({"a": None}, "a.b", {"a": {"b": 2}}),
        ({"a": [1, 2]}, "a.1", {"a": [1, 2]}),
        ({"a": [{"b": 1}]}, "a.0.b", {"a": [{"b": 2}]}),
        ({"a": []}, "a.0.b", {"a": [{"b": 2}]}),
    ],
)
def test_a_value_is_put_where_the_path_leads(document: Any, path: str, expected: Any) -> None:
    """Objects on the way are made, lists are entered by number, and the input is left alone."""
    before = repr(document)
    assert with_path(document, path, 2) == expected
    assert repr(document) == before


@pytest.mark.parametrize(("document", "path"), [({"a": 1}, "a.b"), ({"a": []}, "a.1"), ({"a": []}, "a.x")])
def test_a_path_that_leads_nowhere_is_an_error(document: Any, path: str) -> None:
    """Going into a number, or beyond the end of a list, raises ValueError."""
    with pytest.raises(ValueError, match=r"cannot go|no place"):
        with_path(document, path, 2)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a", {"l": [1, 2]}), ("a.b", {"a": {}, "l": [1, 2]}), ("l.0", {"a": {"b": 1}, "l": [2]}), ("x.y", None)],
)
def test_a_field_is_taken_away(path: str, expected: Any) -> None:
    """The field at the path is gone; a path that leads nowhere changes nothing."""
    document = {"a": {"b": 1}, "l": [1, 2]}
    assert without_path(document, path) == (document if expected is None else expected)
