"""Who may click: users by their ids, and whoever belongs to a group of the workspace, as Slack says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from monitor.errors import TransportError
from monitor.pipeline.target import TargetRuntime
from monitor.targets.slack_options import SlackOptions
from monitor.targets.slack_people import NotTold, is_group, members

KNOWN_SECONDS = 60.0
"""So long who belongs to a group is not asked for again: who was taken out of it may click until then."""


class People:
    """Asks Slack for the members of groups, and keeps them for a minute."""

    def __init__(self, targets: Mapping[str, TargetRuntime], monotonic: Callable[[], float]) -> None:
        self._targets = targets
        self._monotonic = monotonic
        self._known: dict[tuple[str, str], tuple[float, frozenset[str]]] = {}

    async def may(self, target: str, options: SlackOptions, user: str) -> bool:
        """Whether this user's clicks count at a target: everybody's where it names nobody."""
        if not options.users or user in options.users:
            return True
        for group in filter(is_group, options.users):
            if user in await self._members(target, options, group):
                return True
        return False

    async def _members(self, target: str, options: SlackOptions, group: str) -> frozenset[str]:
        """Nobody while Slack does not say."""
        now = self._monotonic()
        until, found = self._known.get((target, group), (0.0, frozenset()))
        if now < until:
            return found
        try:
            found = await self._targets[target].sender.run(members(options, group))
        except (NotTold, TransportError) as error:
            structlog.get_logger().warning("slack.group_unknown", target=target, group=group, error=str(error))
            return frozenset()
        self._known[target, group] = (now + KNOWN_SECONDS, found)
        return found
