"""Routes that cannot work are refused before anything starts, wherever in the tree they stand."""

from __future__ import annotations

import pytest

from tests.unit.settings.configs import SECRET, SOURCES, TARGETS, Configs


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ("{to: [opps]}", "unknown target 'opps'; did you mean ops?"),
        ("{to: [ops], escalate: {after: 5m, to: [boss]}}", "unknown target 'boss'"),
        ("{to: [ops], mute: [nigths]}", "unknown interval 'nigths'; did you mean nights?"),
        ("{to: [ops], active: nights2}", "unknown interval 'nights2'"),
        ("{to: [ops], name: inner}, {to: [ops], name: inner}", "another route above is called 'inner' too"),
        ("{to: [ops], group_interval: 0s}", "group_interval"),
        ("{to: [ops], repeat_interval: 0s}", "repeat_interval"),
        ("{to: [ops], escalate: {after: 0s, to: [ops]}}", "escalate.after"),
        ("{to: [ops], group_by: [source, source]}", "names source more than once"),
        ("{to: [ops], group_by: [source, '...']}", "puts each event alone and cannot stand beside other names"),
        ("{to: [ops], group_by: [team]}", "'team' is no label of this route"),
        ("{to: [ops, ops]}", "names ops more than once"),
    ],
)
@pytest.mark.parametrize("depth", [0, 2])
def test_what_cannot_work_is_refused_at_any_depth(configs: Configs, route: str, said: str, depth: int) -> None:
    """A10: unknown targets and intervals, names twice, times of nothing, groups twice or alone and together."""
    routes = route
    for level in range(depth):
        routes = f"{{to: [ops], name: level{level}, routes: [{routes}]}}"
    intervals = "intervals: {nights: {times: [{start_time: '22:00', end_time: '24:00'}], location: UTC}}\n"

    (problem,) = configs.problems(f"{SOURCES}{TARGETS}{intervals}routes: [{routes}]\n")

    assert said in problem


@pytest.mark.parametrize("times", ["{location: UTC}", "[{location: UTC}]", "nights", "[nights]"])
def test_times_of_a_route_stand_alone_or_in_a_list(configs: Configs, times: str) -> None:
    """Written out or by name, as docs/config.md has it."""
    intervals = "intervals: {nights: {times: [{start_time: '22:00', end_time: '24:00'}], location: UTC}}\n"
    read = configs.load(f"{SOURCES}{TARGETS}{intervals}routes: [{{to: [ops], mute: {times}, active: {times}}}]\n")
    (route,) = read.routes
    assert route.mute is not None
    assert [one.location for one in route.mute] == ["UTC"]
    assert route.active == route.mute


def test_a_secret_that_is_given_twice_is_refused(configs: Configs) -> None:
    """One way of giving it must be chosen."""
    both = f"secret: {SECRET}, secrets: [{SECRET}]"
    targets = f"targets: {{ops: {{type: webhook, url: https://hooks.example.org/x, {both}}}}}\n"
    (problem,) = configs.problems(f"{SOURCES}{targets}routes: [{{to: [ops]}}]\n")
    assert "targets.ops" in problem
    assert SECRET not in problem


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nights: {times: [{start_time: '22:00', end_time: '24:00'}]}", "intervals.nights.location: missing"),
        ("nights: [{location: UTC}, {location: Mars/Base}]", "intervals.nights[1].location"),
        ("nights: {weekdays: [mon], location: UTC}", "intervals.nights.weekdays[0]"),
        ("Nights: {location: UTC}", "is not a name"),
        ("nights: {}", "intervals.nights"),
    ],
)
def test_times_with_names_are_checked_where_they_stand(configs: Configs, given: str, said: str) -> None:
    """With their zone: there is no silent UTC for people."""
    problems = configs.problems(f"{SOURCES}{TARGETS}intervals: {{{given}}}\nroutes: [{{to: [ops]}}]\n")
    assert [one for one in problems if said in one], problems
