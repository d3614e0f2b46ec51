"""Who gets an event: matches, what a route inherits, and groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.routing import Decision, Match, Route, Router, Timers, default_severity, group_hash, type_glob

CLAIMED: dict[str, Any] = {
    "id": "evt_1",
    "type": "worklayer.job.claimed",
    "data": {
        "provider": "worklayer",
        "source": "tax",
        "key": "tax/job/1",
        "resource": {"kind": "job", "state": "CLAIMED", "fields": {"total_amount": 199, "name": None, "vip": True}},
    },
}
NEWS: dict[str, Any] = {
    "id": "evt_2",
    "type": "jobwire.source.failing",
    "data": {"provider": "worklayer", "source": "tax", "key": "source/tax", "resource": None},
}


def taken(match: Match, event: Mapping[str, Any] = CLAIMED) -> bool:
    """Whether one route with this match takes the event."""
    return bool(Router([Route(match=match, to=("hook",))]).decide(event))


def where(path: str, **operators: Any) -> bool:
    """Whether `where` with these operators takes the claimed job."""
    return taken(Match(where={path: {name.rstrip("_"): operand for name, operand in operators.items()}}))


@pytest.mark.parametrize(
    ("match", "job", "news"),
    [
        (Match(), True, True),
        (Match(type=("worklayer.job.claimed",)), True, False),
        (Match(type=("worklayer.job",)), False, False),
        (Match(type=("*.job.claimed", "*.job.failed")), True, False),
        (Match(type=("worklayer.**",)), True, False),
        (Match(type=("jobwire.source.*",)), False, True),
        (Match(source=("tax",)), True, True),
        (Match(source=("t*",)), True, True),
        (Match(source=("TAX", "ats")), False, False),
        (Match(provider=("worklayer",)), True, True),
        (Match(kind=("job",)), True, False),
        (Match(kind=("*",)), True, False),
        (Match(state=("CLAIMED",)), True, False),
        (Match(state=("claimed",)), False, False),
        (Match(type=("*.job.*",), source=("ats",)), False, False),
        (Match(type=("*.job.*",), source=("tax",), state=("C*",)), True, False),
    ],
)
def test_a_list_is_any_of_and_all_lists_must_agree(match: Match, job: bool, news: bool) -> None:
    """No match takes everything; what has no resource has no kind and no state."""
    assert taken(match, CLAIMED) is job
    assert taken(match, NEWS) is news


AMOUNT = "resource.fields.total_amount"


@pytest.mark.parametrize(
    ("path", "operators", "takes"),
    [
        (AMOUNT, {"gte": 100}, True),
        (AMOUNT, {"gt": 199}, False),
        (AMOUNT, {"gt": 198.5, "lt": 200}, True),
        (AMOUNT, {"gte": 199, "lte": 199.0}, True),
        (AMOUNT, {"gt": "100"}, False),
        (AMOUNT, {"eq": 199.0}, True),
        (AMOUNT, {"eq": "199"}, False),
        (AMOUNT, {"ne": 199}, False),
        (AMOUNT, {"ne": 200}, True),
        (AMOUNT, {"in_": [1, 199]}, True),
        (AMOUNT, {"in_": ["199"]}, False),
        (AMOUNT, {"exists": True}, True),
        (AMOUNT, {"exists": False}, False),
        (AMOUNT, {"glob": "1*"}, False),
        ("resource.fields.vip", {"eq": True}, True),
        ("resource.fields.vip", {"eq": 1}, False),
        ("resource.fields.vip", {"ne": 1}, True),
        ("resource.fields.vip", {"in_": [1]}, False),
        ("resource.fields.vip", {"gt": 0}, False),
        ("resource.fields.name", {"exists": False}, True),
        ("resource.fields.name", {"eq": "x"}, False),
        ("resource.fields.name", {"ne": "x"}, True),
        ("resource.fields.name", {"lt": 5}, False),
        ("resource.fields.missing", {"exists": True}, False),
        ("resource.fields.missing.deeper", {"exists": False}, True),
        ("resource.state", {"glob": "CL*"}, True),
        ("resource.state", {"glob": "cl*"}, False),
        ("resource.state", {"gte": "CLAIM", "lt": "D"}, True),
        ("source", {"eq": "tax"}, True),
    ],
)
def test_where_compares_values_and_never_fails(path: str, operators: dict[str, Any], takes: bool) -> None:
    """Numbers with numbers, text with text; true is not 1; null and missing exist no more than each other."""
    assert where(path, **operators) is takes


JSON = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()) | st.just({"a": 1})


@given(JSON, JSON)
def test_where_takes_any_value_with_any_operand(value: Any, operand: Any) -> None:
    """Provider data of the wrong type is no match, not an error; ne is never what eq is."""
    event = {"type": "a.b.c", "data": {"value": value, "resource": None}}
    for name in ("gt", "gte", "lt", "lte"):
        taken(Match(where={"value": {name: operand}}), event)
    equal = taken(Match(where={"value": {"eq": operand}}), event)
    assert taken(Match(where={"value": {"ne": operand}}), event) is not equal
    assert taken(Match(where={"value": {"in": [operand]}}), event) is equal


def test_a_glob_of_many_stars_ends_soon_on_a_type_of_any_length() -> None:
    """A provider's state of a thousand letters does not hold up the relay."""
    long = f"worklayer.job.{'a' * 1000}"
    assert not type_glob("**.*a*.**.*a*.**.*b").fullmatch(long)
    assert type_glob("**.*a*").fullmatch(long)


def targets(routes: Sequence[Route], event: Mapping[str, Any] = CLAIMED) -> list[tuple[str, str]]:
    """Target and route of each decision."""
    return [(one.target, one.route) for one in Router(routes).decide(event)]


def test_the_first_match_takes_the_event_unless_it_says_continue() -> None:
    """Later routes are tried only after `continue`."""
    first, second = Route(to=("a",)), Route(to=("b",))
    assert targets([first, second]) == [("a", "routes[0]")]
    assert targets([Route(to=("a",), continue_=True), second]) == [("a", "routes[0]"), ("b", "routes[1]")]
    assert targets([Route(match=Match(source=("ats",)), to=("a",)), second]) == [("b", "routes[1]")]
    assert targets([]) == []


def test_a_route_takes_an_event_itself_only_when_no_child_does() -> None:
    """Routes are named by their name, or by their path whatever the ones around are called."""
    child = Route(match=Match(type=("*.*.failed",)), to=("b",))
    outer = Route(name="ops", to=("a",), routes=(child, Route(match=Match(source=("tax",)), to=("c",), name="taxes")))
    assert targets([outer]) == [("c", "taxes")]
    assert targets([outer], {**CLAIMED, "type": "worklayer.job.failed"}) == [("b", "routes[0].routes[0]")]
    assert targets([outer], {**CLAIMED, "data": {}}) == [("a", "ops")]


def test_an_empty_list_of_targets_takes_the_event_and_sends_it_nowhere() -> None:
    """Nothing after it gets the event, as nothing would after any other match."""
    assert targets([Route(to=()), Route(to=("a",))]) == []
    assert targets([Route(to=("a",), routes=(Route(to=()),))]) == []


def test_a_target_that_two_routes_name_gets_the_event_once_by_the_first() -> None:
    """Its group and severity are those of the first route."""
    decisions = Router(
        [Route(to=("a", "b"), severity="critical", continue_=True), Route(to=("b", "c"), severity="info")]
    ).decide(CLAIMED)
    assert [(one.target, one.route, one.severity) for one in decisions] == [
        ("a", "routes[0]", "critical"),
        ("b", "routes[0]", "critical"),
        ("c", "routes[1]", "info"),
    ]


def test_what_a_route_does_not_say_it_takes_from_the_one_it_stands_in() -> None:
    """Labels add up, the inner one wins; 0 is said."""
    inner = Route(group_wait=0.0, labels={"team": "tax"})
    outer = Route(
        to=("a",),
        routes=(inner,),
        group_by=("source", "team", "area"),
        group_wait=30.0,
        group_interval=60.0,
        severity="critical",
        labels={"team": "all", "area": "uk"},
    )
    assert Router([outer]).decide(CLAIMED) == [
        Decision(
            target="a",
            route="routes[0].routes[0]",
            group="routes[0].routes[0]\x1ftax\x1ftax\x1fuk",
            group_wait=0.0,
            group_interval=60.0,
            severity="critical",
            labels={"team": "tax", "area": "uk"},
            values={"source": "tax", "team": "tax", "area": "uk"},
            timers=Timers(group_wait=0.0, group_interval=60.0),
        )
    ]


def test_news_about_a_target_goes_to_all_others() -> None:
    """What would not reach it, or only feed its trouble, is not sent to it; the rest of the route stays."""
    event = {"id": "e", "type": "jobwire.target.failing", "subject": "target/b", "data": {"resource": None}}
    assert targets([Route(to=("a", "b"))], event) == [("a", "routes[0]")]
    assert targets([Route(to=("a", "b"))], {**event, "subject": "target/a"}) == [("b", "routes[0]")]
    assert len(targets([Route(to=("a", "b"))], {**event, "type": "jobwire.source.failing"})) == 2


def test_defaults_are_ten_seconds_and_a_severity_by_type() -> None:
    """A group's interval is its wait when nothing else is said."""
    (decision,) = Router([Route(to=("a",))]).decide(NEWS)
    assert (decision.group_wait, decision.group_interval, decision.severity) == (10.0, 10.0, "critical")
    assert default_severity("driver_jobs.contract.expiring") == "warning"
    assert default_severity("worklayer.job.claimed") == "info"


@pytest.mark.parametrize(
    ("group_by", "values"),
    [
        ((), []),
        (("source",), ["tax"]),
        (("provider", "kind", "state"), ["worklayer", "job", "CLAIMED"]),
        (("type", "key", "severity"), ["worklayer.job.claimed", "tax/job/1", "info"]),
        (("unknown",), ["None"]),
        (("...",), ["evt_1"]),
    ],
)
def test_groups_are_the_route_and_the_values_it_groups_by(group_by: tuple[str, ...], values: list[str]) -> None:
    """Two routes never share a group, `...` gives each event its own."""
    (decision,) = Router([Route(to=("a",), group_by=group_by)]).decide(CLAIMED)
    assert decision.group.split("\x1f") == ["routes[0]", *values]
    assert group_hash(decision.group) == group_hash("\x1f".join(["routes[0]", *values]))
    assert len({group_hash(f"{decision.group}{more}") for more in range(1000)}) == 1000
