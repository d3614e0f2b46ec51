"""Which events of a message stand for themselves, beside the conditions that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from monitor.conditions.families import family_of
from monitor.routing import default_severity
from monitor.targets.base import Message


class _Data(msgspec.Struct):
    key: str = ""


class _Event(msgspec.Struct):
    id: str = ""
    type: str = ""
    data: _Data = msgspec.field(default_factory=_Data)


_event = msgspec.json.Decoder(_Event)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event that stands for itself: its bytes, its id and how grave its route finds it."""

    body: bytes
    id: str
    severity: str


def occurrences(message: Message) -> Sequence[bytes]:
    """A message in, those of its events out that stand for themselves."""
    return [one.body for one in apart(message)]


def apart(message: Message) -> Sequence[Occurrence]:
    """A message in, those of its events out that none of its conditions tells: nothing ever ends them.

    A condition tells the event that it stands on, and those that it has left behind: a rung that a tighter one
    followed before anything was sent is not so any more. What ended a condition is an occurrence as well.
    """
    members = message.group.members if message.group else ()
    stood_on = {member.condition.event for member in members}
    known = {(member.condition.key, member.condition.family) for member in members}
    found: list[Occurrence] = []
    for index, body in enumerate(message.events):
        event = _event.decode(body)
        if not _told(event, stood_on, known):
            found.append(Occurrence(body, event.id, _severity(message, index, event.type)))
    return found


def _severity(message: Message, index: int, type_: str) -> str:
    if index < len(message.severities):
        return message.severities[index]
    # Of several the message has the gravest, which is another's where conditions are among them.
    known = message.severity if message.group is None or not message.group.members else None
    return known or default_severity(type_)


def _told(event: _Event, stood_on: set[str], known: set[tuple[str, str]]) -> bool:
    family = family_of(event.type)
    return event.id in stood_on or (family is not None and (event.data.key, family.name) in known)
