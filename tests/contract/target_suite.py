"""What every target must keep, whoever wrote it: run over the registry by test_targets.py.

A target brings tests/samples/NAME/options.json (the least it takes, with recognisable secrets) and
answers.json: answers `{status, headers, text}` by what must become of a delivery: `delivered`, `retry`
(tried again), `hold` (slows the whole target, by 7 seconds), `failed` (given up), `disable` (stops the target).
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError

from monitor.conditions import Status
from monitor.errors import ConnectFailed, TransportError, TransportTimeout
from monitor.exchange import Exchange, Request, Response
from monitor.grouping.message import News, Reason
from monitor.targets import TARGETS
from monitor.targets.base import Message, Outcome, TargetOptions, Verdict
from tests.contract.target_case import Case
from tests.drive import drive
from tests.unit.targets.events import CLAIMED, EXPIRING, stored
from tests.unit.targets.groups import member, message

LARGEST_ANSWER = 65_536
RECORDED = 6_000
"""Characters of an answer that may be kept: 4 KB, or its base64."""


def its_options_are_a_model_of_their_own(case: Case) -> None:
    """They take what every target takes, name the type, and describe each option for the schema."""
    model = TARGETS[case.name].options
    assert issubclass(model, TargetOptions)
    assert case.given["type"] == case.name
    assert [name for name, field in model.model_fields.items() if not field.description] == []
    assert model.model_json_schema()["type"] == "object"


def unknown_options_are_refused(case: Case) -> None:
    """A misspelt key is an error that names the key and not its value, which may be a secret."""
    with pytest.raises(ValidationError) as caught:
        TARGETS[case.name].options.model_validate(case.given | {"tokne": "canary-misspelt"})
    assert "tokne" in str(caught.value)
    assert "canary-misspelt" not in str(caught.value)


def wrong_options_do_not_show_secrets(case: Case) -> None:
    """Neither a wrong value nor a missing one prints what else was given."""
    for key in case.given:
        refused = []
        for wrong in ([["canary-wrong"]], {"canary": ["canary-wrong"]}, 1.5):
            try:
                TARGETS[case.name].options.model_validate(case.given | {key: wrong})
            except ValidationError as error:
                refused.append(str(error))
        assert refused, f"anything is taken for {key}"
        shown = "".join(refused)
        assert not [secret for secret in (*case.secrets(), "canary-wrong") if secret in shown]


def secrets_stay_out_of_sight(case: Case) -> None:
    """Not in options, target, address or requests, and not in an outcome whose answer quotes them back."""
    secrets = case.secrets()
    assert secrets, "the sample options hold no secret: is it declared as one?"
    shown = [repr(case.options), str(case.options), repr(case.target), case.target.address()]
    shown += [repr(request) for request in case.requests()]
    sent = [value for request in case.requests() for value in request.headers.values()]
    echoed = [secret for secret in secrets if any(secret in value for value in sent)]
    for status in (200, 302, 400, 401, 404, 429, 500):
        result = case.outcome(Response(status, {}, f"you sent {' '.join(echoed)}".encode()))
        shown += [repr(result), str(result.error), result.response]
    assert not [(secret, text) for text in shown for secret in secrets if secret in text]


def its_address_is_for_people(case: Case) -> None:
    """One short line that says where messages go."""
    address = case.target.address()
    assert address.strip()
    assert address.isprintable()
    assert len(address) <= 200


def its_destinations_are_known_to_check(case: Case) -> None:
    """Whatever it asks goes to a host that its options named, so that `check` can judge it beforehand."""
    hosts = {urlsplit(url).hostname for url in case.options.destinations().values()}
    assert hosts
    assert {urlsplit(request.url).hostname for request in case.requests()} <= hosts


def its_requests_are_its_own(case: Case) -> None:
    """A generator of requests that nobody authorises or repeats for it."""
    attempt = case.target.send(case.message())
    assert inspect.isgenerator(attempt)
    assert isinstance(next(attempt), Request)
    attempt.close()
    for request in case.requests():
        assert not request.authorise
        assert not request.idempotent
        assert request.headers["user-agent"].startswith("jobwire/")


def success_is_delivered(case: Case) -> None:
    """The answer that means success, recorded with the address it came from."""
    for answer in case.answers("delivered"):
        result = case.outcome(answer)
        assert (result.verdict, result.status) == (Verdict.DELIVERED, answer.status)
        assert (result.error, result.disable, result.hold) == (None, False, False)
        assert result.address == "192.0.2.1"


def passing_trouble_is_tried_again(case: Case) -> None:
    """It has a reason in words, and concerns this message alone."""
    for answer in case.answers("retry"):
        result = case.outcome(answer)
        assert (result.verdict, result.status) == (Verdict.RETRY, answer.status)
        assert result.error
        assert (result.disable, result.hold, result.address) == (False, False, "192.0.2.1")


def a_receiver_that_asks_for_quiet_gets_it(case: Case) -> None:
    """The whole target waits, at least as long as was asked."""
    for answer in case.answers("hold"):
        result = case.outcome(answer)
        assert (result.verdict, result.hold) == (Verdict.RETRY, True)
        assert (result.retry_after or 0) >= 7


def what_cannot_succeed_is_given_up(case: Case) -> None:
    """The message fails for good, and the target goes on."""
    for answer in case.answers("failed"):
        result = case.outcome(answer)
        assert (result.verdict, result.disable) == (Verdict.FAILED, False)
        assert result.error


def a_target_that_is_gone_is_disabled(case: Case) -> None:
    """Credentials or destination are final: nothing more is sent, and the reason says what to do."""
    for answer in case.answers("disable"):
        result = case.outcome(answer)
        assert (result.verdict, result.disable) == (Verdict.FAILED, True)
        assert result.error


def any_answer_becomes_an_outcome(case: Case) -> None:
    """Whatever status, headers and bytes come back: an outcome, never an exception, and a bounded record."""
    bodies = (b"", b"ok", b"{}", b"[" * LARGEST_ANSWER, b"\xff\x00" * 30_000, b'{"ok": 1}', b"null", b'"x"', b"\x1b[2J")
    for status in (100, 200, 201, 204, 299, 300, 304, 399, 400, 403, 404, 410, 418, 429, 499, 500, 503, 599, 999):
        for body in bodies:
            for headers in ({}, {"retry-after": "soon", "location": "http://[", "webhook-delivery": "?"}):
                result = case.outcome(Response(status, headers, body, truncated=len(body) == LARGEST_ANSWER))
                assert isinstance(result.verdict, Verdict)
                assert len(result.response) <= RECORDED
                assert len(result.error or "") <= 1000
                assert result.verdict is Verdict.DELIVERED or result.error


def transport_errors_are_left_to_the_delivery(case: Case) -> None:
    """No answer, to whichever request: the runner's error passes through, or becomes another try."""
    for error in (TransportTimeout("late"), ConnectFailed("refused")):
        for attempt in _stopped(case):
            assert _fate(attempt, error) in {"raised", Verdict.RETRY}


def an_attempt_can_be_broken_off_at_any_point(case: Case) -> None:
    """Shutdown closes the generator, at whichever request; it must not go on, nor complain."""
    for attempt in _stopped(case):
        attempt.close()
        with pytest.raises(StopIteration):
            next(attempt)


def it_remembers_nothing(case: Case) -> None:
    """A second attempt asks for the same with the same bytes: repetitions are recognised by what they are."""
    target, success = case.target, case.answers("delivered")[0]
    first, second, other = (
        drive(one.send(case.message(attempt=number)), lambda request: success).requests
        for one, number in ((target, 1), (target, 2), (case.target, 1))
    )
    asked = [[(one.method, one.url, one.body) for one in requests] for requests in (first, second, other)]
    assert asked[0] == asked[1] == asked[2]


def what_people_read_is_clean(case: Case) -> None:
    """Nothing a provider hides, turns or colours gets into a text; whoever sends the event itself sends it as it is."""
    nasty = "a\u202eb\u200bc\x1b[31md\u2066e"
    event = stored("worklayer.job.failed", title=nasty, state={"before": nasty, "after": nasty}, id="evt_nasty")
    messages = [case.message(event)]
    messages += [message([member(event)]), message([member(event, Status.RESOLVED)])] if case.target.grouped else []
    for one in messages:
        for request in drive(case.target.send(one), lambda request: case.answers("delivered")[0]).requests:
            if event not in (request.body or b""):
                read = "".join(_texts(json.loads(request.body or b"null")))
                assert "a" in read
                assert not set("\u202e\u200b\x1b\u2066") & set(read)


def a_group_is_told_whatever_it_is_in(case: Case) -> None:
    """Conditions of every status, for every reason, with what happened beside them; an end is no repetition."""
    if not case.target.grouped:
        return
    success = case.answers("delivered")[0]

    def asked(what: Message) -> list[Request]:
        driven = drive(case.target.send(what), lambda request: success)
        assert driven.result is not None
        assert driven.result.verdict is Verdict.DELIVERED
        return driven.requests

    other = stored("worklayer.job.failed", id="evt_failed")
    for reason in Reason:
        for status in Status:
            asked(message([member(status=status), member(other, news=News.SAME)], CLAIMED, reason=reason))
        for news in News:
            asked(message([member(news=news)], reason=reason))
    bodies = [
        [one.body for one in asked(message([member(status=status)]))] for status in (Status.OPEN, Status.RESOLVED)
    ]
    assert bodies[0] != bodies[1]
    huge = [
        member(
            stored(
                "worklayer.job.failed", f"job/{n}", "<!channel>&" * 10_000, id=f"evt_{n}", fields={"a": "x" * 50_000}
            )
        )
        for n in range(100)
    ]
    for request in asked(message(huge)):
        assert len(request.body or b"") <= 256_000


def the_largest_event_is_sent_too(case: Case) -> None:
    """100 kB of text in every place; a grouped target takes a hundred of them."""
    huge = stored("worklayer.job.updated", title="<!channel>&" * 10_000, changes=[{"field": "x" * 100_000}] * 5)
    for events in ((huge,), (huge,) * 100 if case.target.grouped else (huge,)):
        for request in case.requests(*events):
            assert request.body
            assert len(request.body) <= (100_000 if case.target.grouped else len(huge))


def any_event_of_the_contract_can_be_sent(case: Case) -> None:
    """Resource, clock and monitor events, with everything that may be null."""
    events = (
        CLAIMED,
        EXPIRING,
        stored("bindbee.job.state_cleared", state={"before": "OPEN", "after": None}),
        stored("jobwire.source.failing", "source/tax", details={"error": "down"}),
        stored("jobwire.target.disabled", "target/ops", details={}),
        stored("jobwire.test", "target/ops"),
    )
    for event in events:
        assert case.outcome(case.answers("delivered")[0], event).verdict is Verdict.DELIVERED


def _texts(value: Any) -> Iterator[str]:
    """Every text in JSON, names too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value:
            yield from _texts(one)
            yield from _texts(value[one]) if isinstance(value, dict) else ()


def _stopped(case: Case) -> Iterator[Exchange[Outcome]]:
    """Attempts that wait for the answer to their first request, their second and so on, up to their last."""
    success = case.answers("delivered")[0]
    for answered in range(len(case.requests())):
        attempt = case.target.send(case.message())
        next(attempt)
        for _ in range(answered):
            attempt.send(success)
        yield attempt


def _fate(attempt: Exchange[Outcome], error: TransportError) -> str:
    try:
        attempt.throw(error)
    except StopIteration as end:
        return str(end.value.verdict)
    except TransportError:
        return "raised"
    raise AssertionError("it goes on asking although no answer came")


CHECKS: tuple[Callable[[Case], None], ...] = (
    its_options_are_a_model_of_their_own,
    unknown_options_are_refused,
    wrong_options_do_not_show_secrets,
    secrets_stay_out_of_sight,
    its_address_is_for_people,
    its_destinations_are_known_to_check,
    its_requests_are_its_own,
    success_is_delivered,
    passing_trouble_is_tried_again,
    a_receiver_that_asks_for_quiet_gets_it,
    what_cannot_succeed_is_given_up,
    a_target_that_is_gone_is_disabled,
    any_answer_becomes_an_outcome,
    transport_errors_are_left_to_the_delivery,
    an_attempt_can_be_broken_off_at_any_point,
    it_remembers_nothing,
    what_people_read_is_clean,
    a_group_is_told_whatever_it_is_in,
    the_largest_event_is_sent_too,
    any_event_of_the_contract_can_be_sent,
)
