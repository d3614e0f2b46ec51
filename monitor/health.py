"""Whether a source is well, and what must be told of it. Pure: stored state and a scan's end in, health out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from monitor.events import Event, monitor_event
from monitor.moments import parse_instant, stamp, to_millis

FAILING_AFTER_SCANS = 3
FAILING_AFTER = timedelta(minutes=5)
REJECTED_PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a scan ended: `reason` is None when it was complete, else a short closed word, with `text` for people.

    `wait` is how many seconds the provider asked to be left alone.
    """

    started: datetime
    ended: datetime
    epoch: int
    reason: str | None = None
    text: str | None = None
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """What to store about the source, what to forget, and what to tell."""

    set: Mapping[str, str | int]
    forget: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(slots=True)
class _Told:
    name: str
    provider: str
    ending: Ending
    events: list[Event] = field(default_factory=list)

    def tell(self, what: str, **details: Any) -> None:
        time = stamp(self.ending.ended)
        self.events.append(
            monitor_event(
                "source",
                self.name,
                what,
                count=self.ending.epoch,
                time=time,
                details=details,
                provider=self.provider,
            )
        )


def after_good_scan(
    name: str,
    provider: str,
    state: Mapping[str, str],
    ending: Ending,
    counts: Mapping[str, Mapping[str, int]],
) -> Health:
    """A complete scan in: the source is fresh; `baselined` if it was the first, `recovered` if it was in trouble."""
    told = _Told(name, provider, ending)
    fields: dict[str, str | int] = {"fresh_from": stamp(ending.started), "fresh_at": stamp(ending.ended)}
    if "baselined" not in state:
        fields["baselined"] = stamp(ending.ended)
        told.tell("baselined", counts=counts, total=sum(sum(one.values()) for one in counts.values()))
    if "announced" in state or "stale" in state:
        was = state.get("announced", "stale")
        since = state.get("stale" if was == "stale" else "failing_since")
        told.tell("recovered", was=was, since=since, reason=state.get("reason"))
    forget = ["announced", "failing_since", "failures", "reason", "error", "paused_until"]
    # What is told as stale after `state` was read stays, for the next good scan to close.
    forget += ["stale"] if "stale" in state else []
    return Health(fields, tuple(forget), tuple(told.events))


def removals_held(
    name: str, provider: str, state: Mapping[str, str], ending: Ending, held: int, health: Health
) -> Health:
    """The health after a good scan in; with a word about held removals, told once as long as they are held."""
    if not held:
        return replace(health, forget=(*health.forget, "held", "held_since", "release"))
    told = _Told(name, provider, ending)
    fields: dict[str, str | int] = {**health.set, "held": held}
    if "held_since" not in state:
        fields["held_since"] = stamp(ending.ended)
        told.tell("removals_held", missing=held, since=stamp(ending.ended))
    return replace(health, set=fields, events=(*health.events, *told.events))


def after_bad_scan(name: str, provider: str, state: Mapping[str, str], ending: Ending) -> Health:
    """A failed scan in: `failing` after three in a row or five minutes; rejected credentials at once, with a pause."""
    told = _Told(name, provider, ending)
    failures = int(state.get("failures", "0")) + 1
    since = parse_instant(state.get("failing_since")) or ending.started
    fields: dict[str, str | int] = {
        "failures": failures,
        "failing_since": stamp(since),
        "reason": ending.reason or "error",
        "error": ending.text or "",
    }
    rejected = ending.reason == "credentials_rejected"
    pause = max(timedelta(seconds=ending.wait or 0.0), REJECTED_PAUSE if rejected else timedelta())
    if pause:
        fields["paused_until"] = to_millis(ending.ended + pause)
    details = {"reason": ending.reason, "error": ending.text, "since": stamp(since), "failed_scans": failures}
    if rejected:
        if state.get("announced") != "credentials_rejected":
            fields["announced"] = "credentials_rejected"
            told.tell("credentials_rejected", **details)
    elif "announced" not in state and (failures >= FAILING_AFTER_SCANS or ending.ended - since >= FAILING_AFTER):
        fields["announced"] = "failing"
        told.tell("failing", **details)
    return Health(fields, (), tuple(told.events))
