"""What a target must keep that speaks through a library, in a thread: no requests, and what the call returns counts."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from monitor.conditions import Status
from monitor.errors import ConnectFailed, TransportError, TransportTimeout
from monitor.exchange import Blocking
from monitor.grouping.message import News, Reason
from monitor.targets.base import Outcome, Verdict
from tests.contract.target_case import Case
from tests.contract.target_suite import (
    its_address_is_for_people,
    its_options_are_a_model_of_their_own,
    unknown_options_are_refused,
    wrong_options_do_not_show_secrets,
)
from tests.drive import Driven, drive
from tests.unit.targets.events import CLAIMED, EXPIRING, stored
from tests.unit.targets.groups import member, message

THREADED = ("apprise",)


def attempt(case: Case, returned: object, *events: bytes, number: int = 1) -> Driven[Outcome]:
    """One attempt whose call returns this."""

    def no_requests(_: object) -> Any:
        raise AssertionError("it asks over HTTP by itself")

    return drive(case.target.send(case.message(*events, attempt=number)), no_requests, returning=lambda _: returned)


def outcome(case: Case, returned: object, *events: bytes) -> Outcome:
    """What becomes of such an attempt."""
    result = attempt(case, returned, *events).result
    assert isinstance(result, Outcome)
    return result


def everything_told(case: Case) -> list[bool]:
    """What the call returns when each of its services has it."""
    return [True] * len(case.given["urls"])


def only_true_is_delivered(case: Case) -> None:
    """Every service has to say so; anything else, nothing included, is a failure that is tried again and says why."""
    told = everything_told(case)
    assert outcome(case, told).verdict is Verdict.DELIVERED
    answers: tuple[object, ...] = (
        None,
        False,
        [],
        [None] * len(told),
        [False, *told[1:]],
        told[1:],
        [1] * len(told),
        "yes",
        {},
    )
    for falsy in answers:
        result = outcome(case, falsy)
        assert (result.verdict, result.disable) == (Verdict.RETRY, False)
        assert result.error


def secrets_stay_out_of_sight(case: Case) -> None:
    """Not in options, target, address or steps, and not in an outcome."""
    secrets = [*case.secrets(), "canary"]
    shown = [repr(case.options), str(case.options), repr(case.target), case.target.address()]
    for returned in (everything_told(case), [False] * len(case.given["urls"]), case.given["urls"]):
        driven = attempt(case, returned)
        shown += [repr(driven.calls), repr([one.shown for one in driven.calls]), repr(driven.result)]
    assert not [(secret, text) for text in shown for secret in secrets if secret in text]


def its_step_is_one_call(case: Case) -> None:
    """A generator, without a call before it is asked to go on, and the same words at each attempt."""
    assert inspect.isgenerator(case.target.send(case.message()))
    first, second = (attempt(case, everything_told(case), number=number).calls for number in (1, 2))
    assert len(first) == 1
    assert first[0].shown == second[0].shown


def transport_errors_are_left_to_the_delivery(case: Case) -> None:
    """A call that fails or does not come back: the runner's error passes through, or becomes another try."""
    for error in (TransportTimeout("late"), ConnectFailed("failed")):
        sending = case.target.send(case.message())
        assert isinstance(next(sending), Blocking)
        with pytest.raises((TransportError, StopIteration)):
            sending.throw(error)


def an_attempt_can_be_broken_off_at_any_point(case: Case) -> None:
    """Shutdown closes the generator; it must not go on, nor complain."""
    sending = case.target.send(case.message())
    next(sending)
    sending.close()
    with pytest.raises(StopIteration):
        next(sending)


def any_event_can_be_sent(case: Case) -> None:
    """Of the contract, and a hundred with 100 kB of text: bounded words."""
    huge = stored("worklayer.job.updated", title="<!channel>&" * 10_000, changes=[{"field": "x" * 100_000}] * 5)
    for events in ((CLAIMED,), (EXPIRING,), (stored("jobwire.test", "target/ops"),), (huge,) * 100):
        driven = attempt(case, everything_told(case), *events)
        assert driven.result is not None
        assert driven.result.verdict is Verdict.DELIVERED
        assert all(0 < len(text) <= 5_000 for one in driven.calls for text in one.shown.values())


def a_group_is_told_in_clean_words(case: Case) -> None:
    """Conditions of every status, for every reason; nothing that a provider hides or turns is among the words."""
    event = stored("worklayer.job.failed", title="a\u202eb\u200bc\x1b[31md", id="evt_nasty")
    for reason in Reason:
        for status in Status:
            what = message([member(event, status), member(news=News.SAME)], CLAIMED, reason=reason)
            step = next(case.target.send(what))
            assert isinstance(step, Blocking)
            assert not set("\u202e\u200b\x1b") & set("".join(step.shown.values()))


THREADED_CHECKS: tuple[Callable[[Case], None], ...] = (
    its_options_are_a_model_of_their_own,
    unknown_options_are_refused,
    wrong_options_do_not_show_secrets,
    its_address_is_for_people,
    only_true_is_delivered,
    secrets_stay_out_of_sight,
    its_step_is_one_call,
    transport_errors_are_left_to_the_delivery,
    an_attempt_can_be_broken_off_at_any_point,
    any_event_can_be_sent,
    a_group_is_told_in_clean_words,
)
