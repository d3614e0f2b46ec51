"""A source whose lists can be read although something is wrong with it: fresh, and failing all the same. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from monitor.events import Event, monitor_event
from monitor.exchange import Notice
from monitor.health import Ending, Health, after_good_scan
from monitor.moments import stamp


def after_read_scan(
    name: str,
    provider: str,
    state: Mapping[str, str],
    ending: Ending,
    counts: Mapping[str, Mapping[str, int]],
    notices: Sequence[Notice],
) -> Health:
    """A complete scan and what the provider noticed in it in, the health of the source out.

    Without a notice it is well, and `recovered` if it was not. With one it is `failing` for that reason, which is
    told when it begins; freshness is not touched, because the lists were read.
    """
    good = after_good_scan(name, provider, _less(state, "announced") if notices else state, ending, counts)
    if notices:
        return _noticed(name, provider, state, ending, good, notices[0])
    if "noticed" not in state:
        return good
    events = tuple(_with(event, noticed=state["noticed"]) for event in good.events)
    return replace(good, forget=(*good.forget, "noticed"), events=events)


def _noticed(
    name: str, provider: str, state: Mapping[str, str], ending: Ending, good: Health, notice: Notice
) -> Health:
    since = notice.since or state.get("failing_since") or stamp(ending.started)
    fields: dict[str, str | int] = {
        "announced": "failing",
        "noticed": notice.what,
        "failing_since": since,
        "reason": notice.what,
        "error": notice.text,
    }
    told = state.get("noticed") == notice.what and state.get("announced") == "failing"
    event = monitor_event(
        "source",
        name,
        "failing",
        count=ending.epoch,
        time=stamp(ending.ended),
        details={"reason": notice.what, "error": notice.text, "since": since},
        provider=provider,
    )
    forget = tuple(field for field in good.forget if field not in fields)
    return Health({**good.set, **fields}, forget, good.events if told else (*good.events, event))


def _less(state: Mapping[str, str], name: str) -> Mapping[str, str]:
    return {field: value for field, value in state.items() if field != name}


def _with(event: Event, **details: Any) -> Event:
    return msgspec.structs.replace(event, data=event.data | {"details": event.data["details"] | details})
