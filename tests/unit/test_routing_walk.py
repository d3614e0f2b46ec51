"""The walk through the route tree and its globs, against slow obvious models of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitor.routing import Match, Route, Router, type_glob


def fits(pattern: Sequence[str], type_: Sequence[str]) -> bool:
    """The obvious model of globs by segment: try everything."""
    if not pattern:
        return not type_
    if pattern[0] == "**":
        return any(fits(pattern[1:], type_[skip:]) for skip in range(len(type_) + 1))
    return bool(type_) and letters_fit(pattern[0], type_[0]) and fits(pattern[1:], type_[1:])


def letters_fit(pattern: str, word: str) -> bool:
    """The same inside one segment."""
    if not pattern:
        return not word
    if pattern[0] == "*":
        return any(letters_fit(pattern[1:], word[skip:]) for skip in range(len(word) + 1))
    return bool(word) and pattern[0] == word[0] and letters_fit(pattern[1:], word[1:])


SEGMENTS = st.lists(st.text("ab*", min_size=1, max_size=3), min_size=1, max_size=5)


@given(SEGMENTS, st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=5))
def test_globs_by_segment_agree_with_the_obvious_model(pattern: list[str], type_: list[str]) -> None:
    """`*` stays inside a segment, `**` alone is any number of segments, none included."""
    if any("**" in one and one != "**" for one in pattern):
        return
    assert bool(type_glob(".".join(pattern)).fullmatch(".".join(type_))) == fits(pattern, type_)


TYPES = ["a.b.c", "a.b.d", "a.x.c", "z"]
PATTERNS = ["a.b.c", "a.*.c", "a.**", "z", "nothing"]


def trees(depth: int = 3) -> st.SearchStrategy[Route]:
    """Route trees, small and dense enough for many matches."""
    return st.builds(
        Route,
        match=st.builds(
            Match,
            type=st.lists(st.sampled_from(PATTERNS), max_size=2).map(tuple),
            source=st.lists(st.sampled_from(["s", "t"]), max_size=1).map(tuple),
        ),
        to=st.none() | st.lists(st.sampled_from("xyz"), max_size=2, unique=True).map(tuple),
        continue_=st.booleans(),
        routes=(st.lists(trees(depth - 1), max_size=3) if depth else st.just([])).map(tuple),
    )


def matches(match: Match, event: Mapping[str, Any]) -> bool:
    """The obvious model of a match."""
    type_ok = any(fits(one.split("."), event["type"].split(".")) for one in match.type) or not match.type
    return type_ok and (event["data"]["source"] in match.source or not match.source)


def walked(route: Route, path: str, to: tuple[str, ...], event: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """Alertmanager's own walk, line by line: https://github.com/prometheus/alertmanager/blob/main/dispatch/route.go."""
    if not matches(route.match, event):
        return []
    to = to if route.to is None else route.to
    found: list[tuple[str, tuple[str, ...]]] = []
    for index, child in enumerate(route.routes):
        by_child = walked(child, f"{path}.routes[{index}]" if path else f"routes[{index}]", to, event)
        found += by_child
        if by_child and not child.continue_:
            break
    return found or [(path, to)]


def expected(routes: Sequence[Route], event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Target and route by the model; its root takes what no route takes, and sends it nowhere."""
    seen: set[str] = set()
    for path, to in walked(Route(routes=tuple(routes)), "", (), event):
        for target in to:
            if target not in seen:
                yield target, path
            seen.add(target)


@given(st.lists(trees(), max_size=4), st.sampled_from(TYPES), st.sampled_from(["s", "t", "u"]))
def test_the_walk_is_alertmanagers(routes: list[Route], type_: str, source: str) -> None:
    """A1: for any tree and event the same routes in the same order: first match wins, `continue`, the parent else."""
    event = {"id": "e", "type": type_, "data": {"source": source, "resource": None}}
    decided = [(one.target, one.route) for one in Router(routes).decide(event)]
    assert decided == list(expected(routes, event))
    paths = [path for _, path in decided]
    assert all(paths.index(one) <= paths.index(other) for one, other in pairwise(paths))
