"""Events, values and scans in words that fit on a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from monitor.cli.output import columns, cut, plain, shorter
from monitor.moments import parse_instant
from monitor.values import elapsed

_CHANGES, _VALUE = 2, 50


def event_line(event: Mapping[str, Any]) -> None:
    """Print an event as one line: when, what, to whom it happened, how it was and is, where."""
    data = event["data"]
    resource = data.get("resource") or {}
    columns(
        [
            (short_time(event["time"]), 20, "dim"),
            (event["type"], 34, "bold"),
            (shorter(str(resource.get("title") or event["subject"]), 60), 28, ""),
            (what_changed(event), 28, "cyan"),
            (str(data.get("source") or ""), 0, "dim"),
        ]
    )


def what_changed(event: Mapping[str, Any]) -> str:
    """The heart of an event in a few words: `UNCLAIMED → CLAIMED`, `end_date: … → …`, `30 days left`."""
    data = event["data"]
    state, deadline = data.get("state"), data.get("deadline")
    if deadline:
        return _deadline(deadline)
    if data.get("details"):
        return details_text(data["details"])
    if state and state["before"] != state["after"]:
        return f"{state['before'] or '-'} → {state['after'] or '-'}"
    return changes_text(data.get("changes") or [])


def changes_text(changes: Sequence[Mapping[str, Any]]) -> str:
    """The first changed fields, before and after; how many more there are."""
    said = [
        f"{one['field']}: {cut(value_text(one['before']), _VALUE)} → {cut(value_text(one['after']), _VALUE)}"
        for one in changes[:_CHANGES]
    ]
    more = len(changes) - len(said)
    return ", ".join(said) + (f", {more} more" if more else "")


def details_text(details: Mapping[str, Any]) -> str:
    """What an event about the monitor itself says: its error, else `name value` pairs."""
    if "counts" in details:
        return counts_text(details["counts"]) or "nothing there"
    if details.get("error"):
        return plain(str(details["error"]))
    return ", ".join(f"{name} {value_text(value)}" for name, value in details.items() if value is not None)


def counts_text(counts: Mapping[str, Mapping[str, int]]) -> str:
    """Counts by kind and state in words: `job: CLAIMED 3, UNCLAIMED 7; contract: active 2`."""
    kinds = []
    for kind, states in sorted(counts.items()):
        most_first = sorted(states.items(), key=lambda pair: (-pair[1], pair[0]))
        kinds.append(f"{kind}: " + ", ".join(f"{state} {amount}" for state, amount in most_first))
    return "; ".join(kinds)


def value_text(value: Any) -> str:
    """A JSON value as a person would write it, cut at a terminal where it is long."""
    if value is None:
        return "-"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return shorter(text, 40)


def short_time(text: str | None) -> str:
    """RFC 3339 text in, the same to the second out; `-` for none."""
    moment = parse_instant(text)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else text or "-"


def ago(text: str | None, now: datetime) -> str:
    """How long ago an RFC 3339 time was, `in 5m` where it is still to come, `now` within a second; `-` for none."""
    moment = parse_instant(text)
    if moment is None:
        return "-"
    if abs((moment - now).total_seconds()) < 1:
        return "now"
    return f"in {elapsed(moment - now)}" if moment > now else f"{elapsed(now - moment)} ago"


def span(seconds: float) -> str:
    """How long something took: `35 ms`, `4.2 s`."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def plural(amount: int, one: str, many: str | None = None) -> str:
    """`1 page`, `2 pages`."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def _deadline(deadline: Mapping[str, Any]) -> str:
    when = deadline.get("date") or short_time(deadline.get("at"))
    late = f", told {deadline['late']} late" if deadline.get("late") not in {None, "0s"} else ""
    return f"{deadline['rung']}: {when}{late}"
