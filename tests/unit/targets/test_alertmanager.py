"""What an Alertmanager is sent."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitor.conditions import Place, Status
from monitor.grouping.message import News, Reason
from monitor.moments import stamp
from monitor.targets import TARGETS
from monitor.targets.base import Message, Outcome, Refreshed, Target, Verdict
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
    over = member(failed, status=Status.RESOLVED, ended_event="evt_queued")
    (alert,) = alerts(message([over], queued, reason=Reason.ALL_RESOLVED))
    assert alert["labels"]["alertname"] == "devrev.job.failed"
    assert alert["endsAt"] == stamp(NOW)


def test_what_came_after_the_end_is_told() -> None:
    """Of the events about a resource whose condition is over only the one that ended it is told by that end."""
    failed = stored("devrev.job.failed", id="evt_failed")
    queued = stored("devrev.job.queued", id="evt_queued")
    done = stored("devrev.job.completed", id="evt_completed")
    over = member(failed, status=Status.RESOLVED, ended_event="evt_queued")
    _, later = alerts(message([over], queued, done, reason=Reason.ALL_RESOLVED))
    assert (later["labels"]["alertname"], later["labels"]["event"]) == ("devrev.job.completed", "evt_completed")
    assert later["endsAt"] > stamp(NOW)


def test_an_end_that_no_event_tells_silences_no_occurrence() -> None:
    """The monitor itself found it over: what happens to the resource is told all the same."""
    over = member(stored("devrev.job.failed", id="evt_failed"), status=Status.RESOLVED)
    assert len(alerts(message([over], stored("devrev.job.queued", id="evt_queued")))) == 2


def test_a_rung_that_a_tighter_one_followed_is_no_occurrence() -> None:
    """Two rungs that waited for one message are one condition; of another contract it would be."""
    thirty = stored("driver_jobs.contract.expiring", "contract/298", source="uk-drivers", id="evt_thirty")
    other = stored("driver_jobs.contract.expiring", "contract/299", source="uk-drivers", id="evt_other")
    assert len(alerts(message([member()], thirty, EXPIRING))) == 1
    assert len(alerts(message([member()], thirty, EXPIRING, other))) == 2


def test_an_occurrence_has_its_own_severity() -> None:
    """Not that of the gravest thing which goes with it in one message."""
    grave = member(stored("worklayer.job.failed", id="evt_failed"), severity="critical")
    both = message([grave], grave.condition.event_bytes, CLAIMED)
    assert [one["labels"]["severity"] for one in alerts(both)] == ["critical", "info"]
    known = replace(both, severities=("critical", "warning"))
    assert [one["labels"]["severity"] for one in alerts(known)] == ["critical", "warning"]


def test_what_it_was_called_before_is_ended_whatever_its_severity_was() -> None:
    """A route that calls all of it critical, and one that leaves it to the type: both names are ended."""
    overdue = stored("driver_jobs.contract.overdue", "contract/298", source="uk-drivers")
    later = member(overdue, news=News.WORSE, former=("driver_jobs.contract.expiring",), severity="critical")
    _, *former = alerts(message([later], reason=Reason.WORSE))
    assert [one["labels"]["severity"] for one in former] == ["critical", "warning"]
    assert {one["labels"]["alertname"] for one in former} == {"driver_jobs.contract.expiring"}


def test_what_moves_to_another_group_of_the_same_target_goes_on() -> None:
    """Its new group may tell it by the very same labels, which the old one must not end."""
    moved = member(
        news=News.ENDED, places=(Place("am", "old", "warning", "r", left=True), Place("am", "new", "warning", "r"))
    )
    done = drive(target().send(message([moved])), lambda request: reply(status=200))
    assert isinstance(done.result, Outcome)
    assert (done.requests, done.result.verdict) == ([], Verdict.DELIVERED)
    gone = member(
        news=News.ENDED, places=(Place("am", "old", "warning", "r", left=True), Place("pd", "new", "warning", "r"))
    )
    assert alerts(message([gone]))[0]["endsAt"] == stamp(NOW)


def test_an_alert_that_is_told_again_counts_no_days() -> None:
    """What was in 14 days at first is not any more; the date stays true."""
    (first,), (again,) = (alerts(message([member(news=news)])) for news in (News.NEW, News.SAME))
    assert "in 14 days" in first["annotations"]["summary"]
    assert "in 14 days" not in again["annotations"]["summary"] + again["annotations"]["description"]
    assert "20 Dec 2025" in again["annotations"]["summary"]
    assert first["labels"] == again["labels"]


def test_annotations_are_clean_and_labels_are_keys() -> None:
    """What people read has nothing hidden in it; what names an alert is as it came, so that alike keys stay apart."""
    tricky = stored(
        "worklayer.job.failed", "job/7\u200b", title="paid\u202etwice\n", state={"before": "A", "after": "B"}
    )
    (alert,) = alerts(message([member(tricky)]))
    assert alert["annotations"]["summary"] == "paidtwice: A → B"
    assert alert["labels"]["resource"] == "tax/job/7\u200b"
