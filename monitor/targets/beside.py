"""Which events of a message stand for themselves, beside the conditions that it is about."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.events import id_in
from monitor.targets.base import Message


def occurrences(message: Message) -> Sequence[bytes]:
    """A message in, those of its events out that no condition of its group stands on: nothing ever ends them."""
    stood_on = {member.condition.event for member in message.group.members} if message.group else set()
    return [body for body in message.events if id_in(body) not in stood_on]
