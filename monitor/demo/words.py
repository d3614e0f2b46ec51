"""Events, places and times in words that a newcomer understands."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from monitor.moments import parse_instant
from monitor.targets.telling import Facts, count, day, field_name, plain_text, tell

PROVIDERS: Mapping[str, str] = MappingProxyType(
    {"driver_jobs": "Driver jobs", "worklayer": "Worklayer", "bindbee": "Bindbee", "devrev": "DevRev"}
)
_LONGEST = 40  # characters of a value
_PLURALS: Mapping[str, str] = MappingProxyType({"job_driver": "driver"})

# By kind and state; a state that is missing here is told as it is.
_VERBS: Mapping[str, str] = MappingProxyType(
    {
        "job.info_gathering": "was submitted",
        "job.unclaimed": "waits to be claimed",
        "job.claimed": "was claimed",
        "job.closed": "was closed",
        "job.open": "opened",
        "job.archived": "was archived",
        "job.queued": "is queued again",
        "job.started": "started",
        "job.in_progress": "makes progress",
        "job.completed": "is complete",
        "job.failed": "failed",
        "contract.active": "was signed",
        "contract.expired": "was marked as ended",
        "contract.rejected": "was turned down",
        "interview.scheduled": "was agreed on",
        "interview.cancelled": "was cancelled",
        "interview.amended": "has another time proposed",
        "interview.rejected": "was called off",
        "job_driver.interview": "is invited to an interview",
        "job_driver.verified": "passed all checks",
        "job_driver.accepted": "got the job",
        "job_driver.rejected": "was rejected",
        "job_driver.rejected_verified": "was rejected",
    }
)


# Where the headline of a message is no sentence behind a subject.
_BEFORE_MOVE: Mapping[str, str] = MappingProxyType(
    {
        "job.deadline_approaching": "is ",
        "job.retried": "was ",
        "interview.overdue": "is ",
    }
)
_MOVES: Mapping[str, str] = MappingProxyType(
    {
        "renewal_offered": "has a renewal on offer",
        "members_changed": "has other members now",
        "deadline_missed": "has missed its deadline",
    }
)


def place(source: str, provider: str) -> str:
    """A source as people name it: `tax · Worklayer`, or the provider alone where both are the same."""
    label = PROVIDERS.get(provider, provider)
    return label if source.lower() == label.lower() else f"{source} · {label}"


def subject(facts: Facts) -> str:
    """What an event is about: `job "Tony Stark | 2021 | 1040"`, `Contract 344 (Van Driver at ...)`."""
    kind = _PLURALS.get(facts.kind, facts.kind)
    head, colon, rest = facts.title.partition(": ")
    if colon and head.lower().startswith(kind):
        return f"{head} ({rest})"
    return f'{kind} "{facts.title}"'


def happened(facts: Facts) -> str:
    """What happened to it: `was claimed (UNCLAIMED → CLAIMED)`, `ends in 6 days`, `has changed: name`."""
    if facts.what == "created":
        return f"is new ({facts.state})" if facts.state else "is new"
    if facts.what == "removed":
        return f"is gone (it was {facts.before})" if facts.before else "is gone"
    if facts.what == "updated":
        return f"has changed: {_changes(facts)}"
    if facts.moved and facts.after is not None:
        verb = _VERBS.get(f"{facts.kind}.{facts.what}", f"is now {facts.after}")
        return f"{verb} ({facts.before} → {facts.after})" if facts.before is not None else f"is now {facts.after}"
    move = tell(facts).move
    if facts.what == "rescheduled":
        return f"was moved: {_changes(facts)}"
    return f"{_BEFORE_MOVE.get(f'{facts.kind}.{facts.what}', '')}{_MOVES.get(facts.what, move)}"


def of_monitor(facts: Facts) -> str:
    """An event about the monitor itself as a whole sentence, with the reason."""
    return plain_text(tell(facts).sentence)


def _changes(facts: Facts) -> str:
    """`end date 12 Mar 2027 → 24 Nov 2026`; of several changes the others by name."""
    if not facts.changes:
        return "see the event"
    first, *others = facts.changes
    names = [field_name(change.field).lower() for change in others[:2]]
    more = f" and {len(others) - 2} more" if len(others) > 2 else ""
    told = field_name(first.field).lower()
    if not any(isinstance(value, list | dict) for value in (first.before, first.after)):
        told += f" {_value(first.before)} → {_value(first.after)}"
    return ", ".join([told, *names]) + more


def _value(value: Any) -> str:
    moment = parse_instant(value)
    text = f"{moment:%d %b %H:%M} UTC" if moment else day(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def counts(facts: Facts) -> str:
    """What a first look found: `12 drivers, 6 contracts, 2 interviews`."""
    found = facts.details.get("counts")
    kinds = (found if isinstance(found, dict) else {}).items()
    totals = sorted(((sum(states.values()), _PLURALS.get(kind, kind)) for kind, states in kinds), reverse=True)
    return ", ".join(count(number, kind) for number, kind in totals) or "nothing"


def span(seconds: float) -> str:
    """Seconds in, a time a person reads at a glance out: `4 ms`, `0.8 s`, `12 s`, `3 min`."""
    if seconds < 0.001:
        return "under 1 ms"
    if seconds < 0.1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{round(seconds)} s" if seconds < 120 else f"{round(seconds / 60)} min"
