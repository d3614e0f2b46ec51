"""One configured source as the pipeline sees it: its provider, who speaks HTTP for it, and what counts as a change."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from monitor.diff import Tracking
from monitor.exchange import Exchange, Page, Proof, Request
from monitor.ladders import Clockwork, Timing
from monitor.pipeline.tally import Spent
from monitor.providers.base import Provider, SourceOptions, identity
from monitor.schedule import Pace
from monitor.stuck import StuckRule

_FORMAT = 1
"""Raised when documents are derived differently: every item is then read anew, silently."""

T = TypeVar("T")


class Memory(Protocol):
    """What is remembered of earlier answers (`monitor.pipeline.proofs.Proofs`)."""

    async def recall(self, requests: Sequence[Request]) -> Sequence[Proof]:
        """The proof of each request; one without an etag where nothing may be vouched for."""
        ...


class Runner(Protocol):
    """Who runs a provider's exchanges over HTTP (`monitor.http.Caller`)."""

    @property
    def stats(self) -> Spent:
        """What was spent so far."""
        ...

    async def run(
        self,
        exchange: Exchange[T],
        on_page: Callable[[Page], Awaitable[None]] | None = None,
        memory: Memory | None = None,
    ) -> T:
        """Drive the exchange to its end; pages go to `on_page`, the exchange's result comes back.

        With a `memory`, requests that may be validated ask conditionally.
        """
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """A source ready to be scanned.

    `config` keys the digests: another config reads every item anew. `scope` is the part of it that says which
    items there are.
    """

    name: str
    options: SourceOptions
    provider: Provider
    runner: Runner
    tracking: Tracking
    clockwork: Clockwork
    config: bytes
    scope: str = ""

    @property
    def credential(self) -> str:
        """The name of the budget it spends from, which sources with the same credentials share."""
        options, provider = self.options, self.provider
        return identity(provider.vocabulary.provider, options.base_url, provider.credentials(), self.name)

    @property
    def pace(self) -> Pace:
        """How often the source is asked."""
        return Pace(self.options.every, self.options.every_min, self.options.every_max)


def assemble(
    name: str,
    options: SourceOptions,
    provider: Provider,
    runner: Runner,
    ladders: Mapping[str, Timing],
    stuck: Sequence[StuckRule] = (),
) -> Source:
    """A source's parts, the configured deadline ladders and stuck rules in, the source out."""
    vocabulary = provider.vocabulary
    tracking = Tracking(vocabulary, tuple(options.track), tuple(options.ignore))
    # Those of other providers say nothing here, and would have every item read anew when they change.
    timings = {type_: one for type_, one in sorted(ladders.items()) if type_.startswith(f"{vocabulary.provider}.")}
    rules = tuple(one for one in stuck if one.type.startswith(f"{vocabulary.provider}."))
    clockwork = Clockwork(ZoneInfo(options.timezone), timings, rules)
    scope = msgspec.json.encode(options.model_dump(include=set(options.SCOPE)), order="sorted")
    clocks = [
        [type_, one.before, one.send_at, one.business_days, sorted(one.holidays), one.notice]
        for type_, one in timings.items()
    ]
    facts: list[Any] = [_FORMAT, options.track, options.ignore, options.timezone, clocks, rules, scope]
    config = hashlib.blake2b(msgspec.json.encode(facts), digest_size=32).digest()
    narrowed = hashlib.blake2b(scope, digest_size=16).hexdigest()
    return Source(name, options, provider, runner, tracking, clockwork, config, narrowed)
