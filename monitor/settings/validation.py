"""Plain values of the config file in, settings out: each section validated by its own model, so that one
wrong section hides no problem of another; then what sections say of each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from monitor.settings import agreement
from monitor.settings.agreement import Providers, Targets
from monitor.settings.model import (
    EgressSettings,
    Ladder,
    Settings,
    Source,
    StoreSettings,
    StuckRule,
    TargetSetting,
    WebSettings,
)
from monitor.settings.problems import Path, Problems
from monitor.settings.routes import Route
from monitor.settings.section import without_nothing
from monitor.settings.telemetry import TelemetrySettings
from monitor.settings.times import TimeInterval
from monitor.settings.wording import meant

M = TypeVar("M", bound=BaseModel)

SECTIONS = ["store", "web", "egress", "telemetry", "sources", "deadlines", "stuck", "targets", "intervals", "routes"]
FROM_ENVIRONMENT = {"url": "JOBWIRE_STORE_URL", "key": "JOBWIRE_KEY"}
"""Options of the store that a variable of the environment wins over."""
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


class Reader:
    """Validates what stands in one file; problems are gathered, never raised."""

    def __init__(
        self, given: Any, problems: Problems, providers: Providers, targets: Targets, environ: Mapping[str, str]
    ) -> None:
        self._given: dict[str, Any] = given if isinstance(given, dict) else {}
        self._problems = problems
        self._providers = providers
        self._targets = targets
        self._environ = environ
        self._is_mapping = isinstance(given, dict)
        if not self._is_mapping:
            problems.fail((), f"the file must hold keys with values: {', '.join(SECTIONS)}")

    def settings(self) -> Settings:
        """What can be read: the whole file when no problem was found, else only good to look at further."""
        for key in self._given:
            if key not in SECTIONS:
                self._problems.add((key,), f"unknown section; {meant(key, SECTIONS)}", at_key=True)
        egress = self._section("egress", EgressSettings)
        settings = Settings(
            store=self._store() or StoreSettings(),
            web=self._section("web", WebSettings) or WebSettings(),
            egress=egress or EgressSettings(),
            telemetry=self._section("telemetry", TelemetrySettings) or TelemetrySettings(),
            sources=self._sources(),
            deadlines=self._deadlines(),
            stuck=tuple(self._list("stuck", StuckRule)),
            targets=self._target_settings(),
            intervals=self._intervals(),
            routes=tuple(self._list("routes", Route)),
        )
        self._agree(settings)
        if egress is not None:
            agreement.targets_may_be_reached(self._mapping("targets"), settings, self._problems)
        return settings

    def _agree(self, settings: Settings) -> None:
        routes = self._given.get("routes")
        agreement.deadlines_exist(self._mapping("deadlines"), settings, self._providers, self._problems)
        agreement.stuck_rules_exist(settings, self._providers, self._problems)
        agreement.routes_lead_somewhere(routes, self._mapping("targets"), self._problems)
        agreement.routes_can_match(routes, self._mapping("sources"), self._providers, self._problems)
        agreement.routes_can_group(routes, self._problems)
        agreement.routes_know_their_times(routes, self._mapping("intervals"), self._problems)
        agreement.retries_fit_the_retention(settings, self._problems)

    def _store(self) -> StoreSettings | None:
        given = {key: value for key, name in FROM_ENVIRONMENT.items() if (value := self._environ.get(name))}
        if not given:
            return self._section("store", StoreSettings)
        try:
            return StoreSettings.model_validate({**self._mapping("store"), **given})
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                key = str(detail["loc"][0])
                if detail["loc"] == (key,) and key in given:
                    self._problems.add((), f"environment variable {FROM_ENVIRONMENT[key]} {detail['ctx']['error']}")
        return self._section("store", StoreSettings)

    def _sources(self) -> dict[str, Source]:
        found = {}
        for name, given in self._named("sources"):
            plugin = self._plugin(("sources", name), given, "provider", self._providers)
            options = self._model(plugin.options, given, ("sources", name)) if plugin else None
            if options is not None:
                found[name] = Source(name, given["provider"], options)
        if self._given.get("sources") in (None, {}) and self._is_mapping:
            self._problems.add(
                ("sources",), "no source: name at least one account to watch; docs/config.md has each kind"
            )
        return found

    def _target_settings(self) -> dict[str, TargetSetting]:
        found = {}
        for name, given in self._named("targets"):
            plugin = self._plugin(("targets", name), given, "type", self._targets)
            options = self._model(plugin.options, given, ("targets", name)) if plugin else None
            if options is not None:
                found[name] = TargetSetting(name, given["type"], options)
        return found

    def _plugin(self, path: Path, given: Any, key: str, registry: Mapping[str, Any]) -> Any:
        """The registered plugin that an entry names; None, and a problem, when it names none."""
        allowed = list(registry)
        self._is_mapping = isinstance(given, dict)
        if not self._is_mapping:
            self._problems.add(path, f"should be keys with values, {key} among them")
        elif given.get(key) is None:
            self._problems.add((*path, key), f"missing: one of {', '.join(allowed)}")
        elif not isinstance(given[key], str):
            self._problems.add((*path, key), f"should be one of: {', '.join(allowed)}")
        elif given[key] not in registry:
            self._problems.add((*path, key), f"unknown {key} {given[key]!r}; {meant(given[key], allowed)}")
        else:
            return registry[given[key]]
        return None

    def _deadlines(self) -> dict[str, Ladder]:
        ladders = {
            name: self._model(Ladder, given, ("deadlines", name)) for name, given in self._mapping("deadlines").items()
        }
        return {name: ladder for name, ladder in ladders.items() if ladder is not None}

    def _intervals(self) -> dict[str, tuple[TimeInterval, ...]]:
        found = {}
        for name, given in self._named("intervals"):
            listed, path = isinstance(given, list), ("intervals", name)
            entries = given if listed else [given]
            times = [
                self._model(TimeInterval, entry, (*path, index) if listed else path)
                for index, entry in enumerate(entries)
            ]
            found[name] = tuple(one for one in times if one is not None)
        return found

    def _section(self, key: str, model: type[M]) -> M | None:
        return self._model(model, self._mapping(key), (key,))

    def _mapping(self, key: str) -> dict[str, Any]:
        given = self._given.get(key)
        if given is not None and not isinstance(given, dict):
            self._problems.add((key,), "should be keys with values")
        return given if isinstance(given, dict) else {}

    def _named(self, key: str) -> list[tuple[str, Any]]:
        entries = self._mapping(key)
        for name in entries:
            if not NAME.fullmatch(name):
                allowed = "small letters, digits, - and _, with a letter or digit first"
                self._problems.add((key, name), f"is not a name: use {allowed}", at_key=True)
        return list(entries.items())

    def _list(self, key: str, model: type[M]) -> list[M]:
        given = self._given.get(key)
        if given is not None and not isinstance(given, list):
            self._problems.add((key,), "should be a list: begin each entry with `- `")
        entries = given if isinstance(given, list) else []
        found = [self._model(model, entry, (key, index)) for index, entry in enumerate(entries)]
        return [one for one in found if one is not None]

    def _model(self, model: type[M], given: Any, path: Path) -> M | None:
        try:
            return model.model_validate(without_nothing(given))
        except ValidationError as error:
            self._problems.take(error, path, model)
            return None
