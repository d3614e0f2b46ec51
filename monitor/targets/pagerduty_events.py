"""Conditions and occurrences in, the JSON of PagerDuty's events out, inside every limit. Pure.

https://developer.pagerduty.com/docs/send-alert-event (summary 1024 characters, dedup_key 255, an event 512 KB)
https://developer.pagerduty.com/docs/send-change-event
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeAlias

from monitor.conditions import Status
from monitor.grouping.message import Group, Member, News, Reason
from monitor.moments import parse_instant, stamp
from monitor.targets.address import web_link
from monitor.targets.standing import facts_of
from monitor.targets.telling import Facts, headline, name, plain_text, said, tell
from monitor.targets.telling.cleaning import line

Json: TypeAlias = dict[str, Any]

SUMMARY, SENTENCE, VALUE, NAME, FIELDS = 1024, 2_000, 500, 100, 20
_SEVERITIES = {"critical": "critical", "warning": "warning", "info": "info"}
_EXACT = 2**53
"""Whole numbers up to here are the same wherever JSON is read."""


def speaks(member: Member, group: Group, replayed: frozenset[str]) -> bool:
    """Whether PagerDuty is told of a condition now: it keeps what is open, so news, reminders and replays count."""
    if member.news is not News.SAME or member.escalated:
        return True
    if member.silenced_by or member.held:
        return False
    return group.reason is Reason.REPEAT or member.condition.event in replayed


def of_condition(member: Member, group: Group, target: str, now: datetime) -> Json | None:
    """A condition in, its alert triggered, acknowledged or resolved out; None where another group of `target` tells it.

    The key is the condition's own, whatever becomes of it, so that each finds the alert and a repetition does no harm.
    A snooze is an acknowledgement: PagerDuty has its own, and takes none from outside.
    """
    condition = member.condition
    key = {"dedup_key": f"jobwire:{condition.id}"}
    if member.over:
        elsewhere = any(place.target == target and not place.left for place in condition.places)
        return None if elsewhere and not condition.ended else {"event_action": "resolve", **key}
    if member.status is not Status.OPEN:
        return {"event_action": "acknowledge", **key}
    facts = facts_of(member, group.reason)
    times = {"times": f"{member.times} within 2 h"} if member.times > 1 else {}
    further = {"route": group.route, **group.labels, **times}
    return {"event_action": "trigger", **key, **_alert(facts, member.severity, now, further)}


def drill(facts: Facts, now: datetime) -> Sequence[Json]:
    """A test in, an alert that is opened and ended at once out: it shows that they get through, and leaves none."""
    key = {"dedup_key": f"jobwire:{facts.id}"}
    trigger = {"event_action": "trigger", **key, **_alert(facts, "info", now, {})}
    return trigger, {"event_action": "resolve", **key}


def change(facts: Facts, now: datetime) -> Json:
    """An occurrence in, a change event out, which pages nobody."""
    payload = {
        "summary": headline(facts, SUMMARY),
        "timestamp": _at(facts, now),
        "source": line(facts.source, VALUE) or "jobwire",
        "custom_details": _details(facts, {}),
    }
    return {"payload": payload, **_links(facts)}


def bare(event: Json) -> Json:
    """An event that was refused in, the least that can be said in its place out."""
    payload = event["payload"]
    kept = ("summary", "source", "severity", "timestamp")
    return {
        **{one: event[one] for one in ("event_action", "dedup_key") if one in event},
        "payload": {one: payload[one] for one in kept if one in payload},
    }


def _alert(facts: Facts, severity: str, now: datetime, further: Mapping[str, str]) -> Json:
    return {
        "payload": {
            "summary": headline(facts, SUMMARY),
            "source": line(facts.source, VALUE) or "jobwire",
            "severity": _SEVERITIES.get(severity, "warning"),
            "timestamp": _at(facts, now),
            "component": line(facts.key, VALUE),
            "group": facts.provider or "jobwire",
            "class": facts.type,
            "custom_details": _details(facts, further),
        },
        "client": "jobwire",
        **_links(facts),
    }


def _at(facts: Facts, now: datetime) -> str:
    return facts.time if parse_instant(facts.time) else stamp(now)


def _details(facts: Facts, further: Mapping[str, str]) -> Json:
    """What stands beside the summary: plain values under clean names. Ours are never a provider's."""
    ours: Json = {"what": plain_text(tell(facts).sentence, SENTENCE), "event_id": facts.id, "type": facts.type}
    ours |= {line(label, NAME): line(value, VALUE) for label, value in further.items()}
    theirs = [(line(field, NAME), _plain(value)) for field, value in facts.fields.items() if value is not None]
    shown = {f"resource {field}" if field in ours else field: value for field, value in theirs[:FIELDS]}
    more = {"more": f"{len(theirs) - FIELDS} more fields"} if len(theirs) > FIELDS else {}
    return {**shown, **more, **ours}


def _plain(value: Any) -> str | int | float | bool:
    """A field in, the same as one JSON value that people can read out: what is nested becomes a short text."""
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) <= _EXACT) or isinstance(value, float):
        return value
    return line(_flat(value), VALUE)


def _flat(value: Any) -> str:
    """`a, b` of a list, `name: a; other: b` of an object; what is nested deeper as JSON."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {said(one)}" for key, one in islice(value.items(), VALUE))
    if isinstance(value, list):
        return ", ".join(said(one) for one in islice(value, VALUE))
    return said(value)


def _links(facts: Facts) -> Json:
    href = web_link(facts.url)
    return {"links": [{"href": href, "text": name(facts, VALUE)}]} if href else {}
