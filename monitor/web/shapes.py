"""The shapes of answers that several addresses share, and of what is stored as JSON already."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Listing(msgspec.Struct, Generic[T], frozen=True):
    """A list or a part of one; `next` is the cursor of what follows, null at the end."""

    items: list[T]
    next: str | None


class ProblemView(msgspec.Struct, frozen=True):
    """What went wrong (https://www.rfc-editor.org/rfc/rfc9457): `detail` says what is wrong and what to do."""

    type: str
    title: str
    status: int
    detail: str


class EventView(msgspec.Struct, frozen=True):
    """A CloudEvent as it is stored and sent; `jobwire schema events` has the shape of `data` for each type."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    sequence: str
    data: dict[str, Any]


class RevisionView(msgspec.Struct, frozen=True):
    """One revision of a resource; `type` and `event` are null where no event told it."""

    revision: int
    at: str
    type: str | None
    event: str | None
    state: dict[str, str | None] | None
    changes: list[dict[str, Any]]


class BriefView(msgspec.Struct, frozen=True):
    """A resource as it is now, in short; `events` counts those that were told of it."""

    title: str
    state: str | None
    since: str
    revision: int
    events: int
    first_seen: str
    removed: bool


class HistoryView(msgspec.Struct, frozen=True):
    """The kept revisions of a resource, and how it is now; `resource` is null once it is forgotten."""

    items: list[RevisionView]
    next: str | None
    resource: BriefView | None


class LatestView(msgspec.Struct, frozen=True):
    """Events, the newest first; `place` is that of the newest that there is: following goes on after it."""

    items: list[EventView]
    next: str | None
    place: str


class AskedView(msgspec.Struct, frozen=True):
    """A scan of `source` was asked for."""

    source: str
    asked_at: str


class ChallengeView(msgspec.Struct, frozen=True):
    """What a provider wants to hear back when a webhook is set up."""

    challenge: str


class SwitchedView(msgspec.Struct, frozen=True):
    """A target is now enabled or disabled; `backlog` counts what waits for it."""

    target: str
    state: str
    changed: bool
    backlog: int


class SigningView(msgspec.Struct, frozen=True):
    """A secret that signs along until a time."""

    kind: str
    until: str


class RotatedView(msgspec.Struct, frozen=True):
    """A new signing secret, told this once."""

    target: str
    kind: str
    secret: str
    public_key: str | None
    signing_along: list[SigningView]


class ForgottenView(msgspec.Struct, frozen=True):
    """A target signs with the secrets of the config again; `forgotten` says whether it had others."""

    target: str
    forgotten: bool


class LateView(msgspec.Struct, frozen=True):
    """What is not attempted on time, by name."""

    sources: list[str]
    targets: list[str]
    steps: list[str]


class ReadyView(msgspec.Struct, frozen=True):
    """Whether work is attempted on time; names are told only to those who bring a token."""

    ready: bool
    store: bool
    late: LateView | msgspec.UnsetType = msgspec.UNSET
    stale_sources: list[dict[str, Any]] | msgspec.UnsetType = msgspec.UNSET
    failing_targets: list[dict[str, Any]] | msgspec.UnsetType = msgspec.UNSET
