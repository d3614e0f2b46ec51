"""What time alone brings about a source: data that goes stale, credentials that come to their end. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.events import Event, monitor_event
from monitor.ladders import Clockwork, describe, ladder, tightest
from monitor.moments import parse_instant, stamp
from monitor.values import format_duration
from monitor.vocabulary import DeadlineRule

STALE_AT_LEAST = 120.0
DAY = 86_400.0

# The ladder of credentials: days before their end, and the end itself.
_ENDING = DeadlineRule(
    type="jobwire.source.credentials_expiring",
    after="jobwire.source.expired",
    field="expires_at",
    unit="instant",
    before=(14 * DAY, 7 * DAY, 3 * DAY, DAY),
    alive=lambda state: True,
)


def stale_limit(every: float, stale_after: float | None) -> float:
    """A source's interval and its own option in, the age in seconds above which it is stale out."""
    return stale_after if stale_after is not None else max(3 * every, STALE_AT_LEAST)


def gone_stale(
    name: str, provider: str, state: Mapping[str, str], limit: float, now: datetime
) -> tuple[str, Event] | None:
    """The stored state in; since when the source is stale, with the news of it, out; None if it is not, or was told.

    It counts from the last complete scan, or from the first attempt where none was complete.
    """
    since = parse_instant(state.get("fresh_at") or state.get("failing_since"))
    if since is None or "stale" in state or now - since <= timedelta(seconds=limit):
        return None
    details = {"since": stamp(since), "reason": state.get("reason"), "error": state.get("error")}
    return stamp(since), _event(name, provider, state, "stale", now, details, stamp(since))


def credentials_expiring(
    name: str, provider: str, state: Mapping[str, str], ends: datetime, now: datetime
) -> tuple[str, Event] | None:
    """When fixed credentials end in; the mark under which this is told once, with the news of it, out.

    Only the tightest rung that has passed speaks: 14d, 7d, 3d, 1d, expired. None before the first. The mark
    holds the end alone: another end is another token.
    """
    end, clockwork = stamp(ends), Clockwork(ZoneInfo("UTC"))
    rung = tightest(ladder(_ENDING, end, clockwork), now)
    if rung is None:
        return None
    expired = rung.type == _ENDING.after
    named = rung.name if expired else format_duration((ends - rung.due).total_seconds())
    left = describe(_ENDING, rung, end, clockwork, now)["seconds_left"]
    # To the hour first: a rung that is told seconds late still says its own number of days.
    details = {"expires_at": end, "rung": named, "days_left": int(round(left / 3600) / 24)}
    mark = f"credentials {hashlib.blake2b(end.encode(), digest_size=8).hexdigest()} {named}"
    return mark, _event(name, provider, state, "credentials_expiring", now, details, mark)


def _event(
    name: str,
    provider: str,
    state: Mapping[str, str],
    what: str,
    now: datetime,
    details: Mapping[str, Any],
    mark: str,
) -> Event:
    return monitor_event(
        "source",
        name,
        what,
        count=int(state.get("epoch", "0")),
        time=stamp(now),
        details=details,
        provider=provider,
        mark=mark,
    )
