"""What is made from the models: the default config fits them, the schema and the page say what they say."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from monitor import yamlfile
from monitor.providers import PROVIDERS
from monitor.settings import check, json_schema
from monitor.settings.generate import env_file, generated
from monitor.targets import TARGETS

ROOT = Path(__file__).resolve().parents[3]
DEFAULT = ROOT / "config" / "jobwire.yaml"
PAGE = "docs/config.md"


def values(node: Any) -> Any:
    """A tree as an editor sees it: `${...}` is still there."""
    if isinstance(node, yamlfile.Mapping):
        return {key: values(child) for key, child in node.entries.items()}
    if isinstance(node, yamlfile.Sequence):
        return [values(child) for child in node.items]
    return node.value


def flaws(text: str) -> list[str]:
    """What the schema finds wrong with a config, as `path: message`."""
    errors = Draft202012Validator(json_schema()).iter_errors(values(yamlfile.parse(text).root))
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]


@pytest.fixture(scope="module")
def environ() -> MappingOf[str, str]:
    """The variables of config/example.env."""
    return env_file((ROOT / "config" / "example.env").read_text())


@pytest.fixture(scope="module")
def texts() -> MappingOf[str, str]:
    """What the generated files should hold, by their place in the checkout."""
    return {path.relative_to(ROOT).as_posix(): text for path, text in generated(ROOT).items()}


def test_the_default_config_is_good_as_it_is(environ: MappingOf[str, str]) -> None:
    """With the variables of example.env there is no problem and no warning."""
    report = check(DEFAULT, environ)

    assert (report.problems, report.warnings) == ((), ())


def test_the_default_config_shows_the_four_providers(environ: MappingOf[str, str]) -> None:
    """And a target of each kind that most people want."""
    settings = check(DEFAULT, environ).settings

    assert settings is not None
    assert {one.provider for one in settings.sources.values()} == {"driver_jobs", "worklayer", "bindbee", "devrev"}
    assert {one.type for one in settings.targets.values()} == {"webhook", "slack"}


def test_example_env_names_what_the_default_config_asks_for(environ: MappingOf[str, str]) -> None:
    """No more and no less, JOBWIRE_STORE_URL apart, which is shown commented out."""
    asked = set(re.findall(r"\$\{([A-Z_]+)\}", re.sub(r"(?m)^ *#.*$", "", DEFAULT.read_text())))

    assert asked == set(environ)
    assert "#JOBWIRE_STORE_URL=" in (ROOT / "config" / "example.env").read_text()


def test_without_the_variables_each_is_named(environ: MappingOf[str, str]) -> None:
    """A newcomer who starts with nothing set learns every name at once."""
    problems = check(DEFAULT, {}).problems

    assert len(problems) == len(environ)
    assert all(f"environment variable {name} is not set" in str(problems) for name in environ)


@pytest.mark.parametrize("name", ["config/schema.json", PAGE])
def test_generated_files_are_as_generated(texts: MappingOf[str, str], name: str) -> None:
    """Write them anew with `.venv/bin/python -m monitor.settings.generate`."""
    assert (ROOT / name).read_text() == texts[name]


def test_the_page_names_every_option(texts: MappingOf[str, str]) -> None:
    """Of every provider, target and section."""
    providers = [plugin.options for plugin in PROVIDERS.values()]
    targets = [plugin.options for plugin in TARGETS.values()]
    for options in [*providers, *targets]:
        for name in options.model_fields:
            assert f"`{name}`" in texts[PAGE]


def test_the_schema_is_one() -> None:
    """JSON Schema 2020-12, as its own schema says."""
    Draft202012Validator.check_schema(json_schema())


def test_the_schema_takes_the_default_config() -> None:
    """Every `${...}` in it is fine for an editor."""
    assert flaws(DEFAULT.read_text()) == []


def test_the_schema_takes_references_where_numbers_are_due() -> None:
    """Any single value may come from elsewhere."""
    text = """
sources: {a: {provider: devrev, token: "${T}", every: "${E}", limit: "${L}", enabled: "${B}", mode: "${M}", rate: 5}}
routes: [{to: "${X}", group_wait: "${W}", continue: "${C}", severity: "${S}", match: {where: {a: {gte: "${G}"}}}}]
"""
    assert flaws(text) == []


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("{}", "'sources' is a required property"),
        ("sources: {}", "sources: {} should be non-empty"),
        ("sources: {A: {provider: devrev, token: x}}", "'A' does not match"),
        ("sources: {a: {token: x}}", "sources.a: 'provider' is a required property"),
        ("sources: {a: {provider: x}}", "sources.a.provider: 'x' is not one of"),
        ("sources: {a: {provider: devrev}}", "sources.a: 'token' is a required property"),
        ("sources: {a: {provider: devrev, token: x, tokn: x}}", "sources.a: Additional properties are not allowed"),
        ("sources: {a: {provider: devrev, token: x, every: 60}}", "sources.a.every: 60 is not valid"),
        ("sources: {a: {provider: devrev, token: x, connector_token: x}}", "Additional properties are not allowed"),
        ("sources: {a: {provider: devrev, token: x, limit: 500}}", "sources.a.limit: 500 is not valid"),
        ("sources: {a: x}", "sources.a: 'x' is not of type 'object'"),
        ("sources: {a: {provider: devrev, token: x}}\ntargets: {t: {type: x}}", "targets.t.type: 'x' is not one of"),
        ("sources: {a: {provider: devrev, token: x}}\nroutes: [{too: x}]", "routes.0: Additional properties are not"),
        ("sources: {a: {provider: devrev, token: x}}\nroutes: [{routes: [{severity: x}]}]", "routes.0.routes.0.sever"),
        ("sources: {a: {provider: devrev, token: x}}\nstor: {}", "Additional properties are not allowed ('stor' was"),
    ],
)
def test_the_schema_refuses_what_check_refuses(text: str, flaw: str) -> None:
    """One flaw each, at the right place."""
    (found,) = flaws(text)

    assert flaw in found


def test_defaults_in_the_schema_are_as_they_would_be_written() -> None:
    """Durations are words there, not seconds."""
    defs = json_schema()["$defs"]

    assert defs["source.worklayer"]["properties"]["every"]["default"] == "1m"
    assert defs["source.worklayer"]["properties"]["full_every"]["default"] == "1d"
    assert defs["target.webhook"]["properties"]["retry"]["default"][:3] == ["5s", "30s", "2m"]
