"""One configured target as the pipeline sees it: what makes its messages, and who sends them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from monitor.exchange import Exchange
from monitor.pipeline.allowance import Allowance
from monitor.targets.base import Target, TargetOptions
from monitor.targets.digest import Digest, DigestOptions

T = TypeVar("T")


class Sends(Protocol):
    """Who runs one attempt over HTTP (`monitor.http.Sender`)."""

    async def run(self, exchange: Exchange[T]) -> T:
        """Drive the exchange of one attempt to its end; transport errors are raised."""
        ...


@dataclass(frozen=True, slots=True)
class TargetRuntime:
    """A target ready to be sent to."""

    name: str
    options: TargetOptions
    target: Target
    sender: Sends
    allowance: Allowance

    @property
    def digest(self) -> Digest | None:
        """When it is told once a day; None for a target that is told at once."""
        return self.options.digest if isinstance(self.options, DigestOptions) else None
