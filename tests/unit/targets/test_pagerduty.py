"""What PagerDuty is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.conditions import Status
from monitor.exchange import Response
from monitor.grouping.message import News, Reason
from monitor.targets import TARGETS
from monitor.targets.base import InPlace, Message, Outcome, Target, Verdict
from tests.drive import drive, reply
from tests.unit.targets.events import CLAIMED, EXPIRING, stored
from tests.unit.targets.groups import member, message


def target(**options: Any) -> Target:
    """A pagerduty target."""
    plugin = TARGETS["pagerduty"]
    given = {"type": "pagerduty", "routing_key": "0123456789abcdef0123456789abcdef", **options}
    return plugin.build("pd", plugin.options.model_validate(given))


def sent(message: Message, *answers: Response, **options: Any) -> tuple[list[tuple[str, dict[str, Any]]], Outcome]:
    """The requests of one attempt (path, body) and what became of it; what is not answered otherwise is taken."""
    left = list(answers)
    done = drive(target(**options).send(message), lambda request: left.pop(0) if left else reply(status=202))
    assert isinstance(done.result, Outcome)
    found = [(one.url, json.loads(one.body or b"")) for one in done.requests]
    return found, done.result


def events(message: Message, **options: Any) -> list[dict[str, Any]]:
    """The bodies of one attempt."""
    return [body for _, body in sent(message, **options)[0]]


def test_a_condition_is_triggered_acknowledged_and_resolved_under_one_key() -> None:
    """The key is a function of what it is about and what is wrong."""
    (opened,) = events(message([member()]))
    (seen,) = events(message([member(status=Status.ACKNOWLEDGED)], reason=Reason.ACKNOWLEDGED))
    (ended,) = events(message([member(status=Status.RESOLVED)], reason=Reason.ALL_RESOLVED))

    actions = [one["event_action"] for one in (opened, seen, ended)]
    assert actions == ["trigger", "acknowledge", "resolve"]
    assert len({one["dedup_key"] for one in (opened, seen, ended)}) == 1
    assert len(opened["dedup_key"]) <= 255
    assert opened["routing_key"] == "0123456789abcdef0123456789abcdef"
    assert opened["payload"]["severity"] == "warning"
    assert opened["payload"]["source"] == "uk-drivers"
    assert "Contract of Tony Stark" in opened["payload"]["summary"]


@pytest.mark.parametrize(("ours", "theirs"), [("critical", "critical"), ("warning", "warning"), ("info", "info")])
def test_severities_are_those_of_pagerduty(ours: str, theirs: str) -> None:
    """The route's word counts."""
    assert events(message([member(severity=ours)]))[0]["payload"]["severity"] == theirs


def test_what_has_no_news_is_not_sent_again() -> None:
    """PagerDuty keeps what is open; only a reminder that is due speaks of it."""
    quiet, new = member(news=News.SAME), member(stored("worklayer.job.failed"))
    assert [one["payload"]["class"] for one in events(message([quiet, new]))] == ["worklayer.job.failed"]
    assert len(events(message([quiet], reason=Reason.REPEAT))) == 1
    requests, outcome = sent(message([quiet], EXPIRING, reason=Reason.CHANGED))
    assert (requests, outcome.verdict) == ([], Verdict.DELIVERED)


def test_an_occurrence_pages_nobody() -> None:
    """It is a change event, which stands beside incidents and opens none."""
    ((url, body),), _ = sent(message([], CLAIMED))
    assert url == "https://events.pagerduty.com/v2/change/enqueue"
    assert body["payload"]["summary"].startswith("Tony Stark | 2021 | 1040")
    assert "event_action" not in body


def test_a_test_opens_an_alert_and_ends_it() -> None:
    """It shows that alerts get through, and leaves nothing open."""
    found = events(message([], stored("jobwire.test", "target/pd")))
    assert [one["event_action"] for one in found] == ["trigger", "resolve"]
    assert found[0]["dedup_key"] == found[1]["dedup_key"]


@pytest.mark.parametrize(
    ("url", "alerts"),
    [
        ("https://events.eu.pagerduty.com", "https://events.eu.pagerduty.com/v2/enqueue"),
        ("https://events.eu.pagerduty.com/v2/enqueue", "https://events.eu.pagerduty.com/v2/enqueue"),
        ("http://127.0.0.1:9/pd/", "http://127.0.0.1:9/pd/v2/enqueue"),
    ],
)
def test_regions_and_proxies(url: str, alerts: str) -> None:
    """The root of the API, or the whole address as PagerDuty's pages show it."""
    ((asked, _),), _ = sent(message([member()]), url=url)
    assert asked == alerts


def test_the_first_failure_ends_the_attempt() -> None:
    """The rest waits for the next attempt, which sends all again under the same keys."""
    many = [member(stored("worklayer.job.failed", f"job/{n}", id=f"evt_{n}")) for n in range(3)]
    requests, outcome = sent(message(many), reply(status=202), reply(status=500))
    assert len(requests) == 2
    assert (outcome.verdict, outcome.status) == (Verdict.RETRY, 500)


def test_a_wrong_routing_key_stops_the_target() -> None:
    """And says so without the key."""
    refusal = {"status": "invalid event", "errors": ["Invalid routing key 0123456789abcdef0123456789abcdef"]}
    _, outcome = sent(message([member()]), reply(refusal, status=400))
    assert (outcome.verdict, outcome.disable) == (Verdict.FAILED, True)
    assert "routing_key" in (outcome.error or "")
    assert "0123456789abcdef" not in outcome.response + (outcome.error or "")


def test_limits_are_kept() -> None:
    """512 KB an event, 1,024 characters of summary, whatever the provider writes."""
    fields = {f"field {n}": "x" * 100_000 for n in range(100)}
    huge = stored("worklayer.job.failed", title="&<!channel>" * 50_000, fields=fields, state_now="FAILED")
    for body in events(message([member(huge)], huge, CLAIMED)):
        assert len(json.dumps(body)) < 100_000
        assert len(body["payload"]["summary"]) <= 1024


def test_it_hears_of_acknowledgements() -> None:
    """What somebody takes here is taken there."""
    built = target()
    assert isinstance(built, InPlace)
    assert built.attends
