"""A made-up provider for the tests of the pure modules: posts with contracts inside them, and jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from monitor.diff import Tracking, diff_item
from monitor.events import Event
from monitor.ladders import Clockwork, Timing
from monitor.renewal import succession
from monitor.resources import Document, Known, Resource
from monitor.rules import Judgement, Setting, judge
from monitor.stuck import StuckRule
from monitor.vocabulary import DeadlineRule, FollowUp, Kind, NamedChange, Vocabulary, as_set

HOUR = 3_600.0
DAY = 86_400.0
NOW = datetime(2026, 1, 5, 9, 30, 2, 114_000, tzinfo=UTC)
BEFORE = "2026-01-05T09:29:31.000Z"
ZONES = [
    "UTC",
    "Europe/London",
    "America/Santiago",  # clocks go forward at midnight: that midnight does not exist
    "America/Havana",  # clocks go back to midnight: there are two of them
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour
    "Asia/Kolkata",
    "Pacific/Apia",
    "Africa/Cairo",
]

END_DATE = DeadlineRule(
    type="acme.contract.expiring",
    after="acme.contract.overdue",
    field="end_date",
    unit="date",
    before=(30 * DAY, 14 * DAY, 7 * DAY, 3 * DAY, 1 * DAY),
    alive=lambda state: state == "active",
    followed_by=succession("start_date", "end_date", agreed={"active"}, over={"expired"}, refused={"rejected"}),
)
DUE_AT = DeadlineRule(
    type="acme.job.deadline_approaching",
    after="acme.job.deadline_missed",
    field="due_at",
    unit="instant",
    before=(72 * HOUR, 24 * HOUR, 4 * HOUR),
    alive=lambda state: state != "DONE",
)


def _offer(created: Resource, siblings: Sequence[Resource]) -> Sequence[FollowUp]:
    current = [one for one in siblings if one.role == "last"] if created.role == "pending" else []
    return [FollowUp(one.ref, "renewal_offered", (created.ref,)) for one in current]


VOCABULARY = Vocabulary(
    provider="acme",
    kinds={
        "post": Kind(tracked=("title", "place.city"), states=frozenset({"open", "filled"})),
        "contract": Kind(
            tracked=("start_date", "end_date"),
            states=frozenset({"active", "pending", "expired"}),
            deadlines=(END_DATE,),
            child_of="post",
        ),
        "job": Kind(
            tracked=("name", "amount", "due_at", "tags", "place.city"),
            states=frozenset({"OPEN", "CLAIMED", "DONE"}),
            shapes={"tags": as_set},
            named=(
                NamedChange("raised", frozenset({"amount"}), lambda change: change.after > change.before),
                NamedChange("tags_changed", frozenset({"tags"})),
            ),
            deadlines=(DUE_AT,),
        ),
    },
    follow_ups=_offer,
)


def utc(text: str) -> datetime:
    """`2026-01-05 09:30` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def clockwork(
    zone: str = "UTC", ladders: Mapping[str, Sequence[float] | Timing] | None = None, stuck: Sequence[StuckRule] = ()
) -> Clockwork:
    """A zone's name, ladders (or whole timings) by event type and stuck rules in, the clockwork out."""
    timings = {
        type_: one if isinstance(one, Timing) else Timing(before=tuple(one)) for type_, one in (ladders or {}).items()
    }
    return Clockwork(ZoneInfo(zone), timings, tuple(stuck))


def tracking(*, track: Sequence[str] = (), ignore: Sequence[str] = ()) -> Tracking:
    """What counts in the made-up source."""
    return Tracking(VOCABULARY, tuple(track), tuple(ignore))


def setting(now: datetime = NOW, *, zone: str = "UTC", baseline: bool = False) -> Setting:
    """A scan of the source `shop` at `now`."""
    return Setting("shop", VOCABULARY, clockwork(zone), now, BEFORE, baseline)


def job(state: str | None = "OPEN", *, id: str = "1", stamp: str | None = None, **fields: Any) -> Resource:
    """A job as the provider shows it."""
    return Resource(kind="job", id=id, title=f"Job {id}", state=state, fields=fields, stamp=stamp)


def post(state: str | None = "open", *, id: str = "7", **fields: Any) -> Resource:
    """A post, which contracts belong to."""
    return Resource(kind="post", id=id, title=f"Post {id}", state=state, fields=fields)


def contract(
    state: str | None = "active", *, id: str = "9", parent: str = "post/7", role: str | None = None, **fields: Any
) -> Resource:
    """A contract inside a post."""
    return Resource(
        kind="contract", id=id, title=f"Contract {id}", state=state, fields=fields, parent=parent, role=role
    )


def known(
    resource: Resource,
    *,
    revision: int = 1,
    sequence: int = 0,
    gone: bool = False,
    spoken: dict[str, dict[str, str]] | None = None,
) -> Known:
    """What the store remembers of a resource that it first saw on New Year's Day."""
    first = "2026-01-01T00:00:00.000Z"
    return Known(resource, revision, sequence, since=first, first_seen=first, gone=gone, spoken=spoken or {})


def document(*remembered: Known | Resource) -> Document:
    """An item with these resources; a bare resource is one that was seen once."""
    entries = [one if isinstance(one, Known) else known(one) for one in remembered]
    return Document({one.resource.ref: one for one in entries})


def look(before: Document | None, *now: Resource, at: Setting | None = None) -> Judgement:
    """What is known of an item and its resources now in, the judgement out."""
    return judge(before, diff_item(before, now, tracking()), at or setting())


def whats(events: Sequence[Event]) -> list[str]:
    """The last segments of the events' types."""
    return [event.type.rsplit(".", 1)[-1] for event in events]
