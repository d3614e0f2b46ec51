"""What a unit of work that has ended is to a trace, and who takes it. Knows no library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

Kind: TypeAlias = Literal["internal", "client", "producer"]
Value: TypeAlias = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Span:
    """One unit of work: `trace` (32) and `id` (16) are hexadecimal digits, `begun` and `ended` have a zone.

    `parent` is the id of a span of the same trace, `links` are (trace, id) of spans elsewhere. `error` is a short word
    of a closed list, None when all went well. Nothing in here may be a secret: collectors belong to others.
    """

    trace: str
    id: str
    name: str
    begun: datetime
    ended: datetime
    kind: Kind = "internal"
    parent: str | None = None
    links: Sequence[tuple[str, str]] = ()
    attributes: Mapping[str, Value] = field(default_factory=dict)
    error: str | None = None


class Recorder(Protocol):
    """Takes spans."""

    def record(self, span: Span) -> None:
        """Take a span that has ended: at once, and without raising, whatever becomes of it."""
        ...
