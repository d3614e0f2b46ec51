"""What PagerDuty is sent."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.conditions import Place, Status
from monitor.errors import TransportTimeout
from monitor.exchange import Request, Response
from monitor.grouping.message import News, Reason
from monitor.targets import TARGETS
from monitor.targets.base import InPlace, Message, Outcome, Target, Verdict
from monitor.targets.telling.cleaning import line
from tests.drive import drive, reply
from tests.pagerduty import KEY, PagerDuty
from tests.unit.targets.events import CLAIMED, EXPIRING, stored
from tests.unit.targets.groups import member, message

CLAIMED_LATER = stored("worklayer.job.claimed", id="evt_later", state={"before": "A", "after": "B"})


def target(**options: Any) -> Target:
    """A pagerduty target."""
    plugin = TARGETS["pagerduty"]
    return plugin.build("pd", plugin.options.model_validate({"type": "pagerduty", "routing_key": KEY, **options}))


def attempt(message: Message, service: PagerDuty, **options: Any) -> Outcome:
    """What becomes of one attempt at a service."""
    result = drive(target(**options).send(message), service.answer).result
    assert isinstance(result, Outcome)
    return result


def sent(message: Message, *answers: Response, **options: Any) -> tuple[list[tuple[str, dict[str, Any]]], Outcome]:
    """The requests of one attempt (path, body) and its outcome; what is not answered otherwise is judged strictly."""
    service = PagerDuty(answers=dict(enumerate(answers)))
    done = drive(
        target(**options).send(message),
        lambda request: service.take("/v2/" + request.url.split("/v2/")[1], request.body or b""),
    )
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
    assert opened["routing_key"] == KEY
    assert opened["payload"]["severity"] == "warning"
    assert opened["payload"]["source"] == "uk-drivers"
    assert "Contract of Tony Stark" in opened["payload"]["summary"]


@pytest.mark.parametrize(("ours", "theirs"), [("critical", "critical"), ("warning", "warning"), ("info", "info")])
def test_severities_are_those_of_pagerduty(ours: str, theirs: str) -> None:
    """The route's word counts."""
    assert events(message([member(severity=ours)]))[0]["payload"]["severity"] == theirs


def test_what_has_no_news_is_not_sent_again() -> None:
    """PagerDuty keeps what is open; only a reminder that is due speaks of it."""
    quiet, new = member(news=News.SAME), member(stored("worklayer.job.failed", id="evt_failed"))
    failed = new.condition.event_bytes
    assert [one["payload"]["class"] for one in events(message([quiet, new], failed))] == ["worklayer.job.failed"]
    assert len(events(message([quiet], reason=Reason.REPEAT))) == 1
    requests, outcome = sent(message([quiet], CLAIMED_LATER, reason=Reason.CHANGED))
    assert [url for url, _ in requests] == ["https://events.pagerduty.com/v2/change/enqueue"]
    assert outcome.verdict is Verdict.DELIVERED


def test_what_is_replayed_is_sent_again() -> None:
    """Somebody asked for it, maybe because the alert was closed over there."""
    (again,) = events(message([member(news=News.SAME)], EXPIRING, reason=Reason.OCCURRED))
    assert again["event_action"] == "trigger"


def test_a_reminder_leaves_out_what_is_kept_quiet() -> None:
    """A silence or an endless flapping is nobody's page."""
    quiet = replace(member(news=News.SAME), silenced_by="silence sil_1")
    held = replace(member(stored("worklayer.job.failed", id="evt_2"), news=News.SAME), held=True)
    assert events(message([quiet, held], reason=Reason.REPEAT)) == []


def test_what_is_snoozed_is_acknowledged() -> None:
    """It must not open an alert that somebody has closed over there, and has nobody paged."""
    snoozed = member(status=Status.SNOOZED, news=News.ATTENDED)
    assert [one["event_action"] for one in events(message([snoozed], reason=Reason.ACKNOWLEDGED))] == ["acknowledge"]


def test_an_alert_lives_as_its_condition_does() -> None:
    """Triggered, taken, ended although a silence keeps it quiet, and a page of its own when it comes back."""
    service = PagerDuty()
    for status, news in (
        (Status.OPEN, News.NEW),
        (Status.OPEN, News.CHANGED),
        (Status.ACKNOWLEDGED, News.ATTENDED),
        (Status.OPEN, News.WORSE),
        (Status.RESOLVED, News.ENDED),
    ):
        at_work = replace(
            member(status=status, news=news), silenced_by="silence sil_1" if status is Status.RESOLVED else None
        )
        assert attempt(message([at_work]), service).verdict is Verdict.DELIVERED
        if status is Status.ACKNOWLEDGED:
            assert list(service.incidents.values()) == ["acknowledged"]
    assert (service.incidents, len(service.pages)) == ({}, 1)
    attempt(message([member()]), service)
    assert (len(service.incidents), len(service.pages)) == (1, 2)


def test_what_moves_to_another_group_of_the_same_service_stays_open() -> None:
    """Both groups have the same key, so the one that it left must not end it; one that it left for good does."""
    old, new = Place("pd", "old", "warning", "r", left=True), Place("pd", "new", "critical", "s")
    assert events(message([member(news=News.ENDED, places=(new, old))])) == []
    other = msgspec.structs.replace(new, target="other")
    (ended,) = events(message([member(news=News.ENDED, places=(other, old))]))
    assert ended["event_action"] == "resolve"


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


def test_the_next_attempt_goes_on_where_the_last_one_ended() -> None:
    """A hundred conditions may be more than one attempt has time for, or than the service takes in a minute."""
    many = [member(stored("worklayer.job.failed", f"job/{n}", id=f"evt_{n}")) for n in range(100)]
    service = PagerDuty(answers={60: reply(status=429, retry_after=30)})
    first = attempt(message(many), service)
    assert (first.verdict, first.hold, first.retry_after, service.requests) == (Verdict.RETRY, True, 30, 61)
    second = attempt(message(many, memory=first.remember), service)
    assert (second.verdict, second.remember, service.requests) == (Verdict.DELIVERED, {}, 101)
    assert (len(service.pages), len(service.incidents)) == (100, 100)
    assert len(json.dumps(first.remember)) < 1_000


def test_an_attempt_that_ran_out_of_time_goes_on_too() -> None:
    """No answer to the third: the first two were taken; where none was, it is a receiver that cannot be reached."""
    many = [member(stored("worklayer.job.failed", f"job/{n}", id=f"evt_{n}")) for n in range(4)]
    service, sending = PagerDuty(), target().send(message(many))
    step = next(sending)
    with pytest.raises(TransportTimeout):
        target().send(message(many)).throw(TransportTimeout("late"))
    for _ in range(2):
        assert isinstance(step, Request)
        step = sending.send(service.answer(step))
    with pytest.raises(StopIteration) as ended:
        sending.throw(TransportTimeout("15 s are over"))
    first = ended.value.value
    assert (first.verdict, "15 s are over" in first.error) == (Verdict.RETRY, True)
    assert attempt(message(many, memory=first.remember), service).verdict is Verdict.DELIVERED
    assert (service.requests, len(service.pages)) == (4, 4)


def test_an_end_is_sent_however_alike_an_earlier_one_was() -> None:
    """What is remembered is what was taken of this very message, not of one like it."""
    over, other = member(status=Status.RESOLVED, revision=2), member(stored("worklayer.job.failed", id="evt_2"))
    service = PagerDuty(answers={1: reply(status=500)})
    first = attempt(message([over, other]), service)
    again = member(status=Status.RESOLVED, revision=4)
    attempt(message([again, other], memory=first.remember), service)
    assert [one["event_action"] for one in service.events] == ["resolve", "resolve", "trigger"]


def test_one_event_that_is_refused_keeps_the_others_from_nothing() -> None:
    """It is sent once more in short; where that is refused as well the others arrive, and the message says so."""
    bad, good = (
        member(stored("worklayer.job.failed", "job/1", id="evt_1")),
        member(stored("worklayer.job.failed", "job/2")),
    )
    picky = PagerDuty(refuses=lambda event: "evt_1" in json.dumps(event))
    outcome = attempt(message([bad, good]), picky)
    assert (outcome.verdict, outcome.error) == (Verdict.DELIVERED, None)
    assert sorted(len(one["payload"]) for one in picky.events) == [4, 8]
    assert "in short" in attempt(message([bad]), PagerDuty(refuses=picky.refuses)).response

    dedup = events(message([bad]))[0]["dedup_key"]
    strict = PagerDuty(refuses=lambda event: event.get("dedup_key") == dedup)
    failed = attempt(message([bad, good]), strict)
    assert (failed.verdict, failed.disable, len(strict.incidents)) == (Verdict.FAILED, False, 1)
    assert "1 of 2 events refused" in (failed.error or "")
    strict.refuses = lambda event: False
    attempt(message([bad, good], memory=failed.remember), strict)
    assert (len(strict.incidents), len(strict.events)) == (2, 2)


def test_a_wrong_routing_key_stops_the_target() -> None:
    """And says so without the key."""
    refusal = {"status": "invalid event", "errors": [f"Invalid routing key {KEY}"]}
    _, outcome = sent(message([member()]), reply(refusal, status=400))
    assert (outcome.verdict, outcome.disable) == (Verdict.FAILED, True)
    assert "routing_key" in (outcome.error or "")
    assert KEY not in outcome.response + (outcome.error or "")


def test_limits_are_kept_and_cuts_are_seen() -> None:
    """512 KB an event, 1,024 characters of summary, 255 of the key, whatever the provider writes."""
    fields = {f"field {n}": "x" * 100_000 for n in range(100)}
    huge = stored(
        "worklayer.job.failed", "job/" + "9" * 100_000, "&<!channel>" * 50_000, fields=fields, state_now="FAILED",
        state={"before": "A", "after": "FAILED"}, url="https://x.example/" + "a" * 100_000,
    )  # fmt: skip
    for body in events(message([member(huge)], huge, CLAIMED)):
        assert len(json.dumps(body)) < 100_000
        payload = body["payload"]
        assert len(payload["summary"]) <= 1024
        assert len(body.get("dedup_key", "")) <= 255
        if "FAILED" in payload["summary"]:
            assert payload["summary"].endswith("…: A → FAILED")
            assert payload["custom_details"]["field 3"] == "x" * 499 + "…"
            assert payload["custom_details"]["more"] == "80 more fields"
            assert "links" not in body


def test_details_are_plain_values() -> None:
    """Numbers and truth as they are, what is nested as text that people read, and none of it Python's."""
    fields = {
        "amount": 12.5,
        "count": 3,
        "large": 2**60,
        "confidential": True,
        "nothing": None,
        "members": ["Tony", "Pepper"],
        "company": {"name": "ACME", "address": {"city": "Malibu", "floors": None}, "open": False},
        "urls": [{"url": "https://x.example"}],
        "empty": [],
        "hidden": "a\u202eb\nc\u200b",
        "type": "of the provider",
        "k\u202eey\n": "v",
    }
    (body,) = events(message([member(stored("worklayer.job.failed", fields=fields))], labels={"team": "ops"}))
    details = body["payload"]["custom_details"]
    what = details.pop("what")
    assert "Tony Stark" in what
    assert details == {
        "amount": 12.5,
        "count": 3,
        "large": str(2**60),
        "confidential": True,
        "members": "Tony, Pepper",
        "company": 'name: ACME; address: {"city":"Malibu","floors":null}; open: no',
        "urls": '{"url":"https://x.example"}',
        "empty": "",
        "hidden": "ab c",
        "resource type": "of the provider",
        "key": "v",
        "event_id": "evt_4kq7aaaa",
        "type": "worklayer.job.failed",
        "route": "routes[0]",
        "team": "ops",
    }


TEXTS = st.text(max_size=60)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXTS,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=6,
)


@settings(max_examples=40)
@given(TEXTS, st.dictionaries(TEXTS, VALUES, max_size=25), TEXTS, TEXTS)
def test_whatever_a_provider_writes_is_an_event_that_is_taken(
    title: str, fields: dict[str, Any], state: str, url: str
) -> None:
    """Every documented rule holds, and nothing that people read turns, hides or breaks a line."""
    event = stored(
        "worklayer.job.failed", title=title, fields=fields, url=f"https://x.example/{url}",
        state={"before": "A", "after": state}, id="evt_failed",
    )  # fmt: skip
    both = message([member(event)], event, stored("worklayer.job.updated", title=title, fields=fields, url=url))
    requests, outcome = sent(both)
    assert (outcome.verdict, len(requests)) == (Verdict.DELIVERED, 2)
    for _, body in requests:
        texts = [
            body["payload"]["summary"],
            *body["payload"]["custom_details"],
            *body["payload"]["custom_details"].values(),
        ]
        assert all(line(one, 5_000) == one for one in texts if isinstance(one, str))


def test_it_hears_of_acknowledgements() -> None:
    """What somebody takes here is taken there."""
    built = target()
    assert isinstance(built, InPlace)
    assert built.attends
