"""Routes that work and deserve a look: never reached or matching, rounded timers, more messages than Slack takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from monitor.eventschema import catalogue
from monitor.routing import DEFAULT_GROUP_WAIT, Timers, type_glob
from monitor.settings.agreement import OWN, Providers, vocabularies
from monitor.settings.model import Settings
from monitor.settings.problems import Path, Problems
from monitor.settings.routes import EACH_ALONE, Match, Route
from monitor.values import format_duration
from monitor.vocabulary import Vocabulary

_BUSY = frozenset({EACH_ALONE, "key"})
_WILD = "*"


@dataclass(frozen=True, slots=True)
class Advice:
    """What deserves a look: the path of the route in the file, the key there, and why."""

    path: Path
    key: Path
    text: str


@dataclass(frozen=True, slots=True)
class _Above:
    """What a route inherits, as far as it matters here."""

    to: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    wait: float = DEFAULT_GROUP_WAIT
    interval: float | None = None
    repeat: float | None = None
    unreached: bool = field(default=False)

    def under(self, route: Route, *, unreached: bool) -> _Above:
        return _Above(
            self.to if route.to is None else route.to,
            self.group_by if route.group_by is None else route.group_by,
            self.wait if route.group_wait is None else route.group_wait,
            self.interval if route.group_interval is None else route.group_interval,
            self.repeat if route.repeat_interval is None else route.repeat_interval,
            unreached,
        )

    @property
    def timers(self) -> Timers:
        """The timers that hold here."""
        return Timers(self.wait, self.wait if self.interval is None else self.interval, self.repeat)


def routes_deserve_a_look(settings: Settings, providers: Providers, warnings: Problems) -> None:
    """The settings of a file without problems in; what deserves a look of its routes is added to `warnings`."""
    for one in route_advice(settings, providers):
        warnings.add((*one.path, *one.key), one.text)


def route_advice(settings: Settings, providers: Providers) -> list[Advice]:
    """Everything that deserves a look, in the order of the file."""
    known = vocabularies(settings, providers)
    slack = {name for name, target in settings.targets.items() if target.type == "slack"}
    return list(_look(settings.routes, ("routes",), _Above(), _Known(known, frozenset(providers)), slack))


@dataclass(frozen=True, slots=True)
class _Known:
    """The event types that may come: those of the providers that sources speak to."""

    spoken: dict[str, Vocabulary]
    providers: frozenset[str]

    def why_never(self, pattern: str) -> str | None:
        """Why no known event is of this type; None when some is, or when its provider has no source yet."""
        first = pattern.split(".", 1)[0]
        if first in self.providers and first not in self.spoken:
            return None
        types = [one.name for one in catalogue(self.spoken.values())]
        if any(type_glob(pattern).fullmatch(name) for name in types):
            return None
        near = [name for name in types if name.split(".")[:2] == pattern.split(".")[:2]] if first != OWN else []
        there = f"; of {'.'.join(pattern.split('.')[:2])} there are {', '.join(sorted(_whats(near)))}" if near else ""
        return f"no known event is of type {pattern!r}{there}"


def _look(routes: Sequence[Route], path: Path, above: _Above, known: _Known, slack: set[str]) -> Iterator[Advice]:
    for index, route in enumerate(routes):
        own = (*path, index)
        taker = next(
            (
                number
                for number, one in enumerate(routes[:index])
                if not one.continue_ and _covers(one.match, route.match)
            ),
            None,
        )
        here = above.under(route, unreached=above.unreached or taker is not None)
        if taker is not None and not above.unreached:
            yield Advice(
                own,
                (),
                f"never reached: {_named(routes[taker], (*path, taker))} takes all of it before, "
                "and does not `continue`",
            )
        for number, pattern in enumerate(route.match.type):
            why = known.why_never(pattern)
            if why:
                key = ("match", "type", number) if len(route.match.type) > 1 else ("match", "type")
                yield Advice(own, key, why)
        yield from _timers(route, own, here, slack)
        yield from _look(route.routes, (*own, "routes"), here, known, slack)


def _timers(route: Route, path: Path, here: _Above, slack: set[str]) -> Iterator[Advice]:
    timers, repeat = here.timers, here.timers.repeat
    moved = {"group_wait", "group_interval", "repeat_interval"} & route.model_fields_set
    if moved and repeat is not None and timers.repeat_interval is not None and repeat != timers.repeat_interval:
        yield Advice(
            path,
            ("repeat_interval",) if "repeat_interval" in moved else (),
            f"conditions are looked at every group_interval ({format_duration(timers.group_interval)}): told again "
            f"after {format_duration(repeat)}, not {format_duration(timers.repeat_interval)}",
        )
    busy = sorted(slack & set(here.to)) if _BUSY & set(here.group_by) else []
    if busy and (route.to is not None or route.group_by is not None):
        each = "event" if EACH_ALONE in here.group_by else "resource"
        yield Advice(
            path,
            ("group_by",) if route.group_by is not None else (),
            f"each {each} is a message of its own for {', '.join(busy)}: Slack takes one a second for each channel, so "
            "sixty changes at once take a minute; group by source or type to make them one",
        )


def _covers(first: Match, second: Match) -> bool:
    """Whether every event that the second takes is taken by the first; False where that is not certain."""
    named = all(
        not (mine := getattr(first, name)) or ((theirs := getattr(second, name)) and set(theirs) <= set(mine))
        for name in ("source", "provider", "kind", "state")
    )
    types = not first.type or (
        bool(second.type) and all(any(_takes(mine, theirs) for mine in first.type) for theirs in second.type)
    )
    where = all(
        path in second.where and comparison.operators.items() <= second.where[path].operators.items()
        for path, comparison in first.where.items()
    )
    return named and types and where


def _takes(mine: str, theirs: str) -> bool:
    """Whether one type pattern takes all that another does; for one with wildcards only where it is plain."""
    if mine in {theirs, "**"}:
        return True
    if _WILD not in theirs:
        return type_glob(mine).fullmatch(theirs) is not None
    return mine.endswith(".**") and _WILD not in mine[:-3] and theirs.startswith(f"{mine[:-3]}.")


def _named(route: Route, path: Path) -> str:
    return route.name or route_path(path)


def route_path(path: Path) -> str:
    """A path in the file as `explain` names a route: `routes[1].routes[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _whats(names: Sequence[str]) -> set[str]:
    return {name.rsplit(".", 1)[-1] for name in names}
