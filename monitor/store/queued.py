"""What lanes hold and what becomes of it, as values: deliveries that wait, lanes that are claimed, attempts, turns."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from monitor.events import Event
from monitor.store.db import text
from monitor.store.groups import Turn

GATHER_MS = 20_000
"""So long at the most a worker gathers the groups of a catch-up message, before it sends it."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One event for one target: its lane, and how many seconds that waits (a group's lane by its own timers).

    `quiet` says why it is not sent (a silence, an interval): then it is recorded only.
    """

    target: str
    lane: str
    wait: float
    event: str
    place: str
    type: str
    key: str
    route: str
    severity: str
    grouped: bool = False
    quiet: str | None = None

    @property
    def delivery(self) -> str:
        """The id of its delivery."""
        return delivery_id(self.target, self.event)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One delivery inside a claimed lane: its id, attempts made so far, the event's bytes, when made, its severity."""

    id: str
    attempts: int
    body: bytes
    made_ms: int
    severity: str = "info"
    skipped: bytes = b""
    """JSON list of the events that this one took the place of, while the target caught up; empty: none."""
    replays: int = 0
    """How often somebody asked for it again."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a target stood when a lane of it was claimed: failures in a row, since when, whether that was told.

    `now_ms` is the time of the claim by the store's clock, `waiting` how many deliveries waited then.
    """

    failures: int = 0
    since_ms: int | None = None
    announced: bool = False
    now_ms: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class ClaimedLane:
    """A lane under lease: `fence` is the end of the lease, and proves that it is still ours.

    `more` says that deliveries wait in it behind those that were taken. A group's lane may hold none.
    """

    target: str
    lane: str
    fence: str
    waiting: tuple[Waiting, ...]
    more: bool = False
    health: Health = field(default=Health())


@dataclass(frozen=True, slots=True)
class Claim:
    """What is claimed of a target: see `monitor.store.lanes.Lanes.claim`."""

    lease_ms: int
    limit: int
    take: int
    catch_up: int = 0
    fold_above: int = 0
    grouped: bool = False


class Attempt(msgspec.Struct, frozen=True):
    """One attempt as it is recorded; `at` is RFC 3339, `ms` its duration."""

    n: int
    at: str
    status: int | None
    ms: int
    error: str | None
    response: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a claimed lane: verdict, seconds until it is due next, the attempts, events about it.

    Of the events `jobwire.target.failing`, `recovered` and `disabled` are proposals: the store tells each once, when
    it has become so. `network` says that the receiver could not be reached, None that nobody knows. `quiet` are
    deliveries that are not sent, with why, `turn` is what became of a group. `along`: the attempt was another lane's
    message that told this one's as well, so that it is recorded here and neither counted nor judged. `asked`: the
    answer asked for so long a quiet that `failing` is told at once.
    """

    lane: ClaimedLane
    verdict: str
    delay: float
    attempts: Sequence[tuple[str, Attempt]]
    events: Sequence[Event] = field(default=())
    network: bool | None = False
    quiet: Mapping[str, str] = field(default_factory=dict)
    turn: Turn | None = None
    along: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A target after settling: failures in a row, whether that was announced, lanes that another worker took over."""

    failures: int
    announced: bool
    stale: int


@dataclass(frozen=True, slots=True)
class Agenda:
    """Targets with work that is due, and seconds until the next of the others has some (inf: nothing waits)."""

    due: Sequence[str]
    next_in: float


def entries(waiting: Iterable[Any]) -> tuple[Waiting, ...]:
    """The deliveries of a lane as the scripts that claim lanes give them."""
    return tuple(
        Waiting(text(id), int(n), body, int(made), text(grade), skipped, int(replays))
        for id, n, body, made, grade, skipped, replays in waiting
    )


def delivery_id(target: str, event: str) -> str:
    """The id of a delivery: a function of target and event, so that a repeated relay makes no second one."""
    digest = hashlib.blake2b(f"{target}\x1f{event}".encode(), digest_size=15).digest()
    return "dlv_" + b32encode(digest).decode().lower()
