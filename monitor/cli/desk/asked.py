"""What commands ask of an installation, and the words that they ask with. Pure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from monitor.errors import JobwireError

Line: TypeAlias = bytes
"""One object as JSON, as it stands in the API and in the output for programs."""

What: TypeAlias = Literal["source", "target"]
Decision: TypeAlias = Literal["release", "discard"]
Kind: TypeAlias = Literal["whsec", "whsk"]


@dataclass(frozen=True, slots=True)
class EventsWanted:
    """Events of these types (a pattern), of this source; None for any."""

    type: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveriesWanted:
    """At most `limit` deliveries, the latest; None for any. `detail`: with what tables show beside the object."""

    target: str | None
    status: str | None
    event: str | None
    type: str | None
    since: datetime | None
    limit: int
    detail: bool


@dataclass(frozen=True, slots=True)
class Past:
    """Every kept revision of a resource, oldest first, and how it is now; None once it is forgotten."""

    lines: Sequence[Line]
    resource: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Held:
    """The removals that are held, and what was decided of them already."""

    lines: Sequence[Line]
    decided: str | None


@dataclass(frozen=True, slots=True)
class Attention:
    """Who has a condition and why; or puts it off, until a moment or until it changes; or has it no more."""

    by: str
    comment: str = ""
    until: datetime | None = None
    until_change: bool = False
    undo: bool = False


@dataclass(frozen=True, slots=True)
class SilenceWanted:
    """What is silenced, from when to when, by whom and why."""

    matchers: Sequence[str]
    starts_at: datetime | None
    ends_at: datetime
    by: str
    comment: str
    until_change: bool


@dataclass(frozen=True, slots=True)
class ReplayWanted:
    """What a target was sent from `since` to `until`; with `failed` what was given up then."""

    target: str
    since: datetime
    until: datetime
    failed: bool
    type: str | None


@dataclass(frozen=True, slots=True)
class EventGiven:
    """A whole event, as somebody has it in a file."""

    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SampleWanted:
    """An event of which only its type is known, and as far as given its source and the state of its resource."""

    type: str
    source: str | None
    state: str | None


DIGEST = "digest"
"""Said in place of an event's id: the digest of a target as it would be now."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a test, and the address of its target."""

    line: Line
    address: str


class Desk(Protocol):
    """Answers for one installation. What does not exist is a UsageError, unless a question says otherwise."""

    async def now(self) -> datetime:
        """The time of whoever answers: ages are counted by it."""
        ...

    async def no_earlier(self) -> datetime:
        """A moment before which lies everything that is there now, however the clocks differ."""
        ...

    async def known(self, what: What, name: str | None) -> None:
        """Raises UsageError, with the names that exist, when a name is given that does not."""
        ...

    async def sources(self) -> Sequence[Line]:
        """Every source."""
        ...

    async def targets(self, *, detail: bool) -> Sequence[Line]:
        """Every target; with `detail` its address too."""
        ...

    def resources(self, source: str | None, kind: str | None, state: str | None) -> AsyncIterator[Line]:
        """Every resource that is there, each once."""
        ...

    async def history(self, key: str) -> Past | None:
        """The revisions of a resource; None where nothing is known of it."""
        ...

    async def events(self, wanted: EventsWanted, since: datetime | None, most: int | None) -> EventsFound:
        """Stored events, oldest first: the latest `most`, or all since then."""
        ...

    async def deliveries(self, wanted: DeliveriesWanted) -> Sequence[Line]:
        """Deliveries, the newest last."""
        ...

    async def explain(self, id: str) -> Line | None:
        """Why an event was made and where it went; None where it is not kept."""
        ...

    async def conditions(self, *, every: bool, source: str | None) -> Sequence[Line]:
        """What is open; `every`: also what ended lately."""
        ...

    async def attend(self, named: str, word: Attention) -> Sequence[Line]:
        """The conditions as they are now; none where nothing open is named so."""
        ...

    async def silences(self) -> Sequence[Line]:
        """The silences, those that count now first."""
        ...

    async def silence(self, wanted: SilenceWanted) -> Line:
        """A new silence."""
        ...

    async def expire(self, named: str) -> Literal["over", "over already"] | None:
        """End a silence; None where there is none of this id."""
        ...

    async def held(self, source: str) -> Held:
        """The removals of a source that are held."""
        ...

    async def decide(self, source: str, decision: Decision) -> int | None:
        """Release or discard what is held; how many, None where nothing is."""
        ...

    async def switch(self, target: str, *, on: bool) -> Line:
        """A target enabled or disabled: `{target state changed backlog}`."""
        ...

    async def disabled(self, target: str) -> int | None:
        """How many wait for a target that is disabled; None where it is not."""
        ...

    async def rotate(self, target: str, overlap: str, kind: Kind | None) -> Line:
        """A new signing secret."""
        ...

    async def forget(self, target: str) -> bool:
        """Forget the secrets that rotation made; whether there were any."""
        ...

    async def replay(self, ids: Sequence[str], target: str | None, *, dry_run: bool) -> Sequence[Line]:
        """Deliveries by their ids, or those of events, and what became of each."""
        ...

    async def count(self, wanted: ReplayWanted) -> Line:
        """How much of a choice would be sent again."""
        ...

    async def replay_since(self, wanted: ReplayWanted) -> Line:
        """Send a choice again; what became of it."""
        ...

    async def poll(self, source: str, *, dry_run: bool) -> Line:
        """A scan now, or what it would make."""
        ...

    async def routes(self) -> Sequence[Line]:
        """The route tree as it works."""
        ...

    async def routed(self, event: EventGiven | SampleWanted) -> Line:
        """Which targets would get an event: `{targets decisions}`."""
        ...

    async def types(self) -> Mapping[str, str]:
        """The type of each target."""
        ...

    async def preview(self, event: EventGiven | str, target: str) -> Line:
        """The message that a target would get about an event, by its id too, or about DIGEST."""
        ...

    async def send_test(self, target: str) -> Tried:
        """A message to a target, marked as a test."""
        ...


@dataclass(slots=True)
class EventsFound:
    """Events as they are read, oldest first; when all are read, `place` is where following goes on."""

    lines: AsyncIterator[Line]
    place: str = "0-0"

    @property
    def log_is_empty(self) -> bool:
        """Whether nothing was ever stored."""
        return self.place == "0-0"


class Values(dict[str, Any]):
    """The values of an object; what another version of jobwire, or a stranger, left out is named."""

    def __missing__(self, name: str) -> Any:
        """A member that is not there."""
        raise JobwireError(f"what was answered has no {name!r}: is it another version of jobwire that answers?")


def values(line: Line) -> dict[str, Any]:
    """An object as JSON in, its values out."""
    return Values(msgspec.json.decode(line, type=dict[str, Any]))
