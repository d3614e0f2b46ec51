"""What the sections of a config file say of each other: names that exist, routes that lead somewhere, and so on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from pydantic import BaseModel

from monitor.egress import Egress
from monitor.plugin import Plugin
from monitor.providers.base import Provider
from monitor.settings.model import Settings
from monitor.settings.problems import Path, Problems
from monitor.settings.routes import EACH_ALONE, GROUP_NAMES, Route
from monitor.settings.wording import meant
from monitor.targets.base import Target
from monitor.vocabulary import DeadlineRule, Vocabulary

Providers: TypeAlias = Mapping[str, Plugin[Any, Provider]]
Targets: TypeAlias = Mapping[str, Plugin[Any, Target]]

OWN = "jobwire"
_DAY = 86_400


def vocabularies(settings: Settings, providers: Providers) -> dict[str, Vocabulary]:
    """What each provider that a source speaks to declares, by the provider's name."""
    found: dict[str, Vocabulary] = {}
    for source in settings.sources.values():
        if source.provider not in found:
            found[source.provider] = providers[source.provider].build(source.name, source.options).vocabulary
    return found


def deadline_rules(vocabulary: Vocabulary) -> dict[str, DeadlineRule]:
    """The deadlines of a provider by their event type."""
    return {rule.type: rule for kind in vocabulary.kinds.values() for rule in kind.deadlines}


def deadlines_exist(settings: Settings, providers: Providers, problems: Problems) -> None:
    """Every key of `deadlines` is an event type that a provider has, and rungs of dates are whole days."""
    known = vocabularies(settings, providers)
    rules = {type_: rule for vocabulary in known.values() for type_, rule in deadline_rules(vocabulary).items()}
    for name, ladder in settings.deadlines.items():
        path = ("deadlines", name)
        provider = name.split(".", 1)[0]
        if provider not in providers or (provider in known and name not in rules):
            problems.add(path, f"no deadline of this name; {meant(name, list(rules))}", at_key=True)
        elif name in rules and rules[name].unit == "date" and any(rung % _DAY for rung in ladder.before):
            problems.add((*path, "before"), "this deadline is a date: write whole days, such as 30d or 1d")


def stuck_rules_exist(settings: Settings, providers: Providers, problems: Problems) -> None:
    """Every `stuck` rule is about a kind that its provider has."""
    known = vocabularies(settings, providers)
    for index, rule in enumerate(settings.stuck):
        provider, kind = rule.type.split(".")
        kinds = [f"{name}.{one}" for name, vocabulary in known.items() for one in vocabulary.kinds]
        if provider not in providers or (provider in known and kind not in known[provider].kinds):
            problems.add(("stuck", index, "type"), f"no such kind; {meant(rule.type, kinds)}")


def every_route(routes: Iterable[Route]) -> Iterator[tuple[Path, Route, tuple[Route, ...]]]:
    """Every route of a tree with its path in the file and the routes it stands in, outermost first."""
    yield from _below(routes, ("routes",), ())


def _below(
    routes: Iterable[Route], path: Path, above: tuple[Route, ...]
) -> Iterator[tuple[Path, Route, tuple[Route, ...]]]:
    for index, route in enumerate(routes):
        here = (*path, index)
        yield here, route, above
        yield from _below(route.routes, (*here, "routes"), (*above, route))


def routes_lead_somewhere(
    settings: Settings, sources: tuple[str, ...], targets: tuple[str, ...], problems: Problems
) -> None:
    """Targets and sources that routes name exist, each route sends somewhere, and names and labels fit."""
    names: dict[str, Path] = {}
    for path, route, above in every_route(settings.routes):
        _known(route.to or (), targets, "target", (*path, "to"), problems)
        if route.escalate is not None:
            _known(route.escalate.to, targets, "target", (*path, "escalate", "to"), problems)
        plain = [source for source in route.match.source if not set("*?[") & set(source)]
        _known(plain, sources, "source", (*path, "match", "source"), problems)
        if not route.routes and all(one.to is None for one in (*above, route)):
            problems.add(path, "sends nowhere: write to: [TARGET], or to: [] if these events are not to be sent")
        if route.name is not None and names.setdefault(route.name, path) != path:
            problems.add((*path, "name"), f"another route is called {route.name!r} already")
        labels = {label for one in (*above, route) for label in one.labels}
        allowed = [*GROUP_NAMES, *sorted(labels), EACH_ALONE]
        for name in route.group_by or ():
            if name not in allowed:
                problems.add(
                    (*path, "group_by"), f"{name!r} is neither known nor a label set above; {meant(name, allowed)}"
                )


def _known(named: Iterable[str], known: tuple[str, ...], what: str, path: Path, problems: Problems) -> None:
    for index, name in enumerate(named):
        if name not in known:
            problems.add((*path, index), f"unknown {what} {name!r}; {meant(name, list(known))}")


def routes_can_match(settings: Settings, providers: Providers, problems: Problems) -> None:
    """Providers that routes look for exist: an event type with a misspelt provider would never come."""
    allowed = [*providers, OWN]
    for path, route, _ in every_route(settings.routes):
        for index, pattern in enumerate(route.match.type):
            first = pattern.split(".", 1)[0]
            if "*" not in first and first not in allowed:
                problems.add(
                    (*path, "match", "type", index), f"no event type begins with {first!r}; {meant(first, allowed)}"
                )
        plain = [provider for provider in route.match.provider if not set("*?[") & set(provider)]
        _known(plain, tuple(allowed), "provider", (*path, "match", "provider"), problems)


def targets_may_be_reached(settings: Settings, problems: Problems) -> None:
    """No target's URL names a private address that `egress.allow` does not open."""
    egress = Egress(settings.egress.allow)
    for name, target in settings.targets.items():
        for key, url in target.options.destinations().items():
            problem = egress.url_problem(url)
            if problem:
                problems.add(("targets", name, key), problem)


def values(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every single value in a model, list or mapping, with its path as in the file."""
    if isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            yield from values(getattr(value, name), (*path, info.alias or name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from values(inner, (*path, key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from values(inner, (*path, index))
    else:
        yield path, value
