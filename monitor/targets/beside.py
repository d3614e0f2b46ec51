"""Which events of a message stand for themselves, beside the conditions that it is about."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from monitor.targets.base import Message


class _Id(msgspec.Struct):
    id: str


_ids = msgspec.json.Decoder(_Id)


def occurrences(message: Message) -> Sequence[bytes]:
    """A message in, those of its events out that no condition of its group stands on: nothing ever ends them."""
    stood_on = {member.condition.event for member in message.group.members} if message.group else set()
    return [body for body in message.events if _ids.decode(body).id not in stood_on]
