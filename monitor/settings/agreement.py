"""What the sections of a config file say of each other: names that exist, routes that lead somewhere, and so on.

Looks at values as they are given, so that something else wrong in the same place hides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from monitor.egress import Egress
from monitor.plugin import Plugin
from monitor.providers.base import Provider
from monitor.settings.model import Ladder, Settings
from monitor.settings.problems import Path, Problems
from monitor.settings.routes import EACH_ALONE, GROUP_NAMES
from monitor.settings.wording import meant
from monitor.targets.base import Target
from monitor.vocabulary import DeadlineRule, Vocabulary

Providers: TypeAlias = Mapping[str, Plugin[Any, Provider]]
Targets: TypeAlias = Mapping[str, Plugin[Any, Target]]
Given: TypeAlias = Mapping[str, Any]

OWN = "jobwire"
_DAY = 86_400
_WILD = frozenset("*?[")


def vocabularies(settings: Settings, providers: Providers) -> dict[str, Vocabulary]:
    """What each provider that a source speaks to declares, by the provider's name."""
    found: dict[str, Vocabulary] = {}
    for source in settings.sources.values():
        if source.provider not in found:
            found[source.provider] = providers[source.provider].build(source.name, source.options).vocabulary
    return found


def deadline_rules(known: Mapping[str, Vocabulary]) -> dict[str, DeadlineRule]:
    """The deadlines of all these providers by their event type."""
    kinds = [kind for vocabulary in known.values() for kind in vocabulary.kinds.values()]
    return {rule.type: rule for kind in kinds for rule in kind.deadlines}


def deadlines_exist(given: Given, settings: Settings, providers: Providers, problems: Problems) -> None:
    """Every key of `deadlines` is an event type that a provider has, and rungs of dates are whole days.

    Keys of a provider that no source speaks to are let pass: nothing of theirs can happen.
    """
    known = vocabularies(settings, providers)
    rules = deadline_rules(known)
    for name in given:
        provider = name.split(".", 1)[0]
        ladder = settings.deadlines.get(name)
        if provider not in providers or (provider in known and name not in rules):
            problems.add(("deadlines", name), f"no deadline of this name; {meant(name, list(rules))}", at_key=True)
        elif ladder and name in rules:
            _ladder_fits(("deadlines", name), ladder, rules[name], problems)


def _ladder_fits(path: Path, ladder: Ladder, rule: DeadlineRule, problems: Problems) -> None:
    """Dates are told in whole days, instants before they have come."""
    if rule.unit == "date":
        if any(rung % _DAY for rung in ladder.before or ()):
            problems.add((*path, "before"), "a date is told in whole days: write 30d or 1d, no hours")
        if ladder.notice is not None and ladder.notice % _DAY:
            problems.add((*path, "notice"), "notice counts in whole days: write 28d")
    elif 0.0 in (ladder.before or ()):
        told = f"the moment itself is told by {rule.after}: write how long before, such as 1h"
        problems.add((*path, "before"), told)


def timings_take_effect(settings: Settings, providers: Providers, warnings: Problems) -> None:
    """What is said of days does something only where a deadline is a date."""
    rules = deadline_rules(vocabularies(settings, providers))
    for name, ladder in settings.deadlines.items():
        for key in ("send_at", "business_days", "holidays", "notice"):
            instant = name in rules and rules[name].unit == "instant"
            if instant and getattr(ladder, key) not in (None, False, ()):
                warnings.add(("deadlines", name, key), "does nothing here: this is an instant, told by the clock")


def stuck_rules_exist(settings: Settings, providers: Providers, problems: Problems) -> None:
    """Every `stuck` rule is about a kind that its provider has."""
    known = vocabularies(settings, providers)
    kinds = [f"{name}.{kind}" for name, vocabulary in known.items() for kind in vocabulary.kinds]
    for index, rule in enumerate(settings.stuck):
        provider = rule.type.split(".")[0]
        if provider not in providers or (provider in known and rule.type not in kinds):
            problems.add(("stuck", index, "type"), f"no such kind; {meant(rule.type, kinds)}")


def every_route(
    given: Any, path: Path = ("routes",), above: tuple[Given, ...] = ()
) -> Iterator[tuple[Path, Given, tuple[Given, ...]]]:
    """Every route as given, with its path in the file and the routes it stands in, outermost first."""
    for index, route in enumerate(given if isinstance(given, list) else []):
        if isinstance(route, dict):
            yield (*path, index), route, above
            yield from every_route(route.get("routes"), (*path, index, "routes"), (*above, route))


def routes_lead_somewhere(given: Any, targets: Iterable[str], problems: Problems) -> None:
    """Targets that routes name exist, each route sends somewhere, and no two have one name."""
    names: set[str] = set()
    for path, route, above in every_route(given):
        _known(route, ("to",), targets, "target", path, problems)
        _known(route, ("escalate", "to"), targets, "target", path, problems)
        if not route.get("routes") and all(one.get("to") is None for one in (*above, route)):
            problems.add(path, "sends nowhere: write to: [TARGET], or to: [] if these events are not to be sent")
        name = route.get("name")
        if isinstance(name, str):
            if name in names:
                problems.add((*path, "name"), f"another route above is called {name!r} too")
            names.add(name)


def routes_can_match(given: Any, sources: Iterable[str], providers: Providers, problems: Problems) -> None:
    """Sources and providers that routes look for exist: an event with a misspelt one would never come."""
    allowed = [*providers, OWN]
    for path, route, _ in every_route(given):
        _known(route, ("match", "source"), sources, "source", path, problems)
        _known(route, ("match", "provider"), allowed, "provider", path, problems)
        for where, pattern in _texts(route, ("match", "type")):
            first = pattern.split(".", 1)[0]
            if first.isidentifier() and first not in allowed:
                problems.add((*path, *where), f"no event type begins with {first!r}; {meant(first, allowed)}")


def routes_can_group(given: Any, problems: Problems) -> None:
    """What routes group by is part of every event, or a label that this route or one around it sets."""
    for path, route, above in every_route(given):
        labels = [one["labels"] for one in (*above, route) if isinstance(one.get("labels"), dict)]
        allowed = list(dict.fromkeys([*GROUP_NAMES, *(name for each in labels for name in each), EACH_ALONE]))
        for where, name in _texts(route, ("group_by",)):
            if name not in allowed:
                problems.add((*path, *where), f"{name!r} is no label of this route; {meant(name, allowed)}")


def routes_know_their_times(given: Any, intervals: Iterable[str], problems: Problems) -> None:
    """Times that routes name are written in `intervals`."""
    for path, route, _ in every_route(given):
        for key in (("mute",), ("active",)):
            _known(route, key, intervals, "interval", path, problems)


def _known(route: Given, key: Path, known: Iterable[str], what: str, path: Path, problems: Problems) -> None:
    for where, name in _texts(route, key):
        if name not in known and not (key[0] == "match" and _WILD & set(name)):
            problems.add((*path, *where), f"unknown {what} {name!r}; {meant(name, list(known))}")


def _texts(route: Given, key: Path) -> Iterator[tuple[Path, str]]:
    """The texts at a key inside a route, where one text stands for a list of one."""
    value: Any = route
    for part in key:
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, str):
        yield key, value
    for index, one in enumerate(value if isinstance(value, list) else []):
        if isinstance(one, str):
            yield (*key, index), one


def retries_fit_the_retention(settings: Settings, problems: Problems) -> None:
    """No target retries for longer than its deliveries are kept; jitter makes a schedule a fifth longer."""
    for name, target in settings.targets.items():
        longest = 1.2 * sum(target.options.retry)
        if longest > settings.store.retention:
            days = longest / 86400
            problems.add(
                ("targets", name, "retry"),
                f"may go on for {days:.1f} days, longer than deliveries are kept: write fewer or shorter delays, or a "
                "longer store.retention",
            )


def targets_may_be_reached(given: Given, settings: Settings, problems: Problems) -> None:
    """No target's URL names a private address that `egress.allow` does not open.

    Where something else is wrong with a target, its addresses are looked at as they are given.
    """
    egress = Egress(settings.egress.allow)
    for name, options in given.items():
        if name not in settings.targets and isinstance(options, dict):
            for key, url in options.items():
                address = isinstance(url, str) and url.startswith(("http://", "https://"))
                problem = egress.url_problem(url) if address else None
                if problem:
                    problems.add(("targets", name, key), problem)
    for name, target in settings.targets.items():
        for key, url in target.options.destinations().items():
            problem = egress.url_problem(url)
            if problem:
                problems.add(("targets", name, key), problem)
