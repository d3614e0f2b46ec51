"""The exact message that a target would get about an event. Nothing is sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from monitor.bootstrap import Services, router_of
from monitor.conditions import Condition, Status
from monitor.conditions.families import family_of
from monitor.conditions.life import Told, opened
from monitor.errors import UsageError
from monitor.events import encode
from monitor.exchange import Blocking, Request
from monitor.grouping.message import Group, Member, News, Reason
from monitor.moments import parse_instant
from monitor.routing import Decision, default_severity
from monitor.settings import Settings
from monitor.targets.base import Message, Outcome, Target
from monitor.targets.trial import Shaped
from monitor.values import secrets_of


class MessageView(msgspec.Struct, frozen=True):
    """What a target would be sent first: `body` is JSON where it is that, else text; secrets in it are `***`.

    `fault` says why a layout or text of the operator's own gave way to what is shown; null where none did.
    """

    target: str
    method: str
    address: str
    body: Any
    fault: str | None = None


async def preview_stored(running: Services, target: Target, name: str, body: bytes, now: datetime) -> MessageView:
    """As `preview_of` for an event of the log: what it tells is open since when it really opened."""
    facts: dict[str, Any] = msgspec.json.decode(body)
    family, key = family_of(str(facts["type"])), str(facts["data"]["key"])
    if family is None:
        return preview_of(running.settings, target, name, body, now)
    ledger = (await running.store.conditions.ledgers([key])).get(key)
    known = ledger.conditions.get(family.name) if ledger else None
    return preview_of(running.settings, target, name, body, now, known)


def preview_of(
    settings: Settings, target: Target, name: str, body: bytes, now: datetime, known: Condition | None = None
) -> MessageView:
    """An event's bytes in, the request of the first attempt for this target out; UsageError where there is none.

    It is shown as the first message about the event, by the route that takes it, or by none. `known` is its condition
    as it stands in the store; without it, what the event tells has been so since the event's own time.
    """
    message = _message(body, target, name, settings, now, known)
    step = _first_step(target, message)
    method = step.method if isinstance(step, Request) else "by a library"
    secrets = [secret.get_secret_value() for _, secret in secrets_of(settings.targets[name].options)]
    shown = _shown(step, secrets)
    fault = target.fault(message) if isinstance(target, Shaped) else None
    return MessageView(name, method, target.address(), shown, fault)


def preview_given(settings: Settings, target: Target, name: str, event: dict[str, Any], now: datetime) -> MessageView:
    """As `preview_of` for an event that somebody wrote by hand; UsageError too where it lacks what ours have."""
    try:
        return preview_of(settings, target, name, msgspec.json.encode(event), now)
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"the event is not as ours are, so {name} has no words for it ({type(error).__name__}: {error}): "
            "take one as /api/v1/events shows it"
        ) from None


async def digest_of(running: Services, target: str) -> bytes:
    """What a target's digest would be if it were due now; UsageError where there is none."""
    if running.targets[target].digest is None:
        raise UsageError(f'target {target!r} gets no digest: give it `digest: {{at: "09:00"}}` in the config')
    event = await running.consumer.digesting.as_it_would_be(target)
    if event is None:
        raise UsageError("there would be no digest: no deadline is near, and nothing has happened since the last one")
    return encode(event)


def _message(
    body: bytes, target: Target, name: str, settings: Settings, now: datetime, known: Condition | None
) -> Message:
    """The first message about an event, as the pipeline would make it."""
    facts: dict[str, Any] = msgspec.json.decode(body)
    taken = next((one for one in router_of(settings).decide(facts) if one.target == name), None)
    severity = taken.severity if taken else default_severity(str(facts["type"]))
    id = str(facts.get("id") or "evt_preview")
    began = _began(facts, known, now)
    group = _group(body, facts, taken, severity, name, began) if target.grouped else None
    return Message(id, (body,), 1, now, severity, group)


def _began(facts: dict[str, Any], known: Condition | None, now: datetime) -> datetime:
    """Since when what an event tells is so: its condition's opening, where that is the life which the event is of."""
    at = min(parse_instant(facts.get("time")) or now, now)
    if known is None:
        return at
    lives = known.opened_at <= at and (known.ended_at is None or at <= known.ended_at)
    return known.opened_at if lives or known.event == facts.get("id") else at


def _group(
    body: bytes, facts: dict[str, Any], taken: Decision | None, severity: str, name: str, began: datetime
) -> Group:
    family = family_of(str(facts["type"]))
    members: tuple[Member, ...] = ()
    if family is not None:
        condition = opened(None, family, Told("0-0", body, facts), began)
        members = (Member(condition, Status.OPEN, severity, News.NEW),)
    return Group(
        key=f"{name}/preview",
        reason=Reason.FIRST if members else Reason.OCCURRED,
        route=taken.route if taken else "no route",
        labels=taken.labels if taken else {},
        values=taken.values if taken else {},
        members=members,
        since=began,
    )


def _first_step(target: Target, message: Message) -> Request | Blocking:
    """What an attempt would send first; UsageError where it sends nothing."""
    attempt = target.send(message)
    try:
        step = next(attempt)
    except StopIteration as end:
        why = end.value.error if isinstance(end.value, Outcome) else None
        raise UsageError(f"nothing would be sent: {why or 'the target has nothing to say about it'}") from None
    attempt.close()
    if not isinstance(step, Request | Blocking):
        raise TypeError("a target's first step is a request, or a call")
    return step


def _shown(step: Request | Blocking, secrets: list[str]) -> Any:
    return _readable(step.body, secrets) if isinstance(step, Request) else dict(step.shown)


def _readable(body: bytes | None, secrets: list[str]) -> Any:
    """A body as JSON where it is that, else as text; secrets of the target in it (a routing key, say) as `***`."""
    text = (body or b"null").decode("utf-8", "replace")
    for secret in sorted(secrets, key=len, reverse=True):
        # As it is written within JSON, too.
        text = text.replace(secret, "***").replace(msgspec.json.encode(secret).decode()[1:-1], "***")
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
