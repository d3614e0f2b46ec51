"""Which requests count for whom, and what a refusal says.

    a token, a session        `web.rate` and `web.burst`, wherever it comes from
    nobody yet                the same, by address
    /metrics                  a bucket of its own: a page that is busy must not blind Prometheus
    /hooks, /slack            a large bucket each, by address and path; good signatures pass however many bad ones come
    wrong tokens              ten, then one each six seconds, by address
    /healthz /readyz /static  never counted

An address is that of the connection, of IPv6 its first 64 bits: one site has them all. X-Forwarded-For is not believed,
since anybody may write it; behind a proxy all who bring no good token are therefore one. So that nobody there is kept
out by what others guess, a token that was good is let in from its address for a quarter of an hour.

What is left is said as https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (version 10) has it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from aiohttp import web

from monitor.settings import WebSettings
from monitor.web.limits.buckets import Buckets, Lately, Level
from monitor.web.problems import Problem

LEVEL = web.RequestKey("level", Level)
"""How the caller of a request stands; not there where nothing is counted."""

GUESSES, A_GUESS = 10, 6.0
"""How many wrong tokens an address may bring at once, and after how many seconds one more."""

TRUSTED = 900.0
"""For how many seconds a token that was good is let in from its address, however many wrong ones come from there."""

_SIGNED, _SIGNED_BURST = 100.0, 500
_SCRAPES, _SCRAPES_BURST = 20.0, 100


@dataclass(frozen=True, slots=True)
class Limits:
    """The buckets of one process. `calls` is None where nothing is limited."""

    calls: Buckets | None
    signed: Buckets
    scrapes: Buckets
    guesses: Buckets
    good: Lately

    @classmethod
    def of(cls, settings: WebSettings, monotonic: Callable[[], float]) -> Limits:
        """The settings of the page and the API in, full buckets out."""
        return cls(
            Buckets("calls", settings.rate, settings.burst, monotonic) if settings.rate else None,
            Buckets("webhooks", _SIGNED, _SIGNED_BURST, monotonic),
            Buckets("scrapes", _SCRAPES, _SCRAPES_BURST, monotonic),
            Buckets("guesses", 1 / A_GUESS, GUESSES, monotonic),
            Lately(TRUSTED, monotonic),
        )

    def call(self, request: web.Request, caller: str) -> None:
        """Count a request for its caller; Problem 429 when it comes too soon."""
        buckets = self.scrapes if request.path == "/metrics" else self.calls
        if buckets is not None:
            request[LEVEL] = level = buckets.take(caller)
            if not level.allowed:
                raise _too_many("this is more than web.rate allows", level)

    def knock(self, request: web.Request) -> None:
        """Count a request that proves itself by a signature; Problem 429 when it comes too soon."""
        request[LEVEL] = level = self.signed.take(_door(request))
        if not level.allowed:
            raise _too_many("this is more than is taken here", level)

    def may_guess(self, request: web.Request) -> None:
        """Problem 429 while an address has brought too many wrong tokens: not even a good one is looked at."""
        level = self.guesses.look(address_of(request))
        if not level.allowed:
            raise _too_many("too many wrong tokens came from this address", level)

    def trusts(self, request: web.Request, token: int) -> bool:
        """Whether this token (by its place among those of the config) was good from this address lately."""
        return f"{address_of(request)} {token}" in self.good

    def right(self, request: web.Request, token: int) -> None:
        """A token was good: it is let in from there for a while."""
        self.good.note(f"{address_of(request)} {token}")

    def wrong(self, request: web.Request) -> None:
        """A token was none of ours."""
        self.guesses.take(address_of(request))

    def bad_knock(self, request: web.Request) -> None:
        """A signature was none; Problem 429 in place of what is said otherwise after too many of them.

        Good ones still pass: nobody guesses a signature, and behind a proxy strangers have the address of who signs.
        """
        level = self.guesses.take(_door(request))
        if not level.allowed:
            raise _too_many("too many requests from this address prove nothing", level)


def address_of(request: web.Request) -> str:
    """A request in, who counts as its sender out: an IPv4 address, the network of an IPv6 address."""
    try:
        address = ip_address((request.remote or "").partition("%")[0])
    except ValueError:
        return "nowhere"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))
    return str(address)


def told(level: Level) -> Mapping[str, str]:
    """How a caller stands in, the fields of an answer that say so out."""
    # `t` is the time in which no more than `r` may be asked: with none left, until there is one.
    soon = math.ceil(level.refilled) if level.left else level.retry_after
    return {
        "RateLimit-Policy": f'"{level.name}";q={level.full};w={math.ceil(level.window)}',
        "RateLimit": f'"{level.name}";r={level.left};t={soon}',
    }


def _door(request: web.Request) -> str:
    return f"{address_of(request)} {request.path[:200]}"


def _too_many(why: str, level: Level) -> Problem:
    after = level.retry_after
    return Problem(429, f"{why}: try again in {after} second{'s' if after > 1 else ''}", Retry_After=str(after))
