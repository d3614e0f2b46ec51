"""Buckets that fill again, and who counts as one caller."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from monitor.settings import WebSettings
from monitor.web.limits import LEVEL, Buckets, Lately, Limits, address_of, told
from monitor.web.limits.callers import A_GUESS, GUESSES, TRUSTED
from monitor.web.problems import Problem


@dataclass(slots=True)
class Watch:
    """A stopwatch that is moved by hand."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


def asked(remote: str | None = "192.0.2.1", path: str = "/api/v1/sources") -> web.Request:
    """A request from an address."""
    return make_mocked_request("GET", path).clone(remote=remote or "")


def test_a_burst_is_allowed_and_then_the_rate() -> None:
    """As many as it holds at once, one more each time that one has come in, and never more than it holds."""
    watch = Watch()
    buckets = Buckets("calls", 2.0, 3, watch)
    assert [buckets.take("a").allowed for _ in range(5)] == [True, True, True, False, False]
    assert buckets.take("b").allowed, "others have buckets of their own"
    refused = buckets.take("a")
    assert (refused.wait, refused.retry_after, refused.left, refused.refilled) == (0.5, 1, 0, 1.5)
    watch.seconds += 0.5
    assert [buckets.take("a").allowed for _ in range(2)] == [True, False]
    watch.seconds += 3600
    assert [buckets.take("a").allowed for _ in range(4)] == [True, True, True, False]


def test_a_refused_request_takes_nothing() -> None:
    """Who goes on asking too soon is let in as soon as who waits."""
    watch = Watch()
    buckets = Buckets("calls", 1.0, 1, watch)
    buckets.take("a")
    for _ in range(9):
        watch.seconds += 0.109375
        assert not buckets.take("a").allowed
    watch.seconds += 0.109375
    assert buckets.take("a").allowed


def test_only_so_many_callers_are_remembered() -> None:
    """Those who called last; whoever is forgotten begins with a full bucket."""
    buckets = Buckets("calls", 0.001, 1, Watch(), most=3)
    for name in ("a", "b", "c", "a", "d"):
        buckets.take(name)
    assert len(buckets) == 3
    assert {name: buckets.look(name).allowed for name in "abcd"} == {"a": False, "b": True, "c": False, "d": False}
    lately = Lately(10.0, Watch(), most=2)
    for name in "abc":
        lately.note(name)
    assert [name in lately for name in "abc"] == [False, True, True]


@pytest.mark.parametrize(
    ("remote", "counts_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", "nowhere"),
        (None, "nowhere"),
    ],
)
def test_who_counts_as_one(remote: str | None, counts_as: str) -> None:
    """An IPv4 address, however it is written; the first 64 bits of an IPv6 address; whoever says what is not asked."""
    request = asked(remote)
    assert address_of(request) == counts_as
    forged = make_mocked_request("GET", "/", {"X-Forwarded-For": "203.0.113.9"}).clone(remote="192.0.2.7")
    assert address_of(forged) == "192.0.2.7"


def test_what_is_left_is_said() -> None:
    """Whole numbers, in the fields of the IETF's draft."""
    buckets = Buckets("calls", 3.0, 10, Watch())
    buckets.take("a")
    assert told(buckets.take("a")) == {"RateLimit-Policy": '"calls";q=10;w=4', "RateLimit": '"calls";r=8;t=1'}
    *_, last = [buckets.take("a") for _ in range(8)]
    assert told(last)["RateLimit"] == '"calls";r=0;t=1', "as Retry-After, not until all is back"


def test_calls_and_scrapes_do_not_count_for_each_other() -> None:
    """/metrics goes on when a page has used up what it may; with rate 0 nothing is counted."""
    limits = Limits.of(WebSettings.model_validate({"rate": "1/m", "burst": 1}), Watch())
    limits.call(asked(), "token 0")
    with pytest.raises(Problem, match=r"web\.rate .* try again in 60 seconds") as caught:
        limits.call(asked(), "token 0")
    assert (caught.value.status, caught.value.headers) == (429, {"Retry-After": "60"})
    limits.call(asked(path="/metrics"), "token 0")
    request = asked()
    free = Limits.of(WebSettings(rate=0), Watch())
    for _ in range(1000):
        free.call(request, "token 0")
    assert LEVEL not in request


def test_wrong_tokens_are_held_up_by_address() -> None:
    """Ten, then one each six seconds; others are not held up, nor whoever was let in from there lately."""
    watch = Watch()
    limits = Limits.of(WebSettings(), watch)
    limits.right(asked(), 1)
    for _ in range(GUESSES):
        limits.may_guess(asked())
        limits.wrong(asked())
    with pytest.raises(Problem, match="wrong tokens") as caught:
        limits.may_guess(asked())
    assert caught.value.headers == {"Retry-After": "6"}
    limits.may_guess(asked("192.0.2.2"))
    assert (limits.trusts(asked(), 1), limits.trusts(asked(), 0), limits.trusts(asked("192.0.2.2"), 1)) == (
        True,
        False,
        False,
    )
    watch.seconds += A_GUESS
    limits.may_guess(asked())
    watch.seconds += TRUSTED - A_GUESS
    assert not limits.trusts(asked(), 1)


def test_webhooks_have_bounds_of_their_own() -> None:
    """Five hundred at once from an address to a path; bad signatures are told to wait, and keep nobody out."""
    limits = Limits.of(WebSettings(), Watch())
    for _ in range(500):
        limits.knock(asked(path="/hooks/tax"))
    with pytest.raises(Problem, match="more than is taken here"):
        limits.knock(asked(path="/hooks/tax"))
    for _ in range(GUESSES):
        limits.bad_knock(asked(path="/hooks/ats"))
    with pytest.raises(Problem, match="prove nothing") as caught:
        limits.bad_knock(asked(path="/hooks/ats"))
    assert caught.value.headers == {"Retry-After": "6"}
    limits.bad_knock(asked(path="/hooks/dev"))
    limits.knock(asked(path="/hooks/ats"))
    limits.may_guess(asked())
