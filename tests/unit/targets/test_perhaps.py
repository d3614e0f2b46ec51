"""Which attempts leave it open whether the receiver took anything."""

from __future__ import annotations

import pytest

from monitor.errors import (
    AddressBlocked,
    ConnectFailed,
    Paused,
    SecretsLocked,
    TransportError,
    TransportTimeout,
)
from monitor.exchange import Response
from monitor.targets.base import Outcome, Verdict
from monitor.targets.slack_errors import outcome
from tests.pagerduty import PagerDuty
from tests.unit.targets.events import EXPIRING
from tests.unit.targets.groups import member, message
from tests.unit.targets.test_pagerduty import CLAIMED_LATER, attempt


@pytest.mark.parametrize(
    ("status", "perhaps"),
    [
        *[(status, True) for status in (None, 200, 500, 502, 503, 504, 520)],
        *[(status, False) for status in (302, 400, 404, 429, 499)],
    ],
)
def test_only_redirects_and_refusals_say_that_nothing_was_taken(status: int | None, perhaps: bool) -> None:
    """Whether it is tried again or given up."""
    assert Outcome(Verdict.RETRY, status).perhaps is perhaps
    assert Outcome(Verdict.FAILED, status).perhaps is perhaps


def test_what_was_delivered_leaves_nothing_open() -> None:
    """Nor can a target say so of it."""
    assert not Outcome(Verdict.DELIVERED, 500, taken=True).perhaps


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (TransportTimeout("no answer"), True),
        (ConnectFailed("it broke"), True),
        (TransportError("?"), True),
        (AddressBlocked("private"), False),
        (SecretsLocked("locked"), False),
        (Paused("later", 5.0), False),
    ],
)
def test_an_error_says_whether_something_may_have_gone_out(error: TransportError, sent: bool) -> None:
    """Where nobody knows better, it may."""
    assert error.sent is sent


@pytest.mark.parametrize(
    ("word", "status", "perhaps"),
    [
        ("channel_not_found", 200, False),
        ("ratelimited", 200, False),
        ("invalid_blocks", 400, False),
        ("fatal_error", 200, True),
        ("internal_error", 200, True),
        ("500 Internal Server Error", 500, True),
        ("404 Not Found", 404, False),
    ],
)
def test_a_word_of_slack_is_a_refusal_unless_it_is_about_its_own_trouble(word: str, status: int, perhaps: bool) -> None:
    """Of which Slack says that some of it may have been done."""
    assert outcome(word, status, None, "").perhaps is perhaps


@pytest.mark.parametrize(("status", "first"), [(429, False), (400, False), (500, True)])
def test_pagerduty_that_took_one_of_two_events_is_in_doubt_however_it_refused_the_other(
    status: int, first: bool
) -> None:
    """Where it refused the first one and took none, its answer counts."""
    both = message([member(EXPIRING)], EXPIRING, CLAIMED_LATER)
    refusals = {number: Response(status, {}, b"{}") for number in range(1, 4)}
    assert attempt(both, PagerDuty(answers=refusals)).perhaps
    assert attempt(both, PagerDuty(answers=refusals | {0: Response(status, {}, b"{}")})).perhaps is first
