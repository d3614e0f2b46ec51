"""From the routes of a config file to the tree that the router takes, with calendars in place of times and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.routing import Escalation, Match, Route
from monitor.settings.calendars import intervals_of
from monitor.settings.model import Settings
from monitor.settings.routes import Route as RouteSetting
from monitor.settings.times import TimeInterval


def routes_of(settings: Settings) -> list[Route]:
    """Settings in, their routes out as the router takes them."""
    return [_route_of(one, settings.intervals, (index,)) for index, one in enumerate(settings.routes)]


def _route_of(
    setting: RouteSetting,
    intervals: Mapping[str, Sequence[TimeInterval]],
    place: tuple[int, ...],
) -> Route:
    """One route of the config, with those inside it, as the router takes it; `intervals` are those with names."""
    match, escalate = setting.match, setting.escalate
    path = ".".join(f"routes[{index}]" for index in place)
    return Route(
        match=Match(
            type=match.type,
            source=match.source,
            provider=match.provider,
            kind=match.kind,
            state=match.state,
            where={path: comparison.operators for path, comparison in match.where.items()},
        ),
        name=setting.name,
        to=setting.to,
        continue_=setting.continue_,
        routes=tuple(_route_of(one, intervals, (*place, index)) for index, one in enumerate(setting.routes)),
        group_by=setting.group_by,
        group_wait=setting.group_wait,
        group_interval=setting.group_interval,
        repeat_interval=setting.repeat_interval,
        mute=intervals_of(setting.mute, intervals, f"{path}.mute"),
        active=intervals_of(setting.active, intervals, f"{path}.active"),
        severity=setting.severity,
        labels=setting.labels,
        escalate=Escalation(escalate.after, escalate.to) if escalate else None,
    )
