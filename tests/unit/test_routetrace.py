"""Why a route takes an event or does not, told as the router decides it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitor.routetrace import nearest, trace
from monitor.routing import Match, Route, Router

EVENT: dict[str, Any] = {
    "id": "evt_1",
    "type": "worklayer.job.claimed",
    "data": {
        "source": "tax",
        "provider": "worklayer",
        "key": "tax/job/1",
        "resource": {"kind": "job", "fields": {"n": 5}},
    },
}


def test_each_matcher_that_does_not_fit_is_named() -> None:
    """With what it wants and what the event has."""
    wanted = Match(type=("*.contract.*",), source=("tax",), kind=("contract",), where={"resource.fields.n": {"gt": 9}})
    (step,) = trace([Route(wanted, "contracts", ("hook",))], EVENT)
    assert (step.route, step.path, step.outcome) == ("contracts", "routes[0]", "no match")
    assert [(one.matcher, one.wanted, one.found) for one in step.failures] == [
        ("type", ["*.contract.*"], "worklayer.job.claimed"),
        ("kind", ["contract"], "job"),
        ("where resource.fields.n gt", 9, 5),
    ]


def test_the_walk_is_told_route_by_route() -> None:
    """A parent whose child took it, those behind it, and those inside what does not match."""
    tree = [
        Route(Match(source=("ats",)), to=("a",), routes=(Route(name="inner"),)),
        Route(to=("b",), routes=(Route(Match(kind=("job",)), to=("c",)), Route(to=("d",)))),
        Route(name="last", to=("e",)),
    ]
    steps = trace(tree, EVENT)
    assert [(one.route, one.outcome, one.because) for one in steps] == [
        ("routes[0]", "no match", None),
        ("inner", "no match", None),
        ("routes[1]", "inside", None),
        ("routes[1].routes[0]", "took", None),
        ("routes[1].routes[1]", "not reached", "routes[1].routes[0]"),
        ("last", "not reached", "routes[1]"),
    ]
    assert steps[1].failures[0].route == "routes[0]", "what does not fit may be around a route"
    assert [one.to for one in steps[:2]] == [("a",), ("a",)]


def test_the_nearest_route_lacks_least() -> None:
    """Of those that send to the target; none where none does."""
    far = Route(Match(type=("x.**",), kind=("x",)), "far", ("hook",))
    near = Route(Match(state=("OPEN",)), "near", ("hook",))
    steps = trace([far, near], EVENT)
    found = nearest(steps, "hook")
    assert found is not None
    assert (found.route, found.failures[0].matcher) == ("near", "state")
    assert nearest(steps, "other") is None


matches = st.builds(
    Match,
    type=st.sampled_from([(), ("worklayer.**",), ("*.job.claimed",), ("bindbee.**",)]),
    source=st.sampled_from([(), ("tax",), ("ats",)]),
    where=st.sampled_from([{}, {"resource.fields.n": {"gte": 5}}, {"resource.fields.n": {"gt": 5}}]),
)
routes = st.recursive(
    st.builds(Route, match=matches, to=st.sampled_from([None, ("a",), ("b", "c")]), continue_=st.booleans()),
    lambda inner: st.builds(
        Route,
        match=matches,
        to=st.sampled_from([None, ("a",), ("d",)]),
        continue_=st.booleans(),
        routes=st.lists(inner, max_size=3).map(tuple),
    ),
    max_leaves=8,
)


@given(st.lists(routes, max_size=4))
def test_the_trace_and_the_router_agree(tree: list[Route]) -> None:
    """Whatever the tree: the targets of the routes that took it are those that get it, by the same routes."""
    took = [one for one in trace(tree, EVENT) if one.outcome == "took"]
    by_trace: dict[str, str] = {}
    for step in took:
        for target in step.to:
            by_trace.setdefault(target, step.route)
    assert by_trace == {one.target: one.route for one in Router(tree).decide(EVENT)}
