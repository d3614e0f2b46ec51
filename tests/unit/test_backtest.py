"""Two route trees over the same events: messages that appear, vanish and move, on a virtual clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.backtest import Backtest, backtest
from monitor.routing import Match, Route, Router

BEGIN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
TARGETS = {"hook": False, "chat": True, "other": False}


def event(number: int, type_: str = "worklayer.job.claimed") -> dict[str, Any]:
    """An event of a type."""
    return {"id": f"evt_{number}", "type": type_, "subject": "job/1", "data": {"source": "tax", "key": "tax/job/1"}}


def play(before: list[Route], after: list[Route], *told: tuple[float, dict[str, Any]]) -> Backtest:
    """Events at seconds from the beginning, played through both."""
    found = backtest(Router(before), TARGETS, Router(after), TARGETS)
    for seconds, one in told:
        found.play(one, BEGIN + timedelta(seconds=seconds))
    found.end()
    return found


def test_events_appear_vanish_and_move() -> None:
    """By target and type: what went nowhere appears, what goes nowhere now vanishes, the rest has moved."""
    claimed, closed = Match(type=("*.job.claimed",)), Match(type=("*.job.closed",))
    found = play(
        [Route(claimed, to=("hook",)), Route(closed, to=("hook",))],
        [Route(claimed, to=("other",)), Route(Match(type=("*.job.created",)), to=("hook",))],
        (0, event(1)),
        (1, event(2, "worklayer.job.closed")),
        (2, event(3, "worklayer.job.created")),
        (3, event(4, "worklayer.job.updated")),
    )
    hook, other = found.tallies["hook"], found.tallies["other"]
    assert (hook.messages, hook.events) == ([2, 1], [2, 1])
    assert (dict(hook.appear), dict(hook.vanish)) == ({"worklayer.job.created": 1}, {"worklayer.job.closed": 1})
    assert dict(other.moved) == {("worklayer.job.claimed", "hook"): 1}
    assert other.examples == {"worklayer.job.claimed": ["evt_1"]}
    assert found.count == 4


def test_groups_make_messages_by_their_timers() -> None:
    """Within the wait one message; the next after the interval; a hundred events are the most of one."""
    short = [Route(to=("chat",), group_wait=10.0, group_interval=60.0)]
    each = [Route(to=("chat",), group_by=("...",), group_wait=0.0)]
    told = [(0, event(1)), (5, event(2)), (20, event(3)), (50, event(4)), (300, event(5))]
    assert play(short, each, *told).tallies["chat"].messages == [3, 5]
    many = [(300 + number / 1000, event(number)) for number in range(250)]
    assert play(short, short, *many).tallies["chat"].messages == [3, 3]


def test_another_severity_is_a_difference() -> None:
    """The message is the same but for how loud it is."""
    found = play([Route(to=("hook",))], [Route(to=("hook",), severity="critical")], (0, event(1)))
    assert dict(found.tallies["hook"].severity) == {("worklayer.job.claimed", "info", "critical"): 1}


def test_the_same_routes_make_no_difference_and_memory_stays_flat() -> None:
    """However many events of however many groups are played: closed groups are forgotten."""
    routes = [Route(to=("chat", "hook"), group_by=("...",), group_wait=1.0)]
    found = backtest(Router(routes), TARGETS, Router(routes), TARGETS)
    for number in range(2000):
        found.play(event(number), BEGIN + timedelta(minutes=number))
    assert len(found.before.open) <= 2
    assert len(found.before.not_before) <= 1000
    found.end()
    for tally in found.tallies.values():
        assert tally.messages == [2000, 2000]
        assert not tally.appear + tally.vanish
        assert not tally.moved


def test_news_about_a_target_never_goes_to_it() -> None:
    """In neither config."""
    news = {"id": "evt_1", "type": "jobwire.target.failing", "subject": "target/hook", "data": {"key": "target/hook"}}
    found = play([Route(to=("hook", "other"))], [Route(to=("hook",))], (0, news))
    assert "hook" not in found.tallies
    assert dict(found.tallies["other"].vanish) == {"jobwire.target.failing": 1}
