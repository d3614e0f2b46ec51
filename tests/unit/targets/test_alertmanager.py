"""What an Alertmanager is sent."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from monitor.conditions import Status
from monitor.grouping.message import News, Reason
from monitor.moments import stamp
from monitor.targets import TARGETS
from monitor.targets.base import Message, Outcome, Refreshed, Target
from tests.drive import drive, reply
from tests.unit.targets.events import CLAIMED, EXPIRING, stored
from tests.unit.targets.groups import NOW, member, message


def target(**options: Any) -> Target:
    """An alertmanager target."""
    given = {"type": "alertmanager", "url": "http://am.example:9093/prefix/", **options}
    plugin = TARGETS["alertmanager"]
    return plugin.build("am", plugin.options.model_validate(given))


def alerts(message: Message, **options: Any) -> list[dict[str, Any]]:
    """The alerts that one attempt sends."""
    done = drive(target(**options).send(message), lambda request: reply(status=200))
    (request,) = done.requests
    assert request.url == "http://am.example:9093/prefix/api/v2/alerts"
    assert isinstance(done.result, Outcome)
    found: list[dict[str, Any]] = json.loads(request.body or b"")
    return found


def test_an_open_condition_is_a_firing_alert() -> None:
    """Labels name it, its end lies four refreshes ahead, and it says in words what is so."""
    (alert,) = alerts(message([member()], labels={"team": "ops", "on-call": "yes"}))

    assert alert["labels"] == {
        "alertname": "driver_jobs.contract.expiring",
        "source": "uk-drivers",
        "provider": "driver_jobs",
        "kind": "contract",
        "resource": "uk-drivers/contract/298",
        "severity": "warning",
        "team": "ops",
        "on_call": "yes",
    }
    assert alert["startsAt"] == stamp(NOW - timedelta(minutes=5))
    assert alert["endsAt"] == stamp(NOW + timedelta(minutes=4))
    assert "Contract of Tony Stark" in alert["annotations"]["summary"]
    assert alert["annotations"]["event_id"] == "evt_4kq7aaaa"


def test_a_condition_that_is_over_ends_the_same_alert() -> None:
    """The labels are the ones it opened with: Alertmanager finds it by them alone."""
    (opened,) = alerts(message([member()]))
    (ended,) = alerts(message([member(status=Status.RESOLVED)], reason=Reason.ALL_RESOLVED))

    assert ended["labels"] == opened["labels"]
    assert ended["startsAt"] == opened["startsAt"]
    assert ended["endsAt"] == stamp(NOW)


def test_what_it_was_called_before_is_ended() -> None:
    """An expiring contract that is overdue now is another alert; the first one must not stay open for ever."""
    overdue = stored("driver_jobs.contract.overdue", "contract/298", source="uk-drivers")
    later = member(overdue, news=News.WORSE, former=("driver_jobs.contract.expiring",), changed_at=NOW)
    now, former = alerts(message([later], reason=Reason.WORSE))

    assert (now["labels"]["alertname"], now["endsAt"] > stamp(NOW)) == ("driver_jobs.contract.overdue", True)
    assert (former["labels"]["alertname"], former["endsAt"]) == ("driver_jobs.contract.expiring", stamp(NOW))
    (opened,) = alerts(message([member()]))
    assert former["labels"] == opened["labels"]


def test_an_alert_never_ends_when_it_begins() -> None:
    """Alertmanager refuses such an alert, and with it the whole batch."""
    (alert,) = alerts(message([member(status=Status.RESOLVED, opened_at=NOW)], reason=Reason.ALL_RESOLVED))
    assert alert["endsAt"] > alert["startsAt"]


def test_an_occurrence_ends_by_itself() -> None:
    """Nothing ever ends it, so it stands for a while from when it is sent, under a name of its own."""
    first, second = alerts(message([], CLAIMED, stored("worklayer.job.claimed", id="evt_other")))

    assert first["labels"]["alertname"] == "worklayer.job.claimed"
    assert (first["labels"]["event"], second["labels"]["event"]) == ("evt_4kq7aaaa", "evt_other")
    assert first["endsAt"] == stamp(NOW + timedelta(minutes=5))
    assert "event" not in alerts(message([member()]))[0]["labels"]


def test_a_condition_is_told_by_its_alert_alone() -> None:
    """The event that opened it is no occurrence beside it."""
    assert len(alerts(message([member()], EXPIRING))) == 1
    assert len(alerts(message([member()], EXPIRING, stored("worklayer.job.claimed", id="evt_other")))) == 2


def test_it_says_how_often_it_must_be_told() -> None:
    """An Alertmanager forgets what is not told again."""
    built = target(refresh="30s")
    assert isinstance(built, Refreshed)
    assert built.refresh == 30.0


@pytest.mark.parametrize("url", ["javascript:alert(1)", "", None])
def test_only_web_addresses_become_links(url: str | None) -> None:
    """A provider's text is no link that somebody may click."""
    (alert,) = alerts(message([member(stored("worklayer.job.failed", url=url))]))
    assert "generatorURL" not in alert
    (linked,) = alerts(message([member(stored("worklayer.job.failed", url="https://jobs.example/7"))]))
    assert linked["generatorURL"] == "https://jobs.example/7"


def test_what_ended_a_condition_is_no_alert_of_its_own() -> None:
    """The all-clear must not fire a new one: the end of the condition's alert tells it."""
    failed = stored("devrev.job.failed", id="evt_failed")
    queued = stored("devrev.job.queued", id="evt_queued")
    (alert,) = alerts(message([member(failed, status=Status.RESOLVED)], queued, reason=Reason.ALL_RESOLVED))
    assert alert["labels"]["alertname"] == "devrev.job.failed"
    assert alert["endsAt"] == stamp(NOW)
