"""What every target is and takes: a message in, one exchange, an outcome out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol, Self, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from monitor.exchange import Exchange
from monitor.grouping.backlog import CatchUp
from monitor.grouping.message import Group
from monitor.targets.address import check_headers
from monitor.values import Duration, Rate, Secret

# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (multi-day, exponential)
RETRY_SCHEDULE = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 10800.0, 21600.0, 43200.0, 86400.0, 86400.0)


class TargetOptions(BaseModel):
    """Options that every target takes; each target's own model adds its address and secrets."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    type: str = Field(description="what kind of target this is")
    timeout: Duration = Field(default=15.0, gt=0, le=120, description="time for one attempt, answer included")
    retry: list[Duration] = Field(
        default=list(RETRY_SCHEDULE),
        max_length=64,
        description="delays between attempts: n delays, n + 1 attempts",
    )
    rate: Rate | None = Field(default=None, description="attempts a second at the most")
    concurrency: int = Field(default=16, ge=1, le=256, description="attempts in flight at the most, per worker")
    ordered: Literal["resource", "none"] = Field(
        default="resource", description="none: events of one resource may overtake each other"
    )
    catch_up: Literal["all", "latest"] = Field(
        default="all",
        description="what waited through an outage: every event, or per resource the latest with a list of the others "
        "(targets that tell groups fold a backlog into one message anyway)",
    )
    headers: dict[str, Secret] = Field(
        default_factory=dict, description="further request headers; values are kept secret"
    )
    format: Literal["cloudevents"] = Field(default="cloudevents", description="shape of the body")

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: dict[str, Secret]) -> dict[str, Secret]:
        check_headers(_plain(headers))
        return headers

    @model_validator(mode="after")
    def _has_a_latest(self) -> Self:
        if self.catch_up == "latest" and self.ordered == "none":
            raise ValueError("catch_up: latest needs ordered: resource, which says what comes after what")
        return self

    @property
    def further(self) -> dict[str, str]:
        """`headers` as they are sent: secrets, in the open."""
        return _plain(self.headers)

    def destinations(self) -> Mapping[str, str]:
        """Option names and the URLs in them that will be connected to: `check` looks at their hosts."""
        return {}


def _plain(headers: Mapping[str, Secret]) -> dict[str, str]:
    return {name: value.get_secret_value() for name, value in headers.items()}


class GroupedOptions(TargetOptions):
    """Options of a target that tells groups of events and conditions, not each event by itself."""

    send_resolved: bool = Field(default=True, description="tell when conditions that were told are over")


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent in one attempt: the events as stored (JSON bytes), one for a webhook, those of a group for Slack.

    `id` is the event's id (a group: its first event's). `attempt` counts from 1. `sent_at` is now, with zone.
    `severity` is what the route says: info, warning or critical (a group: the gravest). `group` is what a message of
    a grouped target is about, None for one event by itself and for tests. `events` are those that came since the last
    message of the group: what opened or changed its conditions, and occurrences. Reminders and messages about
    what only ended bring the event that each of their conditions stands on. `catch_up` is what a catch-up message says
    (`CatchesUp`), which has neither group nor events.
    """

    id: str
    events: tuple[bytes, ...]
    attempt: int
    sent_at: datetime
    severity: str | None = None
    group: Group | None = None
    severities: tuple[str, ...] = ()
    catch_up: CatchUp | None = None


class Verdict(StrEnum):
    """What became of an attempt: delivered, to be tried again, or failed for good."""

    DELIVERED = "delivered"
    RETRY = "retry"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one attempt.

    `error` says in words what was wrong. `retry_after` is the least delay in seconds that the receiver
    asked for; `hold` slows the whole target by it (429, 503). `disable` stops the target for good (410).
    `response` is the first part of the answer, for people, `address` the one really connected to.
    `remember` is kept with the group, whatever the verdict, and comes back as `Group.memory` (JSON values, a
    few hundred bytes); None keeps what was remembered before. `taken` says, of what was not delivered, whether some of
    it may have been taken all the same; None is as the status says (`perhaps`).
    """

    verdict: Verdict
    status: int | None = None
    error: str | None = None
    retry_after: float | None = None
    hold: bool = False
    disable: bool = False
    address: str | None = None
    response: str = field(default="", repr=False)
    remember: Mapping[str, Any] | None = None
    taken: bool | None = None

    @property
    def perhaps(self) -> bool:
        """Whether nobody knows what the receiver took: only 3xx and 4xx say that it was nothing.

        A 5xx does not: many a service answers it after it has done what it was asked for.
        https://www.rfc-editor.org/rfc/rfc9110#section-15.5
        """
        if self.verdict is Verdict.DELIVERED:
            return False
        refused = self.status is not None and 300 <= self.status < 500
        return self.taken if self.taken is not None else not refused


class Target(Protocol):
    """One configured target: sans-I/O, no clock, no state."""

    grouped: bool
    """True: events and conditions of a group become one message (`Message.group`); False: one message an event."""

    def send(self, message: Message) -> Exchange[Outcome]:
        """One attempt: yields one request or more, returns the outcome; transport errors may pass through."""
        ...

    def address(self) -> str:
        """Where messages go, without secrets, for people."""
        ...


@runtime_checkable
class InPlace(Protocol):
    """A grouped target that shows what is so in place, and wants to hear that conditions were seen to as well.

    Where `attends` is true, acknowledging or snoozing makes a message (`Reason.ACKNOWLEDGED`), and so does the end
    of that. Other targets just stay quiet.
    """

    attends: bool


@runtime_checkable
class Narrates(Protocol):
    """A grouped target that also tells each word that people say of conditions: who has it, put it off or silenced it.

    Where `narrates` is true, members bring what was said since the last message (`Member.remarks`), and that alone
    makes a message, even where it changes no status: a snooze that is made longer, a silence, what is over again.
    """

    narrates: bool


@runtime_checkable
class Refreshed(Protocol):
    """A grouped target whose receiver forgets: it must be told again after at most `refresh` seconds (Alertmanager).

    That holds whatever `repeat_interval` says, and for acknowledged conditions too (`Reason.REPEAT`).
    """

    refresh: float


@runtime_checkable
class OneAlert(Protocol):
    """A grouped target where a condition is one alert whatever group tells it.

    Where `one_alert` is true, a group that a condition has left for another of the same target says nothing of that,
    but tells its end as well: the other may not have spoken by then.
    """

    one_alert: bool


@runtime_checkable
class CatchesUp(Protocol):
    """A grouped target that can tell many groups in one message (`Message.catch_up`), after a pause or an outage."""

    def stands(self, group: Group) -> bool:
        """Whether a message about this group stands that its next one edits: such a group is told by itself."""
        ...
