"""What every target must keep, whoever wrote it: run over the registry by test_targets.py.

A target brings tests/samples/NAME/options.json (the least it takes, with recognisable secrets) and
answers.json: answers `{status, headers, text}` by what must become of a delivery: `delivered`, `retry`
(tried again), `hold` (slows the whole target, by 7 seconds), `failed` (given up), `disable` (stops the target).
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError

from monitor.errors import ConnectFailed, TransportError, TransportTimeout
from monitor.exchange import Request, Response
from monitor.targets import TARGETS
from monitor.targets.base import Message, Outcome, Target, TargetOptions, Verdict
from monitor.values import secrets_of
from tests.drive import drive, sample
from tests.unit.targets.events import CLAIMED, EXPIRING, stored

NOW = datetime(2026, 1, 5, 9, 30, 5, tzinfo=UTC)
LARGEST_ANSWER = 65_536
RECORDED = 6_000
"""Characters of an answer that may be kept: 4 KB, or its base64."""


@dataclass(frozen=True)
class Case:
    """One registered target with its samples."""

    name: str

    @property
    def given(self) -> dict[str, Any]:
        """The sample options as the config file has them."""
        options: dict[str, Any] = json.loads(sample(self.name, "options.json"))
        return options

    @property
    def options(self) -> TargetOptions:
        """The sample options, validated."""
        options: TargetOptions = TARGETS[self.name].options.model_validate(self.given)
        return options

    @property
    def target(self) -> Target:
        """The target built from them."""
        return TARGETS[self.name].build("here", self.options)

    def secrets(self) -> list[str]:
        """Every secret among the sample options, those within URLs too."""
        found = [secret.get_secret_value() for _, secret in secrets_of(self.options)]
        for url in self.options.destinations().values():
            parts = urlsplit(url)
            found += [part for part in (parts.password, parts.query) if part]
        return found

    def answers(self, fate: str) -> list[Response]:
        """The sample answers after which a delivery has this fate."""
        answers = json.loads(sample(self.name, "answers.json"))[fate]
        assert answers, f"answers.json has no answer for {fate}"
        return [
            Response(one["status"], one.get("headers", {}), one.get("text", "").encode(), address="192.0.2.1")
            for one in answers
        ]

    def outcome(self, response: Response, *events: bytes) -> Outcome:
        """What becomes of an attempt to which everything is answered alike."""
        result = drive(self.target.send(self.message(*events)), lambda request: response).result
        assert isinstance(result, Outcome)
        return result

    def requests(self, *events: bytes, attempt: int = 1) -> list[Request]:
        """What a successful attempt asks for."""
        success = self.answers("delivered")[0]
        return drive(self.target.send(self.message(*events, attempt=attempt)), lambda request: success).requests

    def message(self, *events: bytes, attempt: int = 1) -> Message:
        """A message about these events, or about one of ours."""
        return Message("evt_4kq7aaaa", events or (CLAIMED,), attempt, NOW)


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
    """No answer: the runner's error passes through, or becomes another try."""
    for error in (TransportTimeout("late"), ConnectFailed("refused")):
        assert _fate(case, error) in {"raised", Verdict.RETRY}


def an_attempt_can_be_broken_off_at_any_point(case: Case) -> None:
    """Shutdown closes the generator; it must not go on, nor complain."""
    attempt = case.target.send(case.message())
    next(attempt)
    attempt.close()
    with pytest.raises(StopIteration):
        next(attempt)


def it_remembers_nothing(case: Case) -> None:
    """A second attempt asks for the same with the same bytes: repetitions are recognised by what they are."""
    first, second = case.requests(), case.requests(attempt=2)
    assert [(one.method, one.url, one.body) for one in first] == [(one.method, one.url, one.body) for one in second]


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


def _fate(case: Case, error: TransportError) -> str:
    attempt = case.target.send(case.message())
    next(attempt)
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
    the_largest_event_is_sent_too,
    any_event_of_the_contract_can_be_sent,
)
