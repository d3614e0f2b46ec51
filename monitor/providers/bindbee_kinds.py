"""What Bindbee's ATS lists hold: jobs and, where asked for, interviews, offers and applications. Pure.

https://docs.bindbee.dev, models AtsJob, AtsScheduledInterview, AtsOffer and AtsApplication. Records of different
lists may share an id, so the items of the optional lists carry their kind: `interview/018b...`.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from monitor.exchange import Page
from monitor.providers.items import parse, stamp_of, state_of, without, words
from monitor.resources import Resource
from monitor.vocabulary import Kind, NamedChange, Vocabulary, as_set

NAME = "bindbee"
KindName: TypeAlias = Literal["job", "interview", "offer", "application"]

LISTS: dict[KindName, str] = {
    "job": "jobs",
    "interview": "scheduled-interviews",
    "offer": "offers",
    "application": "applications",
}

# `-` means that the source gave no status. Stages of applications are the customer's own words: none is unknown.
VOCABULARY = Vocabulary(
    provider=NAME,
    kinds={
        "job": Kind(
            tracked=(
                "name",
                "code",
                "confidential",
                "departments",
                "offices",
                "hiring_managers",
                "recruiters",
                "job_posting_urls",
            ),
            states=frozenset({"OPEN", "CLOSED", "DRAFT", "ARCHIVED", "PENDING"}),
            shapes=dict.fromkeys(
                ("departments", "offices", "hiring_managers", "recruiters", "job_posting_urls"), as_set
            ),
        ),
        "interview": Kind(
            tracked=("start_at", "end_at", "location", "interviewers", "organizer", "job_interview_stage"),
            states=frozenset({"SCHEDULED", "AWAITING_FEEDBACK", "COMPLETE"}),
            shapes=dict.fromkeys(("interviewers", "organizer", "job_interview_stage"), as_set),
            named=(NamedChange("rescheduled", frozenset({"start_at", "end_at"})),),
        ),
        "offer": Kind(
            tracked=("start_date", "sent_at", "closed_at"),
            states=frozenset(
                {
                    "DRAFT",
                    "APPROVAL-SENT",
                    "APPROVED",
                    "SENT",
                    "SENT-MANUALLY",
                    "OPENED",
                    "DENIED",
                    "SIGNED",
                    "DEPRECATED",
                }
            ),
        ),
        "application": Kind(
            tracked=("job", "applied_at", "rejected_at", "reject_reason"),
            shapes=dict.fromkeys(("job", "reject_reason"), as_set),
            named=(
                NamedChange(
                    "rejected",
                    frozenset({"rejected_at"}),
                    lambda change: change.before is None and change.after is not None,
                ),
            ),
        ),
    },
)

# The pipeline hands an item back as bytes alone. A job is kept as it was sent; any other says which it is.
_OPENINGS: dict[KindName, bytes] = {
    "interview": b'{"bindbee.interview":',
    "offer": b'{"bindbee.offer":',
    "application": b'{"bindbee.application":',
}


def marked(kind: KindName, page: Page) -> Page:
    """A page of one list in, the same with ids and items that say which list it was out."""
    if kind == "job":
        return page
    opening = _OPENINGS[kind]
    ids = [f"{kind}/{id_}" for id_ in page.ids]
    return Page(ids, [b"".join((opening, raw, b"}")) for raw in page.raws])


def parted(item_id: str) -> tuple[KindName, str]:
    """The id of an item in, its kind and the id that the API knows out."""
    for kind in _OPENINGS:
        if item_id.startswith(f"{kind}/"):
            return kind, item_id.removeprefix(f"{kind}/")
    return "job", item_id


def resource_of(raw: bytes) -> Resource:
    """One item in, the resource that it is out."""
    for kind, opening in _OPENINGS.items():
        if raw.startswith(opening):
            return _resource(kind, raw[len(opening) : -1])
    return _resource("job", raw)


def _resource(kind: KindName, raw: bytes) -> Resource:
    id_, item = parse(raw, NAME)
    held = "current_stage" if kind == "application" else "status"
    return Resource(
        kind=kind,
        id=id_,
        title=_title(kind, id_, item),
        state=_stage(item.get(held)) if kind == "application" else state_of(item.get(held)),
        fields=without(item, {"id", held}),
        stamp=stamp_of(item.get("modified_at")),
    )


def _title(kind: KindName, id_: str, item: dict[str, Any]) -> str:
    if kind == "job":
        return words(item.get("name"), item.get("code")) or f"Job {id_}"
    if kind == "interview" and (start := words(item.get("start_at"))):
        return f"Interview at {start}"
    return f"{kind.capitalize()} {words(item.get('remote_id')) or id_}"


def _stage(value: Any) -> str | None:
    """The stage of an application: its name where the API shows the stage whole, else what it sent (an id)."""
    shown = words(value.get("name"), value.get("id")) if isinstance(value, dict) else None
    return shown or state_of(value)
