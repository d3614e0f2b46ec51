"""Why an event was made, which routes took it and which did not, and what became of it at each target.

Routes are walked as they are in the config now. A delivery knows by which route it was made, so what has changed since
is said beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from monitor.events import decode
from monitor.eventschema import catalogue
from monitor.moments import from_millis, parse_instant, stamp
from monitor.routetrace import Failure, Step, nearest, trace
from monitor.routing import Decision, Route, Router, own_news
from monitor.status.deliveries import DeliveryView, delivery_view
from monitor.store.eventlog import EventLog, Stored, place_order
from monitor.store.reading import Reading, StoredDelivery
from monitor.values import elapsed
from monitor.vocabulary import Vocabulary


class MadeView(msgspec.Struct, frozen=True):
    """Why an event was made: in a sentence, by which rule, from what it was to what it is, between which looks."""

    why: str
    rule: str
    state: dict[str, Any] | None
    changes: list[dict[str, Any]]
    deadline: dict[str, Any] | None
    details: dict[str, Any] | None
    occurred_at: str | None
    last_seen_before: str | None
    first_seen_after: str | None
    committed_at: str
    place: str


class FailureView(msgspec.Struct, frozen=True):
    """A matcher that the event does not fit."""

    route: str
    matcher: str
    wanted: Any
    found: Any


class RouteView(msgspec.Struct, frozen=True):
    """One route: took, inside (a route inside it took the event), no match, or not reached because of another."""

    route: str
    path: str
    to: tuple[str, ...]
    outcome: str
    failures: list[FailureView]
    because: str | None


class FateView(msgspec.Struct, frozen=True):
    """One target: the route that takes the event for it now, or why none does; what was sent by which route then."""

    target: str
    route: str | None
    severity: str | None
    reasons: list[str]
    why_not: str | None
    nearest: RouteView | None
    sent_by: str | None
    delivery: DeliveryView | None


class Explanation(msgspec.Struct, frozen=True):
    """Everything that is known of how an event came about and where it went."""

    event: dict[str, Any]
    made: MadeView
    targets: list[FateView]
    routes: list[RouteView]


async def explain(
    log: EventLog,
    reading: Reading,
    id: str,
    routes: Sequence[Route],
    targets: Sequence[str],
    vocabularies: Iterable[Vocabulary],
    cursor: str,
) -> Explanation | None:
    """The id of an event or a delivery in, its explanation out; None when it is not kept. `cursor` is the relay's."""
    if not id.startswith("evt_"):
        delivery = await reading.delivery(id)
        id = delivery.event if delivery else id
    stored = await log.get(id)
    if stored is None:
        return None
    event = decode(stored.body)
    steps, decisions = trace(routes, event), Router(routes).decide(event)
    taken = {one.target: one for one in decisions}
    sent = {one.target: one for one in await reading.of_event(id, targets)}
    relayed = place_order(stored.place) <= place_order(cursor)
    fates = [_fate(event, name, taken.get(name), steps, sent.get(name), relayed=relayed) for name in targets]
    return Explanation(event, _made(stored, event, vocabularies), fates, [_route(one) for one in steps])


def _made(stored: Stored, event: Mapping[str, Any], vocabularies: Iterable[Vocabulary]) -> MadeView:
    data = event["data"]
    rule = next((one.text for one in catalogue(vocabularies) if one.name == stored.type), None)
    return MadeView(
        why=_why(event),
        rule=rule or "the provider shows a state that no document lists",
        state=data.get("state"),
        changes=data.get("changes") or [],
        deadline=data.get("deadline"),
        details=data.get("details"),
        occurred_at=data.get("occurred_at"),
        last_seen_before=data.get("last_seen_before"),
        first_seen_after=data.get("first_seen_after"),
        committed_at=stamp(from_millis(stored.at_ms)),
        place=stored.place,
    )


def _why(event: Mapping[str, Any]) -> str:
    """The reason of an event in a sentence."""
    data = event["data"]
    state, deadline, changes = data.get("state"), data.get("deadline"), data.get("changes") or []
    if deadline:
        when = deadline.get("date") or deadline.get("at")
        late = "" if deadline.get("late") in {None, "0s"} else f", told {deadline['late']} late"
        return f"the clock reached the rung {deadline['rung']} of {when}{late}"
    if data.get("details") is not None and data.get("resource") is None:
        return f"news about {event['subject']}"
    what = str(event["type"]).rsplit(".", 1)[-1]
    if what == "created":
        return f"seen for the first time, as {(state or {}).get('after') or 'no state'}"
    if what in {"removed", "restored"}:
        return {"removed": "gone for certain", "restored": "there again after it was removed"}[what]
    between = _between(data.get("last_seen_before"), data.get("first_seen_after"))
    if state and state["before"] != state["after"]:
        return f"the state went from {state['before'] or 'none'} to {state['after'] or 'none'}{between}"
    fields = ", ".join(str(one["field"]) for one in changes)
    return f"{fields} changed, the state did not{between}" if fields else f"another resource says so{between}"


def _between(before: str | None, after: str | None) -> str:
    first, second = parse_instant(before), parse_instant(after)
    if first is None or second is None:
        return ""
    return f", some time in the {elapsed(second - first)} between two looks"


def _fate(
    event: Mapping[str, Any],
    target: str,
    decision: Decision | None,
    steps: Sequence[Step],
    sent: StoredDelivery | None,
    *,
    relayed: bool,
) -> FateView:
    own = own_news(event, target)
    missed = nearest(steps, target) if decision is None and not own else None
    why_not = "news about a target never goes to that target" if own else None
    if decision is None and not own:
        why_not = _missed(missed, target)
    elif sent is None and not own:
        why_not = "no delivery is kept: it was routed otherwise then" if relayed else "not relayed yet"
    return FateView(
        target=target,
        route=decision.route if decision else None,
        severity=decision.severity if decision else None,
        reasons=[sent.reason] if sent and sent.reason else [],
        why_not=why_not,
        nearest=_route(missed) if missed else None,
        sent_by=sent.route if sent else None,
        delivery=delivery_view(sent) if sent else None,
    )


def _missed(step: Step | None, target: str) -> str:
    """Why the nearest route did not take the event."""
    if step is None:
        return f"no route sends to {target}"
    if step.outcome == "inside":
        return f"a route inside {step.route} took it, which sends elsewhere"
    if step.failures:
        return f"{step.route}: " + "; ".join(_failed(one, step.route) for one in step.failures)
    return f"{step.route} is behind {step.because}, which took it and does not continue"


def _failed(one: Failure, route: str) -> str:
    found = "nothing" if one.found is None else msgspec.json.encode(one.found).decode()
    wanted = msgspec.json.encode(one.wanted).decode()
    around = "" if one.route == route else f" (of {one.route})"
    return f"{one.matcher}{around} wants {wanted}, the event has {found}"


def _route(step: Step) -> RouteView:
    failures = [FailureView(one.route, one.matcher, one.wanted, one.found) for one in step.failures]
    return RouteView(step.route, step.path, step.to, step.outcome, failures, step.because)
