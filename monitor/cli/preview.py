"""`jobwire preview`: the exact message that a target would get about an event, and how it reads. Nothing is sent."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from pydantic import BaseModel, SecretStr

from monitor.bootstrap import open_targets, router_of
from monitor.cli import session
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, say
from monitor.cli.routing import read_event
from monitor.clock import Clock
from monitor.conditions import Status
from monitor.conditions.families import family_of
from monitor.conditions.life import Told, opened
from monitor.errors import UsageError
from monitor.events import encode
from monitor.exchange import Blocking, Request
from monitor.grouping.message import Group, Member, News, Reason
from monitor.routing import Decision, default_severity
from monitor.settings import Settings
from monitor.simulator.slack_text import lines_of
from monitor.targets.base import Message, Outcome, Target

DIGEST_NOW = "digest"
"""Said in place of an event's id."""

Event = Annotated[
    str, Parameter(help="An event's id, a file with one event as JSON (- reads it), or `digest`: as it would be now.")
]
TargetName = Annotated[str, Parameter(name="--target", help="The target's name in the config file.")]


async def preview(
    event: Event, /, *, target: TargetName, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False
) -> int:
    """Show what a target would get about an event: how it reads, and the exact request.

    It is shown as the first message about it, by the route that takes it, or by none. Secrets are left out.
    """
    settings = session.read(config)
    session.known("target", target, settings.targets)
    body = await (_digest(target, settings) if event == DIGEST_NOW else _body(event, settings))
    clock = Clock()
    async with AsyncExitStack() as stack:
        runtime = (await open_targets(settings, clock, stack))[target]
        message = _message(body, runtime.target, target, settings, clock)
        request = _first_request(runtime.target, message)
        where = runtime.target.address()
    method = request.method if isinstance(request, Request) else "by a library"
    sent = _sent(request, _secrets(settings.targets[target].options))
    if as_json:
        json_line({"target": target, "method": method, "address": where, "body": sent})
        return 0
    say(f"{target}, {method} to {where}")
    if isinstance(sent, dict) and "blocks" in sent:
        say()
        for line in lines_of(sent):
            say(f"  {line}")
    say()
    say(sent if isinstance(sent, str) else msgspec.json.format(msgspec.json.encode(sent), indent=2).decode())
    return 0


async def _digest(target: str, settings: Settings) -> bytes:
    """What the target's digest would be if it were due now."""
    async with session.wired(settings) as running:
        if running.targets[target].digest is None:
            raise UsageError(f'target {target!r} gets no digest: give it `digest: {{at: "09:00"}}` in the config')
        event = await running.consumer.digesting.as_it_would_be(target)
    if event is None:
        raise UsageError("there would be no digest: no deadline is near, and nothing has happened since the last one")
    return encode(event)


async def _body(event: str, settings: Settings) -> bytes:
    if event == "-" or Path(event).is_file():  # noqa: ASYNC240 - one look at a file, before anything else runs
        return msgspec.json.encode(read_event(Path(event)))
    async with session.wired(settings) as running:
        stored = await running.store.log.get(event)
    if stored is None:
        raise UsageError(f"no event has the id {event!r}: `jobwire events` lists them; or give a file")
    return stored.body


def _message(body: bytes, target: Target, name: str, settings: Settings, clock: Clock) -> Message:
    """The first message about an event, as the pipeline would make it."""
    facts: dict[str, Any] = msgspec.json.decode(body)
    taken = next((one for one in router_of(settings).decide(facts) if one.target == name), None)
    severity = taken.severity if taken else default_severity(str(facts["type"]))
    id = str(facts.get("id") or "evt_preview")
    group = _group(body, facts, taken, severity, name, clock) if target.grouped else None
    return Message(id, (body,), 1, clock.now(), severity, group)


def _group(body: bytes, facts: dict[str, Any], taken: Decision | None, severity: str, name: str, clock: Clock) -> Group:
    family, now = family_of(str(facts["type"])), clock.now()
    members: tuple[Member, ...] = ()
    if family is not None:
        condition = opened(None, family, Told("0-0", body, facts), now)
        members = (Member(condition, Status.OPEN, severity, News.NEW),)
    return Group(
        key=f"{name}/preview",
        reason=Reason.FIRST if members else Reason.OCCURRED,
        route=taken.route if taken else "no route",
        labels=taken.labels if taken else {},
        values=taken.values if taken else {},
        members=members,
        since=now,
    )


def _first_request(target: Target, message: Message) -> Request | Blocking:
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


def _sent(step: Request | Blocking, secrets: list[str]) -> Any:
    return _readable(step.body, secrets) if isinstance(step, Request) else dict(step.shown)


def _readable(body: bytes | None, secrets: list[str]) -> Any:
    """A body as JSON where it is that, else as text; secrets of the target in it (a routing key, say) as `***`."""
    text = (body or b"null").decode("utf-8", "replace")
    for secret in secrets:
        text = text.replace(secret, "***")
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _secrets(value: Any) -> list[str]:
    """Every secret among the options of a target."""
    if isinstance(value, SecretStr):
        return [value.get_secret_value()] if value.get_secret_value() else []
    if isinstance(value, BaseModel):
        return [one for name in type(value).model_fields for one in _secrets(getattr(value, name))]
    if isinstance(value, dict):
        return [one for inner in value.values() for one in _secrets(inner)]
    return [one for inner in value for one in _secrets(inner)] if isinstance(value, list | tuple) else []
